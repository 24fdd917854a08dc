// The conversation: what was said, what waits to be sent, what has been seen. Every message is there once, in order.
import { connect } from "./socket.js";

/**
 * @param {Host} host @param {Greeter} greeter
 * @param {object} ui
 * @param {(message: Message, fresh: boolean) => void} ui.message a stored message; fresh = it came while we were listening
 * @param {(item: Unsent) => void} ui.pending the visitor's own, on its way
 * @param {(id: string, problem: string) => void} ui.refused
 * @param {(author: string) => void} ui.typing
 * @param {(state: State, agent: Agent) => void} ui.state
 * @param {(now: "live" | "lost" | "gone") => void} ui.connection
 * @param {(texts: Record<string, string>) => void} ui.welcome after a welcome and its messages were shown
 * @param {() => void} ui.clear
 */
export function openChat(host, greeter, ui) {
  const { store } = greeter;
  /** @type {ReturnType<typeof connect> | undefined} */ let line;
  /** @type {Map<string, Unsent>} */ const unsent = new Map();
  /** @type {Set<number>} */ const seqs = new Set();
  /** @type {Frame[]} frames that can wait for the connection */ const later = [];
  let { token } = store.read();
  let conversation = "";
  let whole = 0; // everything up to this number is here
  let [gap, telling] = [0, 0];
  /** @type {string | undefined} */ let wanted;

  return { start, say, send, seen, again, reset, waits: () => unsent.size > 0, whole: () => whole };

  /** @param {string | null} [playbook] */
  function start(playbook) {
    if (line) return;
    wanted = playbook ?? greeter.playbook?.id;
    for (const item of store.read().unsent ?? []) wait(item);
    const url = host.server.replace(/^http/, "ws") + "/v1/chat";
    line = connect({ url, hello, heard, changed: ui.connection });
  }

  /** @returns {Frame} */
  function hello() {
    const { visits = 1 } = store.read();
    const pages = greeter.discreet ? [] : greeter.views();
    const here = pages.at(-1);
    if (here) here.words = (document.body.innerText.match(/\S+/g) ?? []).length;
    return {
      t: "hello", site: host.config.site, token, seed: host.seed, after: whole, page: greeter.page(), device: greeter.device(),
      locale: greeter.tag, zone: Intl.DateTimeFormat().resolvedOptions().timeZone, visit: { count: visits, pages },
      data: host.data, playbook: wanted, consent: host.granted,
    };
  }

  /** @param {Frame} frame */
  function heard(frame) {
    if (frame.t === "welcome") welcomed(frame);
    else if (frame.t === "message") stored(frame.message, true);
    else if (frame.t === "ack") acked(frame.id, frame.seq);
    else if (frame.t === "refused") {
      settle(frame.id);
      ui.refused(frame.id, frame.message);
    } else if (frame.t === "typing") ui.typing(frame.author);
    else if (frame.t === "state") ui.state(frame.state, frame.agent);
    else if (frame.t === "event") host.emit(frame.name, frame.data);
    else if (frame.t === "error") console.warn("Usher:", frame.message);
  }

  /** @param {Frame} frame */
  function welcomed(frame) {
    if (conversation !== frame.conversation && whole) return anew(); // its beginning is not here
    conversation = frame.conversation;
    if (frame.token) store.save({ token: (token = frame.token) });
    const late = whole > 0;
    ui.state(frame.state, frame.agent);
    for (const message of frame.messages) stored(message, late);
    whole = Math.max(whole, frame.seq);
    clearTimeout(gap);
    for (const item of unsent.values()) {
      ui.pending(item);
      deliver(item);
    }
    for (const waiting of later.splice(0)) send(waiting);
    ui.welcome(frame.texts ?? {});
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
    if (item && seqs.has(seq)) return anew(); // the number is taken: the server has begun another conversation
    if (arrived(seq) && item) ui.message({ ...item, seq, author: "visitor" }, true);
  }

  /** Notes a number; a missing one before it is asked for. @param {number} seq @returns {boolean} whether it is new here */
  function arrived(seq) {
    if (seqs.has(seq)) return false;
    seqs.add(seq);
    while (seqs.has(whole + 1)) whole++;
    clearTimeout(gap);
    if (seq > whole && line?.live()) gap = +setTimeout(again, 1500);
    return true;
  }

  /** @param {string} text @param {object} [value] */
  function say(text, value) {
    /** @type {Unsent} */
    const item = { id: newId(), text, at: new Date().toISOString(), value };
    wait(item);
    store.save({ unsent: [...(store.read().unsent ?? []), item] });
    if (line) deliver(item);
    else start();
    return item.id;
  }

  /** @param {Unsent} item */
  function wait(item) {
    if (unsent.has(item.id)) return;
    unsent.set(item.id, item);
    ui.pending(item);
  }

  /** @param {Unsent} item */
  function deliver({ id, text, value }) {
    line?.send({ t: "say", id, text, value });
  }

  /** @param {string} id */
  function settle(id) {
    if (!unsent.delete(id)) return;
    store.save({ unsent: (store.read().unsent ?? []).filter((item) => item.id !== id) });
  }

  /** @param {Frame} frame @param {boolean} [patient] keep it until there is a connection */
  function send(frame, patient = false) {
    if (!line?.send(frame) && patient) later.push(frame);
  }

  /** @param {number} seq */
  function seen(seq) {
    if (seq <= (store.read().seen ?? 0)) return;
    store.save({ seen: seq });
    clearTimeout(telling);
    telling = +setTimeout(send, 400, { t: "seen", seq }); // a burst of messages is read at once
  }

  function again() {
    line?.again();
  }

  /** Another conversation than before: from its first message on. */
  function anew() {
    forget();
    ui.clear();
    again();
  }

  function forget() {
    seqs.clear();
    whole = 0;
    conversation = "";
  }

  /** Forgets the visitor in this page; the caller forgets the record. */
  function reset() {
    line?.close();
    line = undefined;
    token = undefined;
    unsent.clear();
    later.length = 0;
    forget();
    ui.clear();
  }
}

function newId() {
  // randomUUID exists on secure pages only
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
