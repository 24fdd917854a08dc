// What the page may ask for: carried out in order; the chat's code is fetched by the first call that needs it.

/** @param {Host} host @param {Greeter["store"]} store */
export function openCalls(host, store) {
  const { launcher, site, mode } = host;
  let there = false; // is the chat's code?
  /** @type {Promise<Panel> | undefined} */ let panel;
  /** @type {[string, ...any][]} what can wait until there is a chat */
  const later = [];
  /** @type {Record<string, (...args: any) => void>} */
  const own = { set, page, consent, hide, show: page };
  host.attend = attend;
  document.addEventListener("usher:opened", another);
  for (const sign of ["pointerenter", "focus"]) launcher.addEventListener(sign, warm, { once: true });
  attend();

  /** Who points at the launcher may press it. */
  function warm() {
    host.part("panel", PINS.panel).catch(() => {});
  }

  function attend() {
    for (const [name, ...args] of host.waiting.splice(0)) {
      if (own[name]) own[name](...args);
      else if (panel || /^(open|toggle|reset|logout|resume)$/.test(name)) load(name, args);
      else later.push([name, ...args]);
    }
  }

  /** @param {string} name @param {any[]} args */
  async function load(name, args) {
    if (name === "open" && args[0]?.by && !meant(args[0])) return;
    try {
      if (!there && name === "toggle") name = "open"; // pressed again while it is on its way
      launcher.ariaBusy = String(!there && name === "open");
      const it = /** @type {any} */ (await (panel ??= host.part("panel", PINS.panel).then((file) => file.start(host))));
      there = true;
      for (const old of host.root.querySelectorAll("[popover]")) old.remove();
      for (const [earlier, ...its] of later.splice(0)) it[earlier]?.(...its);
      if (it[name]) it[name](...args);
      else console.warn(`Usher: there is no call "${name}".`);
    } catch (problem) {
      panel = undefined; // the next press asks again
      if (!args[0]?.self) host.waiting.push([name, ...args]);
      host.sorry(problem);
    }
    launcher.ariaBusy = "false";
  }

  /** An element of the page was pressed: which playbook does it name, and is it for this site? @param {Opening} how */
  function meant(how) {
    const by = /** @type {Element} */ (how.by);
    how.playbook = by.getAttribute("data-usher-open");
    return (by.getAttribute("data-usher-site") ?? window.Usher?.v) === site;
  }

  /** @param {Record<string, Value>} values */
  function set(values) {
    Object.assign(host.data, values);
    page();
  }

  function page() {
    host.place();
    host.settle?.();
    host.judge?.();
  }

  /** @param {boolean} given */
  function consent(given) {
    if (given === host.granted) return;
    if (panel || store.read().token) load("consent", [given]); // the server hears of it
    else if (given) store.remember(host.seed);
    else store.forget();
  }

  function hide() {
    host.greeter?.tease("");
    if (panel) load("close", []);
  }

  /** Of two chats on one page one is open. @param {any} event */
  function another({ detail }) {
    if (panel && !mode && !detail.mode && detail.site !== site) load("close", []);
  }
}
