// What a page's analytics count is told once in a browser: by the tab in which the visitor acted, and when that tab is gone,
// by another one. What happened while no tab was there is told by the next one.

const PATIENCE = 1500; // ms: so long the tab that is not concerned leaves it to the one that is
const WORD = 200; // ms in which a word reaches the other tabs

/** @param {Host} host @param {ReturnType<typeof import("./store.js").openStore>} store */
export function openOnce(host, store) {
  /** @type {Set<string>} messages that were said in this tab */
  const here = new Set();
  /** @type {Set<string>} what other tabs have told */
  const told = new Set();
  /** @type {BroadcastChannel | undefined} */ let tabs;
  try {
    tabs = new BroadcastChannel(host.key + ":told");
    tabs.onmessage = ({ data }) => told.add(data);
  } catch {} // missing or forbidden: each tab is for itself
  const fresh = store.read().told == null; // nobody has counted yet: what is there already is no news
  return { said, event, message, tabs: !!tabs };

  /** @param {string} id of a message */
  function said(id) {
    here.add(id);
    if (store.read().told == null) store.save({ told: "" });
  }

  /** Something that is in no message. @param {string} name @param {any} data @param {string} cause id of the visitor's message that led to it */
  function event(name, data, cause) {
    tell(name, data, cause, name + cause);
  }

  /** @param {string} name @param {any} data @param {string} cause @param {Message} message what says so @param {boolean} live */
  function message(name, data, cause, { at, seq }, live) {
    const mark = `${at}#${String(seq).padStart(7, "0")}`; // grows from message to message, and from conversation to conversation
    const last = store.read().told ?? "";
    if (mark <= last) return;
    if (fresh && !live) store.save({ told: mark });
    else tell(name, data, cause, mark, () => store.save({ told: mark }));
  }

  /** @param {string} name @param {any} data @param {string} cause @param {string} key what it is told under @param {() => void} [note] */
  async function tell(name, data, cause, key, note) {
    if (here.has(cause)) return now();
    await wait(PATIENCE);
    const last = () => !told.has(key) && (now(), wait(WORD));
    if (navigator.locks) navigator.locks.request(host.key + ":told", last);
    else last();

    function now() {
      note?.();
      tabs?.postMessage(key);
      host.emit(name, data);
    }
  }
}

/** @param {number} ms @returns {Promise<void>} */
function wait(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
