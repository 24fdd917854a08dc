// One live connection to the server: opens, says hello, notices silence, comes back by itself. Knows nothing of what is said.

const SILENCE = 18e3; // ms without a frame until we ask whether anybody is there
const PATIENCE = 4e3; // ms an answer may take: a half-open network can send but not receive
const REFUSED = [4403, 4404]; // this page or site will not be let in, however often it asks

/**
 * @param {object} use
 * @param {string} use.url
 * @param {() => Frame} use.hello the first frame of every connection
 * @param {(frame: Frame) => void} use.heard
 * @param {(now: "live" | "lost" | "gone") => void} use.changed
 */
export function connect({ url, hello, heard, changed }) {
  /** @type {WebSocket | undefined} */ let socket;
  let live = false;
  let tries = 0;
  let [retry, quiet, deadline] = [0, 0, 0];
  const woken = () => document.visibilityState === "visible" && wake();
  const away = new AbortController();
  document.addEventListener("visibilitychange", woken, away);
  addEventListener("pageshow", woken, away);
  addEventListener("online", wake, away);
  open();
  return { send, again, close, live: () => live };

  function open() {
    clearTimeout(retry);
    const mine = (socket = new WebSocket(url));
    deadline = +setTimeout(again, PATIENCE * 2);
    mine.onopen = () => mine.send(JSON.stringify(hello()));
    mine.onmessage = ({ data }) => mine === socket && hear(JSON.parse(data));
    mine.onclose = ({ code }) => mine === socket && lost(code);
  }

  /** @param {Frame} frame */
  function hear(frame) {
    clearTimeout(deadline);
    clearTimeout(quiet);
    deadline = 0;
    quiet = +setTimeout(ping, SILENCE);
    if (frame.t === "welcome") {
      live = true;
      tries = 0;
      changed("live");
    }
    heard(frame);
  }

  /** @param {Frame} frame @returns {boolean} false when it could not be sent now */
  function send(frame) {
    if (!live || socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(frame));
    if (frame.t === "say" || frame.t === "ping") deadline ||= +setTimeout(again, PATIENCE);
    return true;
  }

  function ping() {
    send({ t: "ping" });
  }

  /** The page is looked at again, or the network is back: find out at once whether the connection still stands. */
  function wake() {
    if (live) ping();
    else if (socket?.readyState !== WebSocket.CONNECTING) open();
  }

  /** Gives this connection up and opens another: what was missed comes with the next welcome. */
  function again() {
    drop();
    lost(0);
  }

  function drop() {
    const old = socket;
    socket = undefined;
    old?.close();
  }

  /** @param {number} code */
  function lost(code) {
    live = false;
    clearTimeout(quiet);
    clearTimeout(deadline);
    deadline = 0;
    if (REFUSED.includes(code)) return changed("gone");
    changed("lost");
    clearTimeout(retry);
    retry = +setTimeout(open, pause(code, tries++));
  }

  function close() {
    away.abort();
    drop();
    live = false;
    for (const timer of [retry, quiet, deadline]) clearTimeout(timer);
  }
}

/** With jitter, so that a restarted server is not met by everybody at once. @param {number} code @param {number} tries @returns {number} ms */
function pause(code, tries) {
  const most = code === 4429 ? 1e4 : tries > 40 ? 2e4 : Math.min(2200, 250 * 2 ** tries);
  return most * (0.5 + Math.random() / 2);
}
