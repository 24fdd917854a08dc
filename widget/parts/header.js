// Who the visitor talks to, whether the line stands, and the way out.
import { el, icon } from "../dom.js";
import { initial } from "./thread.js";

/**
 * @param {object} use
 * @param {(key: string) => string} use.t
 * @param {string} use.name of the site, until the agent's is known
 * @param {string} [use.logo]
 * @param {() => void} use.close
 */
export function openHeader({ t, name, logo, close }) {
  const face = el("span.face", { ariaHidden: "true" }, initial(name, logo));
  const title = el("h2", {}, name);
  const about = el("p", {}, t("assistant"));
  const head = el("header.head", { part: "header" },
    face,
    el("div.who", {}, title, about),
    el("button.close", { ariaLabel: t("close"), onclick: close }, icon("M6 9.5l6 6 6-6")));
  const banner = el("div.banner", { role: "status" });
  return { head, banner, agent, line };

  /** @param {State} state @param {Agent | undefined} agent */
  function agent(state, agent) {
    title.textContent = agent?.name || name;
    face.replaceChildren(initial(agent?.name || name, agent?.avatar || logo));
    about.textContent = t(state === "waiting_rep" ? "waiting" : state === "closed" ? "ended" : agent?.human ? "team" : "assistant");
  }

  /** @param {string} text what is wrong with the connection; empty = nothing */
  function line(text) {
    banner.textContent = text;
    head.classList.toggle("lost", !!text);
  }
}
