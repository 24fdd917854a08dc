// Turns what the conversation brings into what is seen: bubbles, the part that waits for an answer, the agent's name, the banner.
import * as dom from "./dom.js";
import { openChat } from "./chat.js";
import { when } from "./i18n.js";
import { openComposer } from "./parts/composer.js";
import { openDock } from "./parts/dock.js";
import { handoff } from "./parts/handoff.js";
import { openHeader } from "./parts/header.js";
import { offer } from "./parts/offer.js";
import { openScroll } from "./parts/scroll.js";
import { openThread } from "./parts/thread.js";

/** @type {Record<string, Draw<any>>} parts that stay with their message for good; `meeting` comes with the booking file */
const KEPT = { offer, handoff };
const BANNER_AFTER = 1500; // ms: a connection that comes back at once is nobody's business

/**
 * @param {Host} host @param {Greeter} greeter
 * @param {(key: string, values?: Record<string, any>) => string} t
 * @param {object} use
 * @param {() => void} use.close
 * @param {() => void} use.begin the visitor wants to talk
 * @param {(message: Message, fresh: boolean) => void} use.arrived somebody else's message is in the thread
 */
export function openTalk(host, greeter, t, { close, begin, arrived }) {
  const { config, emit } = host;
  const { store, once } = greeter;
  const name = config.brand.agent_name || config.name;
  const { tag } = greeter;
  /** @type {Message | undefined} */ let newest;
  /** @type {State} */ let state = "bot";
  /** @type {Map<string, Unsent>} */ const waiting = new Map();
  let [drawing, typed, broken, told] = [0, 0, 0, 0];
  let pressed = 0; // how the part before was answered: 1 by pointer, 2 by keyboard
  let cause = ""; // id of the visitor's newest message: what comes now comes of it
  const returning = !!store.read().token;

  const chat = openChat(host, greeter, { message, event: once.event, pending, refused, typing, state: turned, connection, welcome, clear });
  const thread = openThread({ t, tag, card, again });
  const header = openHeader({ t, name, logo: config.brand.logo, close });
  const composer = openComposer({ t, said: say, written });
  /** @type {Kit} */
  const kit = {
    t, tag, dom, act, skew: Infinity, server: host.server,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ask: composer.ask, drawn, press, when,
    begin() {
      press();
      dock.show(null);
      typing("bot");
      begin();
    },
    say(text, value) {
      press();
      say(text, value);
    },
    slots,
  };
  const dots = dom.el("div.typing", { hidden: true, ariaHidden: "true" }, dom.el("i"), dom.el("i"), dom.el("i"));
  const dock = openDock(kit, booking, unreached, drawn);
  const scroll = openScroll(t, [thread.log, dots, dock.dock], () => dock.dock.querySelector(".card") ?? [...thread.log.querySelectorAll(".visitor")].at(-1) ?? null);
  return { nodes: [header.head, header.banner, scroll.view, scroll.jump, composer.form], name, chat, composer, greet, follow: scroll.follow };

  /** @param {Message} message @param {boolean} fresh */
  function message(message, fresh) {
    const { author, part, seq, text } = message;
    thread.show(message, fresh, !fresh && returning);
    if (seq > (newest?.seq ?? 0)) newest = message;
    if (message.id) waiting.delete(message.id);
    if (author === "visitor") cause = message.id ?? "";
    redraw();
    if (author === "visitor") return;
    typing("");
    scroll.follow();
    if (fresh) emit("message", { author, text });
    if (part) announce(part, message, fresh);
    arrived(message, fresh);
  }

  /** Tells the page what a part means. @param {Part} part @param {Message} message @param {boolean} fresh */
  function announce(part, message, fresh) {
    if (part.kind === "form" && part.held) once.message("slot_held", part.held, cause, message, fresh);
    if (part.kind !== "meeting") return;
    const { status } = part.meeting;
    once.message(`meeting_${/cancelled|rescheduled/.test(status) ? status : "booked"}`, part.meeting, cause, message, fresh);
  }

  /** @param {Unsent} item */
  function pending(item) {
    waiting.set(item.id, item);
    thread.pending(item);
    redraw();
    scroll.follow(true);
  }

  /** @param {string} id @param {string} problem */
  function refused(id, problem) {
    thread.refused(id, problem);
    typing("");
    redraw();
  }

  /** @param {string} id */
  function again(id) {
    const item = waiting.get(id);
    waiting.delete(id);
    if (item) chat.say(item.text, item.value);
  }

  /** @param {string} text @param {{action?: string}} [value] */
  function say(text, value) {
    emit("message", { author: "visitor", text });
    once.said(chat.say(text, value));
    if (state === "bot") typing("bot");
  }

  /** @param {string} action @param {string} text @param {object} [more] */
  function act(action, text, more) {
    kit.say(text, { action, ...more });
  }

  /** The dock follows the newest message, once a burst of them is in. */
  function redraw() {
    clearTimeout(drawing);
    drawing = +setTimeout(() => {
      const part = newest && newest.author !== "visitor" && !chat.waits() ? newest.part : null;
      const ended = state === "closed" && !part;
      dock.show(ended ? { kind: "fallback", actions: [{ id: "restart", label: t("restart") }] } : part);
    }, 40);
  }

  /** What was pressed is about to go away: until there is something new, the focus stays in the chat. */
  function press() {
    pressed = host.root.activeElement?.matches(":focus-visible") ? 2 : 1;
    scroll.view.focus({ preventScroll: true });
  }

  /** The answer to a press is there: the focus goes on in its first field, with the keyboard also on its first button, else where one writes. */
  function drawn() {
    if (!pressed || newest?.author === "visitor" || chat.waits() || !matchMedia("(pointer:fine)").matches) return;
    const at = host.root.activeElement;
    if (at !== scroll.view && (at !== composer.area || composer.area.value)) return;
    const first = /** @type {HTMLElement | null} */ (dock.dock.querySelector("[data-first]"));
    if (!first || (pressed === 1 && first.matches("button"))) return composer.focus();
    first.focus({ preventScroll: true });
    pressed = 0;
  }

  /** @param {Part} part */
  function card(part) {
    if (part.kind !== "meeting") return KEPT[part.kind]?.(part, kit) ?? null;
    const place = dom.el("div.kept");
    const draw = () =>
      booking().then((parts) => {
        for (const old of thread.log.querySelectorAll(".calendars, .changes")) old.remove(); // the newest card speaks for the meeting
        place.replaceChildren(parts.meeting(part, kit));
      }, () => place.replaceChildren(unreached(draw)));
    draw();
    return place;
  }

  /** A file did not come: says so and tries again on demand. @param {() => void} retry */
  function unreached(retry) {
    return dom.el("div.card.wait", { role: "alert" }, t("unreached"), " ", dom.el("button.text", { onclick: retry, "data-first": "" }, t("again")));
  }

  async function booking() {
    const { parts, sheet } = await host.part("booking", PINS.booking);
    if (!host.root.adoptedStyleSheets.includes(sheet)) host.root.adoptedStyleSheets.push(sheet);
    return parts;
  }

  /** @param {Record<string, string>} query @returns {Promise<SlotsAnswer>} */
  async function slots(query) {
    const answer = await fetch(`${host.server}/v1/slots?${new URLSearchParams({ site: config.site, ...query })}`);
    if (!answer.ok) throw new Error(`slots: ${answer.status}`);
    return answer.json();
  }

  /** @param {string} author empty = nobody any more */
  function typing(author) {
    clearTimeout(typed);
    dots.hidden = !author;
    if (!author) return;
    typed = +setTimeout(() => typing(""), 8000);
  }

  /** @param {State} now @param {Agent} agent */
  function turned(now, agent) {
    if (state === "bot" && (now === "waiting_rep" || now === "rep") && chat.whole()) once.event("handed_over", { state: now, agent }, cause);
    state = now;
    header.agent(now, agent);
    store.save({ live: now === "waiting_rep" || now === "rep" });
    redraw();
  }

  /** @param {"live" | "lost" | "gone"} now */
  function connection(now) {
    if (now !== "lost") {
      clearTimeout(broken);
      broken = 0;
      header.line(now === "gone" ? t("gone") : "");
    } else broken ||= +setTimeout(() => header.line(t(navigator.onLine ? "lost" : "offline")), BANNER_AFTER);
    if (now !== "live") typing("");
  }

  /** @param {Frame} frame */
  function welcome({ texts = {}, now }) {
    kit.skew = Math.min(kit.skew, Date.now() - Date.parse(now)); // the least is the one with the least delay in it
    if (texts.placeholder) composer.ask("text", texts.placeholder);
    if (!newest) typing("");
  }

  /** The opening words, before anybody was asked. @param {string} text @param {boolean} [alone] nobody will be, until the visitor acts */
  function greet(text, alone) {
    thread.greet(text, name);
    if (newest) return;
    if (alone) dock.show({ kind: "begin" });
    else typing("bot");
  }

  /** @param {string} draft */
  function written(draft) {
    store.save({ draft });
    if (draft && Date.now() - told > 3000) {
      told = Date.now();
      chat.send({ t: "typing" });
    }
  }

  function clear() {
    thread.clear();
    waiting.clear();
    newest = undefined;
    typing("");
    dock.show(null);
  }
}
