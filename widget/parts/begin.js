// A chat that opened by itself has not asked anybody anything yet: the first press does, and then the real answers come.

/** @type {Draw<{ kind: "begin" }>} */
export function begin(_, { t, begin, dom: { el } }) {
  return el("div.choices", {}, el("button.choice", { onclick: begin }, t("begin")));
}
