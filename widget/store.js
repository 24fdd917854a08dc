// The one record in localStorage, "usher:<site key>", written only when the visitor may be remembered. No cookies.

/** @type {Record<string, any>} what kinds of things we write */
const KINDS = { who: "", told: "", token: "", seed: "", mode: "", draft: "", visits: 0, seen: 0, last: 0, open: true, live: true, hushed: true, unsent: [] };

/** @param {Host} host */
export function openStore(host) {
  let memory = sound(host.saved);
  host.seed += ""; // it may have been a number
  return {
    /** @returns {Saved} the record as it is now: another tab may have written to it */
    read() {
      try {
        if (host.granted) memory = sound(JSON.parse(localStorage[host.key] ?? "{}"));
      } catch {} // storage is forbidden or holds something else: what this page remembers
      return memory;
    },
    /** @param {Saved} patch */
    save(patch) {
      memory = { ...this.read(), ...patch };
      if (host.granted && memory.seed) write(host.key, memory); // without: the page or another tab has deleted the record, and so it stays
    },
    /** From now on the visitor may be remembered, with what this page knows already. @param {string} seed */
    remember(seed) {
      if (host.granted) return;
      const known = memory;
      host.granted = true;
      write(host.key, { seed, ...known, ...this.read(), mode: host.config.consent }); // another tab may have been first
      host.seed = this.read().seed ?? seed;
    },
    /** The teaser was sent away: nothing but this fact is kept, and nothing where consent is asked for elsewhere. */
    hush() {
      this.save({ hushed: true });
      if (!host.granted && host.config.consent !== "external") write(host.key, { hushed: true });
    },
    /** Nothing stays, and what is known is known in this page only. */
    rest() {
      const known = this.read();
      this.forget();
      memory = known;
    },
    /** @param {boolean} [here] the record stays: it is not ours any more */
    forget(here) {
      memory = {};
      host.granted = false;
      try {
        if (!here) localStorage.removeItem(host.key);
      } catch {}
    },
  };
}

/** Of what was read only what we may have written: anybody can write there. @param {any} it @returns {Saved} */
function sound(it) {
  const own = Object.entries(it ?? {}).filter(([name, value]) => value != null && value.constructor === KINDS[name]?.constructor);
  const found = Object.fromEntries(own);
  if (found.unsent) found.unsent = found.unsent.filter(whole);
  return found;
}

/** @param {any} it @returns {boolean} whether it is a message that can be sent */
function whole(it) {
  return typeof it?.id === "string" && typeof it.text === "string" && !Number.isNaN(Date.parse(it.at));
}

/** @param {string} key @param {Saved} record */
function write(key, record) {
  try {
    localStorage[key] = JSON.stringify(record);
  } catch {} // full or forbidden: the chat goes on without memory
}
