// The one script that a page loads: one request for the config, the launcher, and a queue for everything that comes later.
// Stores nothing, takes nothing over. The page's rules (greet.js) come with the first sign of a human, the chat (panel.js) on demand.
import css from "./launcher.css";

const { dataset, src } = /** @type {HTMLScriptElement} */ (document.currentScript);
const server = new URL(src).origin;
const frame = document.createElement("usher-chat");
/** @type {Promise<any>} */ let ready;
/** @type {Promise<void> | undefined} */ let greeted;
/** @type {Promise<Panel> | undefined} */ let panel;

/** @type {Host} */
const host = {
  frame, server,
  key: "usher:" + dataset.site,
  locale: "",
  seed: "",
  granted: false,
  config: /** @type {any} */ (null),
  root: frame.attachShadow({ mode: "open" }),
  launcher: document.createElement("button"),
  data: {},
  waiting: [],
  saved: {},
  text: (it = "") => it[host.locale] ?? it[host.config.locale] ?? it,
  emit: (name, detail) => document.dispatchEvent(new CustomEvent("usher:" + name, { detail })),
  load,
  inTraffic(name, percent = 100) {
    let hash = 0x811c9dc5; // FNV-1a, 32 bits
    for (const letter of host.seed + ":" + name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
    return (hash >>> 0) % 100 < percent;
  },
};

/** @type {Record<string, (...args: any) => any>} the calls that need no panel */
const own = {
  set(values) {
    Object.assign(host.data, values);
    host.judge?.();
  },
  page: () => host.judge?.(),
  consent: (given) => given === host.granted || load("consent", given),
  on: (name, heard) => (name === "ready" ? ready.then(heard) : document.addEventListener("usher:" + name, (/** @type {any} */ it) => heard(it.detail))),
};

if (!window.Usher?.v) begin(window.Usher?.q ?? []);

/** @param {any[][]} queue calls made before this script arrived */
function begin(queue) {
  /** @param {string} name @param {any[]} args */
  const call = (name, ...args) =>
    own[name] ? own[name](...args) : panel || /open|toggle|reset/.test(name) ? load(name, ...args) : host.waiting.push([name, args]);
  ready = start();
  const api = /** @type {UsherApi} */ (window.Usher = Object.assign(call, { v: dataset.site, ready }));
  for (const name of "open close toggle identify set track page reset on consent".split(" ")) api[name] = call.bind(0, name);
  for (const [name, ...args] of queue) call(name, ...args);
}

/** Asks for the config and draws; never settles where the site has no chat. */
async function start() {
  const answer = await fetch(`${server}/v1/sites/${dataset.site}/config`).catch((problem) => problem);
  if (!answer.ok) {
    console.warn("Usher: no chat on this page.", answer.status ?? answer);
    return new Promise(() => {});
  }
  /** @type {Config} */
  const config = (host.config = await answer.json());
  host.locale = navigator.languages.map((it) => it.slice(0, 2)).find((it) => config.locales.includes(it)) ?? config.locale;
  try {
    host.saved = JSON.parse(localStorage[host.key]);
  } catch {} // nothing there, or storage is forbidden
  host.granted = !!host.saved.seed;
  host.seed = host.saved.seed ?? Math.random().toString(36);
  draw(config);
  document.addEventListener("click", pressed);
  if (host.saved.open || host.saved.live) load("resume");
  if (config.playbooks.some((it) => it.display?.show !== "quiet")) {
    for (const sign of ["pointermove", "scroll", "keydown"]) addEventListener(sign, greet, { once: true, passive: true });
    setTimeout(greet, Math.max(2, Math.min(...config.playbooks.map((it) => it.display?.after ?? 2))) * 1000);
  }
  setTimeout(host.emit, 0, "ready");
}

/** @param {Config} config */
function draw({ brand, traffic }) {
  const { launcher, root, text } = host;
  const sheet = new CSSStyleSheet();
  const side = (dataset.position ?? brand.position) === "left" ? "var(--x) auto" : "auto var(--x)";
  sheet.replaceSync(`${css}:host{--c:var(--usher-color,${brand.color});--side:${side}}`);
  root.adoptedStyleSheets = [sheet];
  launcher.className = "launcher";
  launcher.ariaLabel = text(brand.launcher);
  launcher.ariaExpanded = "false";
  launcher.hidden = "hidden" in dataset || !host.inTraffic("site", traffic);
  launcher.onpointerenter = launcher.onfocus = () => part("panel");
  launcher.onclick = () => load("toggle");
  root.append(launcher);
  (document.body ?? document.documentElement).append(frame);
}

function greet() {
  return (greeted ??= part("greet").then((it) => it.start(host)));
}

/** @param {string} name a call to make once the panel is there @param {any[]} args */
async function load(name, ...args) {
  await ready;
  panel ??= Promise.all([part("panel"), greet()]).then(([it]) => it.start(host));
  return /** @type {any} */ (await panel)[name](...args);
}

/** @param {string} name */
function part(name) {
  return import(server + host.config.panel.replace("panel", name));
}

/** @param {MouseEvent} event */
function pressed(event) {
  const by = /** @type {Element} */ (event.target).closest("[data-usher-open]");
  if (!by) return;
  event.preventDefault();
  load("open", { by, playbook: by.getAttribute("data-usher-open") });
}
