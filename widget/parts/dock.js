// What the newest message asks for: buttons, a field, times, a form. One at a time, below the thread; gone once it is answered.
import { choices } from "./choices.js";
import { fallback } from "./fallback.js";
import { input } from "./input.js";
import * as dom from "../dom.js";

/** @type {Record<string, Draw<any>>} */
const PARTS = { choices, input, fallback };
const LAZY = ["slots", "form"];

/** @param {Kit} kit @param {() => Promise<Record<string, Draw<any>>>} booking @param {() => void} drawn */
export function openDock(kit, booking, drawn) {
  const dock = dom.el("div.dock", { part: "dock" });
  /** @type {Part | null | undefined} */ let current;
  return { dock, show, asks: () => dock.childElementCount > 0 };

  /** @param {Part | null | undefined} part */
  async function show(part) {
    if (part === current) return;
    current = part;
    kit.ask("text");
    if (!part) return dock.replaceChildren();
    if (LAZY.includes(part.kind)) dock.replaceChildren(dom.el("div.card.wait", { role: "status" }, kit.t("loading")));
    const draw = PARTS[part.kind] ?? (LAZY.includes(part.kind) && (await booking())[part.kind]);
    if (current !== part) return; // answered while the file was on its way
    dock.replaceChildren(...(draw ? [draw(part, kit)] : []));
    drawn();
  }
}
