// What can be known of the page and the device, and when the visitor moves to another page of the same document.

/** @type {PageView[]} */
const views = [];
/** @type {(() => void)[]} */
const movers = [];
let address = route();
let path = location.pathname;
let arrived = 0; // on the clock of performance.now(), which starts with the document

/** @returns {Page} the page as it is now; utm is that of the address the visit began with, unless this one has its own */
export function readPage() {
  const query = Object.fromEntries(new URLSearchParams(location.search));
  const landed = performance.getEntriesByType("navigation")[0]?.name ?? location.href;
  return {
    url: location.href,
    path: location.pathname,
    title: document.title,
    referrer: document.referrer,
    query,
    utm: { ...campaign(Object.fromEntries(new URL(landed).searchParams)), ...campaign(query) },
  };
}

/** @returns {PageView[]} the pages seen in this document, the present one last */
export function readViews() {
  return [...views, { path, seconds: Math.floor(elapsed() / 1000), scroll: scrolled() }];
}

/** Milliseconds since the visitor came to the present page. */
export function elapsed() {
  return performance.now() - arrived;
}

/** @returns {"mobile" | "tablet" | "desktop"} */
export function device() {
  if (!matchMedia("(pointer:coarse)").matches) return "desktop";
  return Math.min(screen.width, screen.height) < 600 ? "mobile" : "tablet";
}

/** The visitor's own habits (12 or 24 hours, order of dates) within a language of the site. @param {string} language */
export function languageTag(language) {
  return navigator.languages.find((it) => it.split("-")[0] === language.split("-")[0]) ?? language;
}

/** How far down the page the visitor is, in percent. */
export function scrolled() {
  return Math.round(((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100);
}

/** Calls back once for each navigation that keeps the document. Nothing is polled. @param {() => void} moved */
export function onMove(moved) {
  if (movers.push(moved) > 1) return; // two sites on one page share the watch
  if (window.navigation) return window.navigation.addEventListener("currententrychange", look);
  for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      look();
    };
  }
  addEventListener("popstate", look);
}

function look() {
  if (address === route()) return;
  views.splice(0, Infinity, ...readViews().slice(-20));
  [address, path, arrived] = [route(), location.pathname, performance.now()];
  for (const moved of movers) moved();
}

/** The address; a fragment counts when it is a router's (`#/plans`), not when it is a place within the page. */
function route() {
  return location.href.replace(/#(?![/!]).*/, "");
}

/** @param {Record<string, string>} query */
function campaign(query) {
  return Object.fromEntries(Object.entries(query).flatMap(([key, value]) => (key.startsWith("utm_") ? [[key.slice(4), value]] : [])));
}
