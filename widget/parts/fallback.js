// The bot does not know: a person, or an e-mail address to answer to.

/** @type {Draw<FallbackPart>} */
export function fallback({ actions }, { act, dom: { el } }) {
  return el("div.choices", { role: "group" },
    ...actions.map(({ id, label }, index) => el("button.choice", { "data-first": index ? null : "", onclick: () => act(id, label) }, label)));
}
