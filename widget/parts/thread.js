// The messages: bubbles in the order of their numbers, the visitor's unsent ones last. Each is added once and announced once.
import { el, icon, link, rich, safeUrl } from "../dom.js";
import { dayName, when } from "../i18n.js";

const GROUP = 5 * 60e3; // ms within which messages of one author stand together
const STAYS = /^(meeting|offer|handoff)$/; // parts that are shown in the message itself
const PAPER = "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8zm0 0v5h5M9 13h6m-6 4h4";

/**
 * @param {object} use
 * @param {(key: string, values?: Record<string, string>) => string} use.t
 * @param {string} use.tag for dates
 * @param {(part: Part) => Node | null} use.card what stays below a message for good
 * @param {(id: string) => void} use.again sends a refused message once more
 */
export function openThread({ t, tag, card, again }) {
  const log = el("div.log", { role: "log", ariaLive: "polite", ariaLabel: t("log") });
  /** @type {Map<string, HTMLElement>} */ const waiting = new Map();
  /** @type {HTMLElement | undefined} */ let preview;
  return { log, show, pending, refused, greet, clear };

  /** @param {Message} message @param {boolean} fresh @param {boolean} [old] said long ago: nobody is to hear it again */
  function show(message, fresh, old = false) {
    log.ariaLive = old ? "off" : "polite";
    const own = message.id ? waiting.get(message.id) : undefined;
    if (own && message.id) waiting.delete(message.id);
    if (preview && message.author !== "visitor") {
      const it = preview;
      preview = undefined;
      if (it.dataset.text === message.text && !message.citations?.length && !STAYS.test(message.part?.kind ?? "")) return adopt(it, message);
      it.remove();
    }
    place(own ?? bubble(message, fresh), message);
  }

  /** The greeting that is here already becomes the message: nothing is announced twice. @param {HTMLElement} it @param {Message} message */
  function adopt(it, message) {
    it.querySelector(".avatar")?.replaceChildren(initial(message.name));
    place(it, message);
  }

  /** @param {Unsent} item */
  function pending(item) {
    if (waiting.has(item.id)) return;
    const it = bubble({ ...item, seq: 0, author: "visitor" }, true);
    waiting.set(item.id, it);
    place(it, { ...item, seq: Infinity, author: "visitor" });
    it.classList.add("pending");
    note(it, t("sending"));
  }

  /** @param {string} id @param {string} problem */
  function refused(id, problem) {
    const it = waiting.get(id);
    if (!it) return;
    waiting.delete(id);
    it.classList.replace("pending", "refused");
    const retry = el("button.text", { onclick: () => (it.remove(), again(id)) }, t("again"));
    note(it, el("span", { role: "alert" }, t("refused") + (problem ? ": " + problem : "")), " ", retry);
  }

  /** The playbook's opening words before the server was asked. @param {string} text @param {string} name */
  function greet(text, name) {
    if (!text || log.childElementCount) return;
    const message = /** @type {Message} */ ({ seq: 0, author: "bot", name, text, at: new Date().toISOString() });
    preview = bubble(message, true);
    preview.dataset.text = text;
    place(preview, message);
  }

  function clear() {
    log.replaceChildren();
    waiting.clear();
    preview = undefined;
  }

  /** @param {HTMLElement} it @param {Message} message */
  function place(it, message) {
    it.classList.remove("pending");
    Object.assign(it.dataset, { seq: message.seq, at: message.at, author: message.author });
    const rows = /** @type {HTMLElement[]} */ ([...log.children]);
    const next = rows.find((row) => row !== it && Number(row.dataset.seq) > message.seq);
    if (it.parentNode !== log || it.nextElementSibling !== (next ?? null)) log.insertBefore(it, next ?? null);
    note(it, when(message.at, tag, { hour: "numeric", minute: "2-digit" }));
    group(it);
    group(/** @type {HTMLElement | null} */ (it.nextElementSibling));
  }

  /** Stands a bubble to the one before it: same author, same day? @param {HTMLElement | null} it */
  function group(it) {
    if (!it) return;
    const before = /** @type {HTMLElement | null} */ (it.previousElementSibling);
    const [at, last] = [it.dataset.at ?? "", before?.dataset.at];
    const day = dayName(at, tag, t);
    const sameDay = !!last && dayName(last, tag, t) === day;
    const near = !!last && Date.parse(at) - Date.parse(last) < GROUP;
    it.classList.toggle("near", sameDay && near);
    it.classList.toggle("same", sameDay && near && before?.dataset.author === it.dataset.author);
    const heading = /** @type {HTMLElement} */ (it.querySelector(".day"));
    heading.hidden = sameDay;
    if (heading.textContent !== day) heading.textContent = day;
  }

  /** @param {Message} message @param {boolean} fresh */
  function bubble(message, fresh) {
    const { author, name, text, citations = [], part } = message;
    const mine = author === "visitor";
    const it = el("div.msg", { part: "message " + author });
    it.classList.add(author);
    it.classList.toggle("fresh", fresh);
    const sources = citations.map(({ title, url }) => link(url, el("span", {}, icon(PAPER), title), "source")).filter(Boolean);
    it.append(
      el("div.day", { hidden: true, ariaLive: "off" }),
      el("div.row", {},
        !mine && el("span.avatar", { ariaHidden: "true" }, initial(name)),
        el("div.stack", {},
          author === "rep" && name ? el("span.name", {}, name) : el("span.sr", {}, (mine ? t("you") : name || "") + ": "),
          text && el("div.bubble", {}, el("div", { dir: "auto" }, rich(text))),
          sources.length > 0 && el("div.sources", {}, el("span.sr", {}, t("source") + ": "), .../** @type {Node[]} */ (sources)),
          part && card(part),
        ),
      ),
      el("div.note", { ariaLive: "off" }), // "Sending…" and the time are no news
    );
    return it;
  }

  /** @param {HTMLElement} it @param {(string | Node)[]} what */
  function note(it, ...what) {
    it.querySelector(".note")?.replaceChildren(...what);
  }
}

/** A picture of somebody: the given one, else the first letter. @param {string | undefined} name @param {string} [picture] */
export function initial(name, picture) {
  const from = picture && safeUrl(picture);
  const letter = ([...(name || "•")][0]).toUpperCase();
  return from ? el("img", { src: from.href, alt: "", onerror: (/** @type {any} */ { target }) => target.replaceWith(letter) }) : letter;
}
