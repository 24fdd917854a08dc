// A connection made of requests, for networks that block sockets; to socket.js it looks like one. One request waits for
// news while others send. Every request begins with a frame that says where we are, so each stands alone.

/**
 * @param {string} url @param {() => Frame} first
 * @returns {Way}
 */
export function openPoll(url, first) {
  const stop = new AbortController();
  /** @type {Frame[]} */ const queue = [];
  let sending = false;
  /** @type {Way} */ const it = { send, close, onopen: null, onmessage: null, onclose: null };
  listen();
  return it;

  async function listen() {
    await post([], false);
    while (!stop.signal.aborted) await post([], true);
  }

  /** @param {string} text a frame; those that come while a request is under way go with the next one */
  async function send(text) {
    queue.push(JSON.parse(text));
    if (sending) return;
    sending = true;
    while (queue[0] && !stop.signal.aborted) await post(queue.splice(0, 20), false);
    sending = false;
  }

  /** @param {Frame[]} frames @param {boolean} wait */
  async function post(frames, wait) {
    const { token, ...opening } = first();
    /** @type {Record<string, string>} */ const headers = { "Content-Type": "application/json" };
    if (token) headers.Authorization = "Bearer " + token;
    try {
      const more = frames.filter(({ t }) => t !== opening.t && t !== "resume"); // said by the opening
      const body = JSON.stringify({ frames: [opening, ...more], wait });
      const answer = await fetch(url, { method: "POST", headers, body, signal: stop.signal });
      if (!answer.ok) return ended(4000 + answer.status); // the codes with which a socket is closed
      for (const frame of (await answer.json()).frames) {
        if (stop.signal.aborted) return;
        const over = frame.code === "unknown_visitor";
        if (over) close(); // or the hello that follows would be said by two requests at once
        it.onmessage?.({ data: frame });
        if (over) it.onclose?.({ code: 0 });
      }
    } catch {
      ended(0);
    }
  }

  /** @param {number} code */
  function ended(code) {
    if (stop.signal.aborted) return;
    close();
    it.onclose?.({ code });
  }

  function close() {
    stop.abort();
  }
}
