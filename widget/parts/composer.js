// Where the visitor writes: grows with the text, Enter sends, Shift+Enter breaks the line. Adapts its keyboard to what is asked.
import { clean, el, icon } from "../dom.js";

const LIMIT = 4000; // characters the server takes
const LINES = 6;
const ARROW = "M12 19V5m-6.5 6.5L12 5l6.5 6.5";
/** @type {Record<string, [inputMode: string, autocomplete: string]>} */
const KEYBOARDS = {
  email: ["email", "email"],
  phone: ["tel", "tel"],
  number: ["numeric", "off"],
  company: ["text", "organization"],
};

/**
 * @param {object} use
 * @param {(key: string, values?: Record<string, string | number>) => string} use.t
 * @param {(text: string) => void} use.said
 * @param {(text: string) => void} use.written the draft, as it is now
 */
export function openComposer({ t, said, written }) {
  const area = el("textarea", { rows: 1, dir: "auto", ariaLabel: t("message"), enterKeyHint: "send" });
  const count = el("span.count", { role: "status" });
  const press = el("button.send", { type: "submit", ariaLabel: t("send"), disabled: true }, icon(ARROW));
  const form = el("form.composer", { part: "composer", onsubmit: submit }, count, area, press);
  area.oninput = () => {
    fit();
    written(area.value);
  };
  area.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  };
  ask("text");
  return { form, area, ask, write, focus: () => area.focus({ preventScroll: true }) };

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    const text = clean(area.value);
    if (!text || text.length > LIMIT) return;
    write("");
    written("");
    said(text);
  }

  /** @param {string} text */
  function write(text) {
    area.value = text;
    fit();
  }

  function fit() {
    const over = area.value.trim().length - LIMIT;
    press.disabled = !area.value.trim() || over > 0;
    count.textContent = over > 0 ? t("long", { count: over }) : "";
    area.rows = 1;
    const { lineHeight, paddingTop } = getComputedStyle(area);
    area.rows = Math.min(LINES, Math.round((area.scrollHeight - 2 * parseFloat(paddingTop)) / parseFloat(lineHeight)) || 1);
  }

  /** @param {string} input what is asked for: text, email, phone, number, company @param {string} [placeholder] */
  function ask(input, placeholder) {
    const [inputMode, autocomplete] = KEYBOARDS[input] ?? ["text", "off"];
    Object.assign(area, { inputMode, autocomplete, placeholder: placeholder || t("message") });
  }
}
