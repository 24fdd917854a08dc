// A person is on the way, or nobody is there: says which, and how long it may take.

/** @type {Draw<HandoffPart>} */
export function handoff({ eta_seconds }, { t, dom: { el } }) {
  const here = eta_seconds != null;
  const line = here ? t("soon", { minutes: Math.max(1, Math.round(eta_seconds / 60)) }) : t("away");
  return el("div.card.handoff", { part: "card" },
    here && el("span.pulse", { ariaHidden: "true" }),
    el("div", {}, here && el("strong", {}, t("asked")), el("p", {}, line)));
}
