// The one record in localStorage, "usher:<site key>", written only when the visitor may be remembered. No cookies.

/** @param {Host} host */
export function openStore(host) {
  let memory = host.saved;
  return {
    /** @returns {Saved} the record as it is now: another tab may have written to it */
    read() {
      try {
        if (host.granted) memory = JSON.parse(localStorage[host.key] ?? "{}");
      } catch {} // storage is forbidden or holds something else: what this page remembers
      return memory;
    },
    /** @param {Saved} patch */
    save(patch) {
      memory = { ...this.read(), ...patch };
      if (host.granted) write(host.key, memory);
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
    /** Nothing more is written, and what is known is known in this page only. */
    rest() {
      this.read();
      host.granted = false;
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

/** @param {string} key @param {Saved} record */
function write(key, record) {
  try {
    localStorage[key] = JSON.stringify(record);
  } catch {} // full or forbidden: the chat goes on without memory
}
