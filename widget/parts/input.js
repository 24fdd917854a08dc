// One typed answer. The composer takes it, with the right keyboard; a date gets a field of its own.

/** @type {Draw<InputPart>} */
export function input({ input: kind, placeholder }, { t, tag, say, ask, dom: { el } }) {
  if (kind !== "date") {
    ask(kind, placeholder);
    return el("div", { hidden: true });
  }
  const field = el("input", { type: "date", required: true, ariaLabel: t("date"), "data-first": "" });
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const date = new Date(field.value + "T12:00");
    if (field.value) say(new Intl.DateTimeFormat(tag, { dateStyle: "long" }).format(date), { option: field.value });
  };
  return el("form.card.inline", { onsubmit: send }, field, el("button.primary", { type: "submit" }, t("confirm")));
}
