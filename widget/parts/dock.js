// What the newest message asks for: buttons, a field, times, a form. One at a time, below the thread; gone once it is answered.
import { begin } from "./begin.js";
import { choices } from "./choices.js";
import { fallback } from "./fallback.js";
import { input } from "./input.js";
import * as dom from "../dom.js";

/** @type {Record<string, Draw<any>>} */
const PARTS = { begin, choices, input, fallback };
const LAZY = ["slots", "form"];

/**
 * @param {Kit} kit @param {() => Promise<Record<string, Draw<any>>>} booking @param {(retry: () => void) => HTMLElement} unreached
 * @param {() => void} drawn it is there, or there is nothing to show
 */
export function openDock(kit, booking, unreached, drawn) {
  const dock = dom.el("div.dock", { part: "dock", ariaLive: "polite" });
  let current = ""; // the part that is shown, as a text: the same one again keeps its buttons, and the focus
  return { dock, show, asks: () => dock.childElementCount > 0 };

  /** @param {Part | null | undefined} part */
  async function show(part) {
    const text = part ? JSON.stringify(part) : "";
    if (text === current) return drawn();
    current = text;
    if (dock.querySelector(":focus")) kit.press();
    kit.ask("text");
    let draw = part && PARTS[part.kind];
    if (part && LAZY.includes(part.kind)) {
      dock.replaceChildren(dom.el("div.card.wait", {}, kit.t("loading")));
      draw = await booking().then((all) => all[part.kind], () => () => unreached(again));
    }
    const again = () => ((current = ""), show(part));
    if (current !== text) return; // answered while the file was on its way
    dock.replaceChildren(...(part && draw ? [draw(part, kit)] : []));
    drawn();
  }
}
