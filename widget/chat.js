// The conversation: what was said, what waits to be sent, what has been seen. Every message is there once, in order.
import { connect } from "./socket.js";
import { share } from "./tabs.js";

const REST = 600; // ms without a navigation: the server takes two pages a second

/**
 * @param {Host} host @param {Greeter} greeter
 * @param {object} ui
 * @param {(message: Message, fresh: boolean) => void} ui.message a stored message; fresh = it came while we were listening
 * @param {(item: Unsent) => void} ui.pending the visitor's own, on its way
 * @param {(id: string, problem: string) => void} ui.refused
 * @param {(author: string) => void} ui.typing
 * @param {(name: string, data: object, cause: string) => void} ui.event
 * @param {(state: State, agent: Agent) => void} ui.state
 * @param {(now: Connected) => void} ui.connection
 * @param {(frame: Frame) => void} ui.welcome after a welcome and its messages were shown
 * @param {() => void} ui.clear
 */
export function openChat(host, greeter, ui) {
  const { store } = greeter;
  /** @type {Line | undefined} */ let line;
  /** @type {Map<string, Unsent>} */ const unsent = new Map();
  /** @type {Set<number>} */ const seqs = new Set();
  /** @type {Frame[]} frames that can wait for the connection */ const later = [];
  /** @type {string | undefined} */ let token;
  /** @type {string | undefined} what the site has signed about who is here; never stored */ let identity;
  /** @type {string | undefined} what of it a hello has told */ let told;
  let conversation = "";
  let state = "";
  let verified = false; // the server knows for sure who is here
  let greeted = false; // the server knows of this page
  let sending = ""; // the message under way: one at a time, so that they are stored in the order in which they were written
  let [whole, most, asked] = [0, 0, -1]; // everything up to this number is here · there are so many · from where on the rest was asked for
  let [gap, telling, moving] = [0, 0, 0];
  /** @type {string | undefined} */ let wanted;

  return { start, say, send, seen, moved, consent, reset, signIn, mine, waits: () => unsent.size > 0, whole: () => whole };

  /** @param {string | null} [playbook] */
  function start(playbook) {
    if (line) return;
    wanted = playbook ?? greeter.playbook?.id;
    adopt();
    const { seed } = store.read();
    token = store.read().token;
    const url = host.server + "/v1/chat?site=" + host.config.site;
    const use = { url, first, heard, changed, forgotten: () => host.call("reset", "elsewhere"), same: () => store.read().seed === seed };
    const shared = host.granted && seed && navigator.locks && greeter.once.tabs;
    line = shared ? share(`${host.key}:${seed}`, use) : connect(use);
  }

  /** What waits in the record, from before or from a tab that was closed. */
  function adopt() {
    if (mine()) for (const item of store.read().unsent ?? []) wait(item);
  }

  /** Is what the record holds of who is here? What a signed-in person has left stays theirs. */
  function mine() {
    return verified || identity || !store.read().who;
  }

  /** Somebody has signed in on the page. @param {string} signed @param {string} who @returns {boolean} false when another person was here */
  function signIn(signed, who) {
    if ((store.read().who ?? who) !== who) return false;
    store.save({ who });
    if (line && signed !== identity) send({ t: "identify", token: signed }, true);
    identity = signed;
    return true;
  }

  /** The first frame of a connection. @returns {Frame} */
  function first() {
    return greeted ? { t: "resume", site: host.config.site, token, conversation, after: whole, state } : hello();
  }

  /** @returns {Frame} */
  function hello() {
    known();
    told = identity;
    const { visits = 1 } = store.read();
    const pages = greeter.discreet || !host.granted ? [] : greeter.views();
    const here = pages.at(-1);
    if (here) here.words = (document.body.innerText.match(/\S+/g) ?? []).length;
    return {
      t: "hello", site: host.config.site, token, seed: host.seed, after: whole, page: greeter.page(), device: greeter.device(),
      locale: greeter.tag, zone: Intl.DateTimeFormat().resolvedOptions().timeZone, visit: { count: visits, pages },
      data: host.data, playbook: wanted, consent: host.granted, identity, discreet: greeter.discreet,
    };
  }

  /** @param {Frame} frame */
  function heard(frame) {
    if (frame.t === "welcome") welcomed(frame);
    else if (frame.t === "message") stored(frame.message, true);
    else if (frame.t === "ack") acked(frame.id, frame.seq);
    else if (frame.t === "refused") refused(frame);
    else if (frame.t === "typing") ui.typing(frame.author);
    else if (frame.t === "state") turned(frame);
    else if (frame.t === "event") ui.event(frame.name, frame.data, frame.id);
    else if (frame.t === "forgotten") host.call("reset"); // the visitor was erased
    else if (frame.t === "error") failed(frame);
  }

  /** Of this tab's own connection, or of the one that another tab holds for all. @param {Connected} now @param {boolean} [ours] */
  function changed(now, ours = true) {
    sending = "";
    ui.connection(now);
    if (now !== "live") return;
    if (ours) adopt();
    if (moving) tell();
    deliver();
    for (const waiting of later.splice(0)) if (!waiting.token || waiting.token !== told) send(waiting, true);
  }

  /** It may answer the question of another tab, and begin later than what is missing here. @param {Frame} frame */
  function welcomed(frame) {
    if (conversation && conversation !== frame.conversation) clear();
    ({ conversation } = frame);
    greeted = true;
    token = frame.token ?? token;
    verified = frame.verified;
    if (!mine()) store.save({ who: undefined, draft: "", seen: 0, unsent: [...unsent.values()] }); // somebody left without a word
    if (verified) store.save({ token: undefined });
    else if (frame.token) store.save({ token });
    const late = whole > 0;
    turned(frame);
    for (const message of frame.messages) stored(message, late);
    arrived(frame.seq, false);
    for (const item of unsent.values()) ui.pending(item);
    ui.welcome(frame);
  }

  /** @param {Frame} frame */
  function turned(frame) {
    ({ state } = frame);
    ui.state(frame.state, frame.agent);
  }

  /** @param {Frame} frame */
  function refused({ id, code, message }) {
    if (code === "too_many" && unsent.has(id)) {
      sending = "";
      setTimeout(deliver, 2e3);
      return; // it only has to wait
    }
    settle(id);
    ui.refused(id, message);
  }

  /** @param {Frame} frame */
  function failed({ code, message }) {
    console.warn("Usher:", message);
    if (/^identity/.test(code)) host.emit(code);
    if (code === "unknown_visitor") {
      greeted = false;
      ask();
    } else if (!greeted) setTimeout(ask, 5e3);
  }

  /** @param {Message} message @param {boolean} fresh */
  function stored(message, fresh) {
    if (message.id) settle(message.id);
    if (arrived(message.seq)) ui.message(message, fresh);
  }

  /** @param {string} id @param {number} seq */
  function acked(id, seq) {
    const item = unsent.get(id);
    settle(id);
    if (!item) return; // of another tab: the message itself comes as well
    if (seqs.has(seq)) return anew(); // the number is taken: the server has begun another conversation
    if (arrived(seq)) ui.message({ ...item, seq, author: "visitor" }, true);
  }

  /** Notes a number; what is missing up to it is asked for. @param {number} seq @param {boolean} [here] @returns {boolean} whether it is new here */
  function arrived(seq, here = true) {
    if (seqs.has(seq)) return false;
    if (here) seqs.add(seq);
    most = Math.max(most, seq);
    while (seqs.has(whole + 1)) whole++;
    clearTimeout(gap);
    if (whole < most) gap = +setTimeout(fill, here || asked === whole ? 1500 : 0);
    return true;
  }

  function fill() {
    asked = whole;
    ask();
  }

  /** @param {string} text @param {object} [value] */
  function say(text, value) {
    /** @type {Unsent} */
    const item = { id: newId(), text, at: new Date().toISOString(), value };
    wait(item);
    store.save({ unsent: [...(store.read().unsent ?? []), item] });
    if (line) deliver();
    else start();
    return item.id;
  }

  /** @param {Unsent} item */
  function wait(item) {
    if (unsent.has(item.id)) return;
    unsent.set(item.id, item);
    ui.pending(item);
  }

  /** Sends the oldest that waits. */
  function deliver() {
    const [item] = unsent.values();
    if (!item || item.id === sending) return;
    const { id, text, value } = item;
    if (moving) tell();
    if (line?.send({ t: "say", id, text, value })) sending = id;
  }

  /** @param {string} id */
  function settle(id) {
    if (!unsent.delete(id)) return;
    store.save({ unsent: (store.read().unsent ?? []).filter((item) => item.id !== id) });
    deliver();
  }

  /** @param {Frame} frame @param {boolean} [patient] keep it until there is a connection */
  function send(frame, patient = false) {
    if (!line?.send(frame) && patient) later.push(frame);
  }

  /** The visitor is on another page. An application may go through many at once: only where it stays is told. */
  function moved() {
    clearTimeout(moving);
    moving = +setTimeout(tell, REST);
  }

  /** Where the visitor is, as soon as there is a connection. */
  function tell() {
    if (line?.live() && line.send({ t: "page", page: greeter.page(), data: host.data })) known();
  }

  /** The server knows the page, or is about to. */
  function known() {
    clearTimeout(moving);
    moving = 0;
  }

  /** @param {number} seq */
  function seen(seq) {
    if (seq <= (store.read().seen ?? 0)) return;
    store.save({ seen: seq });
    clearTimeout(telling);
    telling = +setTimeout(send, 400, { t: "seen", seq }); // a burst of messages is read at once
  }

  /** What the visitor agrees to has changed: another hello tells the server, also of somebody who said nothing on this page. */
  function consent() {
    greeted = false;
    if (line) ask();
    else if (store.read().token) start();
  }

  /** Makes sure that nothing is missing. */
  function ask() {
    line?.send(first());
  }

  /** Another conversation than before: from its first message on. */
  function anew() {
    clear();
    ask();
  }

  function clear() {
    seqs.clear();
    clearTimeout(gap);
    [whole, most, asked] = [0, 0, -1];
    conversation = state = "";
    ui.clear();
  }

  /** Forgets the visitor in this page; the caller forgets the record. */
  function reset() {
    line?.close(true);
    line = undefined;
    token = identity = undefined;
    verified = greeted = false;
    sending = "";
    unsent.clear();
    later.length = 0;
    known();
    clear();
  }
}

function newId() {
  // randomUUID exists on secure pages only
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
