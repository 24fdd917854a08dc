// One connection for all tabs of a browser: a lock says which tab holds it (it leads), a channel carries the frames to the
// others. When the leader closes, crashes, freezes or does not answer, another tab leads.
import { ANSWERED, connect } from "./socket.js";

const PATIENCE = 4e3; // ms without a word from the leader or the server until a tab that is looked at leads itself

/**
 * @param {string} name of the lock and the channel: one visitor of one site
 * @param {Parameters<typeof connect>[0] & {forgotten: () => void, same: () => boolean}} use `forgotten`: another tab has
 * forgotten the visitor; `same`: whether this is still their record
 * @returns {Line}
 */
export function share(name, use) {
  const me = Math.random();
  /** @type {Map<number, Frame>} what no leader has taken yet */ const posts = new Map();
  /** @type {BroadcastChannel} */ let channel;
  /** @type {Line | undefined} our own connection: we lead */ let line;
  /** @type {Connected} */ let state = "lost";
  /** @type {(() => void) | undefined} gives the lock back, or the place in its queue; undefined while the page rests */ let leave;
  let [count, deadline] = [0, 0];
  const away = new AbortController();
  const woken = () => !line && seen() && ask();
  document.addEventListener("visibilitychange", woken, away);
  addEventListener("online", woken, away);
  addEventListener("pagehide", rest, away);
  addEventListener("pageshow", wake, away);
  document.addEventListener("freeze", rest, away);
  document.addEventListener("resume", wake, away);
  begin();
  return { send, close, live: () => state === "live" };

  function begin() {
    channel = new BroadcastChannel(name);
    channel.onmessage = told;
    enter();
    ask();
  }

  /** @param {boolean} [steal] take the lock from a leader that does not answer */
  function enter(steal) {
    const queue = new AbortController();
    const mine = (leave = () => queue.abort());
    navigator.locks
      .request(name, steal ? { steal } : { signal: queue.signal }, () => {
        if (leave !== mine) return undefined;
        return new Promise((done) => {
          leave = () => done(0);
          lead();
        });
      })
      .catch((problem) => {
        if (problem.name !== "AbortError") return lead(); // locks are forbidden here
        if (line && leave) follow(); // stolen: somebody thought that we were gone
      });
  }

  function lead() {
    clearTimeout(deadline);
    const opening = use.first(); // what it says need not be said again
    for (const [n, { t, token }] of posts) if (t === opening.t || t === "resume" || (token && token === opening.identity)) posts.delete(n);
    line = connect({ ...use, heard, changed });
    channel.postMessage({ now: "lost" });
  }

  function follow() {
    stop();
    enter();
    ask();
  }

  function stop() {
    clearTimeout(deadline);
    deadline = 0;
    line?.close();
    line = undefined;
  }

  /** As the leader: what the server says is for all. @param {Frame} frame */
  function heard(frame) {
    use.heard(frame);
    if (!line || frame.code === "unknown_visitor") return; // we say hello for all
    channel.postMessage({ down: frame.t === "welcome" ? { ...frame, token: use.first().token } : frame });
  }

  /** As the leader. @param {Connected} now */
  function changed(now) {
    state = now;
    channel.postMessage({ now });
    use.changed(now);
    if (now !== "live") return;
    for (const frame of posts.values()) line?.send(frame);
    posts.clear();
  }

  /** @param {MessageEvent} event */
  function told({ data: { up, from, n, down, now, to, took, visible, reset } }) {
    if (reset) return use.forgotten();
    if (up && line) {
      const ours = { ...up, ...(up.t === "hello" && { token: use.first().token }) };
      channel.postMessage({ now: state, to: from, took: line.send(ours) && n, visible: seen() });
    }
    if (line || !leave || (to && to !== me)) return;
    if (down || visible) answered();
    if (down) use.heard(down);
    if (took) posts.delete(took);
    if (!now || now === state) return;
    state = now;
    use.changed(now, false);
    if (now === "live" && !to) posts.forEach(post);
  }

  /** @param {Frame} frame */
  function send(frame) {
    if (line) return line.send(frame);
    count++;
    if (frame.t !== "say" && frame.t !== "typing") posts.set(count, frame); // what is said is kept where it was written
    post(frame, count);
    return true;
  }

  /** @param {Frame} frame @param {number} n */
  function post(frame, n) {
    if (!leave) return;
    channel.postMessage({ up: frame, from: me, n });
    if (ANSWERED.test(frame.t)) deadline ||= +setTimeout(doubt, PATIENCE);
  }

  function answered() {
    clearTimeout(deadline);
    deadline = 0;
  }

  /** The leader sleeps, or its connection is dead and it does not know. */
  function doubt() {
    deadline = 0;
    if (!leave || line || !seen()) return;
    leave();
    enter(true);
  }

  /** Says where we are: what is missing here comes with the welcome. */
  function ask() {
    posts.forEach(({ t }, n) => (t === "hello" || t === "resume") && posts.delete(n));
    send(use.first());
  }

  /** The page is put aside: another tab shall lead. */
  function rest() {
    const give = leave;
    leave = undefined;
    if (!give) return;
    stop();
    give();
    channel.close();
    state = "lost";
  }

  /** The page is back. */
  function wake() {
    if (leave) return;
    if (!use.same()) return use.forgotten();
    begin();
  }

  /** @param {boolean} [forget] in all tabs */
  function close(forget) {
    if (forget && leave) channel.postMessage({ reset: true });
    away.abort();
    rest();
  }

  function seen() {
    return document.visibilityState === "visible";
  }
}
