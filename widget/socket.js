// One live connection to the server: finds a way in, notices silence, comes back by itself. By a socket, or by requests
// (poll.js) where sockets are blocked. Knows nothing of what is said.
import { openPoll } from "./poll.js";

const SILENCE = 18e3; // ms without a frame until we ask whether anybody is there
const PATIENCE = 4e3; // ms an answer may take: a half-open network can send but not receive
const AWAKE = 2e3; // the same when somebody has just come back
const NEXT = 2500; // ms until another way is tried beside those that have not answered
const GIVE_UP = 1e4; // ms one way may take
const REST = 6e4; // ms between two looks for a socket while requests carry the chat
const MANY = 60; // tries in about two minutes: from then on rarely
const REFUSED = [4403, 4404]; // this page or site will not be let in, however often it asks

/**
 * @param {object} use
 * @param {string} use.url
 * @param {() => Frame} use.first the first frame of every connection
 * @param {(frame: Frame) => void} use.heard
 * @param {(now: Connected, ours?: boolean) => void} use.changed `ours`: the connection is this tab's; after the welcome was heard, when it is "live"
 * @returns {Line}
 */
export function connect({ url, first, heard, changed }) {
  /** @type {Map<Way, number>} those that have not brought a welcome yet, and the timers that end them */ const ways = new Map();
  /** @type {Way | undefined} the one that has */ let line;
  let blocked = false; // requests get through and sockets do not
  let known = false; // sockets did get through on this page
  let [turn, tries] = [0, 0];
  let [next, look, quiet, deadline] = [0, 0, 0, 0];
  const away = new AbortController();
  const woken = () => document.visibilityState === "visible" && wake();
  document.addEventListener("visibilitychange", woken, away);
  addEventListener("pageshow", woken, away);
  addEventListener("online", wake, away);
  open();
  return { send, close, live: () => !!line };

  /** Tries a way in: a socket first, then requests, by turns until one brings a welcome. */
  function open() {
    const slow = blocked || turn++ % 2 > 0;
    if (blocked || !slow) tries++;
    plan(tries > MANY ? 2e4 : NEXT);
    if (turn > 1) changed("lost");
    dial(slow);
  }

  /** @param {number} ms until the next try */
  function plan(ms) {
    clearTimeout(next);
    next = +setTimeout(open, ms);
  }

  /** @param {boolean} slow by requests */
  function dial(slow) {
    /** @type {Way} */ let it;
    try {
      it = slow ? openPoll(url, first) : /** @type {Way} */ (new WebSocket(url.replace(/^http/, "ws")));
    } catch {
      return failed(1006);
    }
    ways.set(it, +setTimeout(ended, GIVE_UP, 0));
    it.onopen = () => it.send(JSON.stringify(first()));
    it.onmessage = ({ data }) => {
      const frame = slow ? data : JSON.parse(data);
      if (it === line) hear(frame);
      else if (frame.t === "welcome" && ways.has(it)) take(it, slow, frame);
      else if (ways.has(it)) {
        heard(frame);
        if (frame.code === "unknown_visitor" && !slow) it.send(JSON.stringify(first())); // a hello, this time
      }
    };
    it.onclose = ({ code }) => ended(code);

    /** @param {number} code */
    function ended(code) {
      if (it === line) lost(code);
      else if (drop(it)) failed(code);
    }
  }

  /** @param {Way} it @param {boolean} slow @param {Frame} welcome */
  function take(it, slow, welcome) {
    line?.close();
    clearTimeout(ways.get(it));
    ways.delete(it);
    line = it;
    ways.forEach((_, other) => drop(other));
    clearTimeout(next);
    [turn, tries, blocked] = [0, 0, slow];
    known ||= !slow;
    clearTimeout(look);
    if (slow) look = +setTimeout(search, known ? 2e3 : REST);
    hear(welcome);
    if (line === it) changed("live");
  }

  /** A way is closed before its welcome. @param {number} code */
  function failed(code) {
    if (line) return;
    if (REFUSED.includes(code)) return over();
    if (ways.size) return;
    if (code === 1006 && turn % 2) open(); // no socket: by requests at once
    else plan(pause(code, tries - 1));
  }

  /** Requests do, but a socket would be better. */
  function search() {
    clearTimeout(look);
    if (!line || !blocked) return;
    look = +setTimeout(search, REST);
    if (!ways.size) dial(false);
  }

  /** @param {Frame} frame */
  function hear(frame) {
    clearTimeout(deadline);
    clearTimeout(quiet);
    deadline = 0;
    quiet = +setTimeout(send, SILENCE, { t: "ping" });
    heard(frame);
  }

  /** @param {Frame} frame @returns {boolean} false when it could not be sent now */
  function send(frame) {
    if (!line) return false;
    line.send(JSON.stringify(frame));
    if (ANSWERED.test(frame.t)) deadline ||= +setTimeout(again, PATIENCE);
    return true;
  }

  /** The page is looked at again, or the network is back: what is missing is asked for, and a dead line noticed soon. */
  function wake() {
    if (line) {
      send(first());
      clearTimeout(deadline);
      deadline = +setTimeout(again, AWAKE);
      if (blocked) search();
    } else if (!ways.size) open();
  }

  /** Gives this connection up and opens another: what was missed comes with the next welcome. */
  function again() {
    line?.close();
    lost(0);
  }

  /** @param {number} code */
  function lost(code) {
    line = undefined;
    clearTimeout(quiet);
    clearTimeout(deadline);
    deadline = 0;
    if (REFUSED.includes(code)) return over();
    changed("lost");
    plan(pause(code, 0));
  }

  function over() {
    close();
    changed("gone");
  }

  /** @param {Way} it @returns {boolean} whether it was still on its way */
  function drop(it) {
    clearTimeout(ways.get(it));
    const was = ways.delete(it);
    it.close();
    return was;
  }

  function close() {
    away.abort();
    const it = line;
    line = undefined;
    it?.close();
    ways.forEach((_, other) => drop(other));
    for (const timer of [next, look, quiet, deadline]) clearTimeout(timer);
  }
}

export const ANSWERED = /^(say|ping|hello|resume)$/; // frames that the server always answers

/** With jitter, so that a restarted server is not met by everybody at once. @param {number} code @param {number} tries @returns {number} ms */
export function pause(code, tries) {
  const most = code === 4429 ? 1e4 : tries > MANY ? 2e4 : Math.min(2200, 250 * 2 ** tries);
  return most * (0.5 + Math.random() / 2);
}
