// The one script that a page loads: one request for the config, the launcher, and a queue for everything that comes later.
// Stores nothing, takes nothing over. Whatever is not needed to draw comes with the first sign of a human (greet.js).
import css from "./launcher.css";

const script = /** @type {HTMLScriptElement} */ (document.currentScript);
const { site = "", mode } = script.dataset;
const server = new URL(script.src).origin;
const METHODS = "open close toggle hide show identify logout set track page reset on consent".split(" ");

// Pages hide what is not defined or is empty: ours is neither. Once it is defined nobody can give it a callback any more.
customElements.get("usher-chat") || customElements.define("usher-chat", class extends HTMLElement {
  disconnectedCallback() {
    /** @type {any} */ (this).lost?.();
  }
});
const frame = document.createElement("usher-chat");
const launcher = document.createElement("button");
frame.append(" ");
let again = ""; // a part that did not come is asked for under another address: browsers remember the failure
/** @type {Promise<any>} */ let ready;
/** @type {Promise<void> | undefined} */ let greeted;

/** @type {Host} */ // the rest of it comes with the config
const host = /** @type {any} */ ({
  script, frame, launcher, server, site, mode, part, call, place, sorry,
  key: "usher:" + site,
  root: frame.attachShadow({ mode: "open" }),
  data: {},
  waiting: [],
  saved: {},
  /** @type {Host["text"]} */
  text: (it = "") => it[host.locale] ?? it[host.config.locale] ?? it,
  /** @type {Host["emit"]} */
  emit(name, detail) {
    document.dispatchEvent(new CustomEvent("usher:" + name, { detail: { site, ...detail } }));
  },
});

begin();

/** Joins the one global. Its methods are those of the page's first tag; each tag has its own in `Usher.sites`. */
function begin() {
  let usher = /** @type {UsherApi} */ (window.Usher);
  if (!usher?.sites) {
    const q = usher?.q ?? [];
    const v = /** @type {any} */ (document.querySelector("script[data-site]"))?.dataset.site ?? site;
    usher = window.Usher = withMethods((/** @type {string} */ name, /** @type {any[]} */ ...args) => {
      const [method, key = v] = name.split(":").reverse(); // `support:open` names its site
      usher.sites[key] ? usher.sites[key](method, ...args) : q.push([name, ...args]);
    });
    Object.assign(usher, { v, q, sites: {} });
  }
  if (usher.sites[site]) return; // the same tag twice
  ready = start();
  usher.sites[site] = withMethods(call);
  if (usher.v === site) usher.ready = ready;
  for (const [name, ...args] of usher.q.splice(0)) usher(name, ...args);
}

/** @param {any} call */
function withMethods(call) {
  for (const name of METHODS) call[name] = call.bind(0, name);
  return call;
}

/** @param {string} name @param {any[]} args */
function call(name, ...args) {
  if (name === "on") return on(args);
  if (/hide|show/.test(name)) launcher.hidden = name === "hide";
  if (/open|toggle|res|log|consent/.test(name)) greet();
  host.waiting.push([name, ...args]);
  host.attend?.();
}

/** @param {any[]} args the name of an event, a function */
function on([name, heard]) {
  if (name === "ready") ready.then(() => heard({ site }));
  else document.addEventListener("usher:" + name, (/** @type {any} */ { detail }) => detail.site === site && heard(detail));
}

/** Asks for the config and draws; never settles where the site has no chat. */
async function start() {
  const answer = await fetch(`${server}/v1/sites/${site}/config`).catch((problem) => problem);
  if (!answer.ok) {
    console.warn("Usher: no chat here.", answer.status ?? answer);
    return new Promise(() => {});
  }
  /** @type {Config} */
  const config = (host.config = await answer.json());
  host.locale = navigator.languages.map((it) => it.slice(0, 2)).find((it) => config.locales.includes(it)) ?? config.locale;
  try {
    host.saved = Object(JSON.parse(localStorage[host.key])); // whatever else is there counts as nothing
  } catch {} // nothing there, or storage is forbidden
  host.seed = host.saved.seed ?? String(Math.random());
  draw(config);
  document.addEventListener("click", pressed);
  window.navigation?.addEventListener("currententrychange", place);
  if (host.saved.open || host.saved.live) call("resume");
  if (mode === "inline") greet();
  for (const sign of ["pointermove", "scroll", "keydown"]) addEventListener(sign, greet, { once: true });
  setTimeout(host.emit, 0, "ready");
}

/** @param {Config} config */
function draw({ brand, traffic }) {
  Object.assign(brand, script.dataset);
  const sheet = new CSSStyleSheet();
  const { position } = brand;
  const beside = document.querySelectorAll(`usher-chat[data-side=${position}]`).length;
  sheet.replaceSync(
    `${css}:host{color-scheme:${brand.scheme};--c:var(--usher-color,${brand.color});--z:var(--usher-z,${brand.z});` +
      `--x:calc(max(var(--usher-x,${brand.x}px),env(safe-area-inset-right)) + ${beside * 76}px);` +
      `--y:max(var(--usher-y,${brand.y}px),env(safe-area-inset-bottom));--side:${position === "left" ? "var(--x) auto" : "auto var(--x)"}}`,
  );
  host.root.adoptedStyleSheets = [sheet];
  frame.dataset.site = site;
  frame.dataset.side = mode ?? position;
  launcher.className = /** @type {any} */ (launcher).part = "launcher";
  launcher.ariaLabel = host.text(brand.launcher);
  launcher.ariaExpanded = "false";
  launcher.hidden ||= !!mode || +host.seed * 100 >= traffic;
  if (!PINNED) launcher.onpointerenter = launcher.onfocus = () => part("panel").catch(greet);
  launcher.onclick = () => call("toggle");
  host.root.append(launcher);
  place();
}

/** Into the page, to be seen where the site's rules allow it. */
function place() {
  if (!frame.isConnected) (document.body ?? document.documentElement).append(frame);
  frame.hidden = !RegExp(host.config.pages, "i").test(location.pathname);
}

function greet() {
  greeted ??= ready
    .then(() => part("greet", PINNED ? PINS.greet : ""))
    .then((it) => it.start(host))
    .catch((problem) => {
      greeted = undefined;
      sorry(problem);
    });
}

/** A file of the chat did not come: who has pressed is told. @param {any} problem */
function sorry(problem) {
  console.warn("Usher:", problem);
  if (!/open|toggle/.test(host.waiting.join())) return;
  const notice = Object.assign(document.createElement("p"), { popover: "auto", role: "alert", textContent: host.text(host.config.sorry) });
  launcher.after(notice);
  notice.showPopover();
}

/** @param {string} name @param {string} [pin] what its integrity must be @returns {Promise<any>} a file of the build */
function part(name, pin = "") {
  const href = server + (PINNED ? `/assets/${name}-${HASH}.js` : host.config.panel.replace("panel", name)) + again;
  if (PINNED) {
    // import() knows no integrity, but gets what a preload of the same address has checked
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", integrity: pin, nonce: script.nonce, href }));
  }
  return import(href).catch((problem) => {
    again += "?";
    throw problem;
  });
}

/** @param {MouseEvent} event */
function pressed(event) {
  const by = event.composedPath().find((it) => /** @type {any} */ (it).matches?.("[data-usher-open]"));
  if (!by) return;
  event.preventDefault();
  call("open", { by });
}
