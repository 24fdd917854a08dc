// Answers to choose from: one press answers; with `multi` several are ticked and confirmed.

/** @type {Draw<ChoicesPart>} */
export function choices({ options, multi }, { t, say, dom: { el, icon } }) {
  if (!multi)
    return el("div.choices", { role: "group" },
      ...options.map(({ id, label }, index) =>
        el("button.choice", { "data-first": index ? null : "", onclick: () => say(label, { option: id }) }, label)));
  /** @type {Set<string>} */
  const picked = new Set();
  const done = el("button.primary", { disabled: true, onclick: () => say(labels(), { options: [...picked] }) }, t("confirm"));
  const labels = () => options.filter(({ id }) => picked.has(id)).map(({ label }) => label).join(", ");
  const boxes = options.map(({ id, label }, index) => {
    const it = el("button.choice", { ariaPressed: "false", "data-first": index ? null : "" }, el("span.box", {}, icon("M5 12.5l5 5 9-11")), label);
    it.classList.add("tick");
    it.onclick = () => {
      if (!picked.delete(id)) picked.add(id);
      it.ariaPressed = String(picked.has(id));
      done.disabled = !picked.size;
    };
    return it;
  });
  return el("div.choices", { role: "group", ariaLabel: t("pick") }, ...boxes, done);
}
