// The panel: opens, closes, counts what is unread, obeys the page's calls. Loaded on demand by loader.js.
import css from "./panel.css";
import partsCss from "./parts/parts.css";
import threadCss from "./parts/thread.css";
import { el, sheets } from "./dom.js";
import { fill, texts } from "./i18n.js";
import { openScreen } from "./screen.js";
import { openTalk } from "./talk.js";

/** What is typed, pasted and scrolled in the chat is none of the page's business: it would see it happen on an element that is no field. */
const OURS = ["keydown", "keypress", "keyup", "paste", "copy", "cut", "wheel", "touchstart", "touchmove"];

/** @param {Host} host @returns {Promise<Panel>} */
export async function start(host) {
  const words = await texts(host);
  host.root.adoptedStyleSheets.push(...sheets(css, threadCss, partsCss));
  return openPanel(host, /** @type {Greeter} */ (host.greeter), (key, values) => fill(words[key] ?? key, values));
}

/** @param {Host} host @param {Greeter} greeter @param {(key: string, values?: Record<string, any>) => string} t @returns {Panel} */
function openPanel(host, greeter, t) {
  const { config, launcher, emit } = host;
  const { store } = greeter;
  const label = launcher.ariaLabel;
  const inline = host.mode === "inline";
  let waits = false;
  let unread = 0;
  let last = 0; // number of the newest message of somebody else
  /** @type {Element | undefined} */ let opener;
  const talk = openTalk(host, greeter, t, { close, arrived, begin: () => begin() });
  const section = el(inline ? "section.panel.inline" : "section.panel", { id: "panel", role: inline ? "region" : "dialog", ariaLabel: talk.name, part: "panel", hidden: true, tabIndex: -1 }, ...talk.nodes);
  const screen = openScreen(host, section, close);
  section.addEventListener("pointerdown", () => begin());
  section.addEventListener("focusin", ({ target }) => target === talk.composer.area && begin()); // who only tabs through asks for nothing yet
  addEventListener("storage", ({ key, newValue }) => key === host.key && !newValue && !store.read().seed && reset("elsewhere")); // another tab has forgotten the visitor
  document.addEventListener("visibilitychange", read);
  greeter.moved = talk.chat.moved;
  for (const sign of OURS) host.root.addEventListener(sign, (event) => event.stopPropagation(), { passive: true });
  launcher.setAttribute("aria-controls", section.id);
  launcher.before(section);
  return { open, close, toggle: () => (section.hidden ? open() : close()), resume, identify, track, reset, logout: reset, consent };

  /** @param {Opening | string} [how] */
  function open(how = {}) {
    const { focus = true, self, again, message, playbook, by } = typeof how === "string" ? /** @type {Opening} */ ({ message: how }) : how;
    opener = by ?? launcher;
    if (section.hidden) {
      section.hidden = false;
      launcher.ariaExpanded = "true";
      greeter.tease("");
      screen.shown();
      talk.composer.write((talk.chat.mine() && store.read().draft) || "");
      if (self || !again) emit("opened", { mode: host.mode, self: !!self });
    }
    if (!store.read().token && !store.read().who) talk.greet(host.text((config.playbooks.find((it) => it.id === playbook) ?? greeter.playbook)?.opening), self);
    if (!self || (config.consent === "none" && host.granted)) begin(playbook);
    if (message) talk.composer.write(message);
    if (focus && screen.phone()) section.focus();
    else if (focus) talk.composer.focus();
    talk.follow(true);
    read();
  }

  function close() {
    if (section.hidden || inline) return;
    const inside = section.contains(host.root.activeElement);
    section.hidden = true;
    launcher.ariaExpanded = "false";
    screen.hidden();
    store.save({ open: false });
    if (inside) /** @type {HTMLElement} */ (opener ?? launcher).focus();
    emit("closed");
  }

  /** The visitor wants to talk: from here on there is a connection, and, if he may be remembered, a record. @param {string | null} [playbook] */
  function begin(playbook) {
    if (config.consent !== "external") store.remember(host.seed);
    store.save({ open: !section.hidden && !inline });
    talk.chat.start(playbook);
  }

  /** Goes on after a page load: where a chat was open, or a person is expected. */
  function resume() {
    waits = !talk.chat.mine(); // until the page says that it is still the same person
    if (waits) return;
    if (store.read().open && greeter.device() === "desktop" && !inline) open({ focus: false, again: true });
    else talk.chat.start();
  }

  /** @param {Message} message @param {boolean} fresh */
  function arrived(message, fresh) {
    last = Math.max(last, message.seq);
    if (message.seq > (store.read().seen ?? 0)) unread++;
    if (fresh && section.hidden) greeter.tease(message.text);
    read();
  }

  /** What is on the screen has been read. */
  function read() {
    if (!section.hidden && document.visibilityState === "visible") {
      unread = 0;
      talk.chat.seen(last);
    }
    const count = section.hidden ? unread : 0;
    if (count) launcher.dataset.unread = String(count);
    else delete launcher.dataset.unread;
    launcher.ariaLabel = count ? `${label}, ${t("unread", { count })}` : label;
  }

  /** What the page says about its user; a text is what the site has signed about who it is. @param {any} it */
  function identify(it) {
    const signed = it?.token ?? it;
    if (typeof signed !== "string") return talk.chat.send({ t: "identify", attributes: it }, true);
    const who = person(signed);
    if (!talk.chat.signIn(signed, who)) {
      reset();
      talk.chat.signIn(signed, who);
    }
    if (waits) resume();
  }

  /** @param {string} name @param {object} [data] */
  function track(name, data) {
    talk.chat.send({ t: "track", name, data }, true);
  }

  /** @param {boolean} given */
  function consent(given) {
    if (given) store.remember(host.seed);
    else store.rest();
    talk.chat.consent();
  }

  /** @param {string} [where] "elsewhere": another tab has deleted the record, and may have begun one of somebody else */
  function reset(where) {
    store.forget(where === "elsewhere");
    greeter.tease("");
    close();
    host.seed = String(Math.random());
    [unread, last] = [0, 0];
    talk.chat.reset();
    read();
  }
}

/** Tells the persons of signed tokens apart, without keeping who they are. @param {string} signed */
function person(signed) {
  let hash = 0;
  let sub = signed;
  try {
    ({ sub } = JSON.parse(atob(signed.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"))));
  } catch {} // no token: somebody whom the server will not know
  for (const letter of String(sub)) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  return hash.toString(36);
}
