// The page's rules: which playbook is for this page and this visitor, and when it shows a teaser or opens by itself.
// Comes with the first sign of a human; judged again after each navigation. Carries out what the page asks for (calls.js).
import css from "./greet.css";
import { openCalls } from "./calls.js";
import { openOnce } from "./once.js";
import { device, elapsed, languageTag, onMove, readPage, readViews, scrolled } from "./page.js";
import { inTraffic, judge, truth } from "./rules.js";
import { openStore } from "./store.js";

const HALF_HOUR = 18e5;

/** @param {Host} host */
export function start(host) {
  const { config, frame, root, launcher, mode } = host;
  const { saved } = host;
  host.granted = !!saved.seed && (config.consent !== "external" || saved.mode === config.consent);
  const store = openStore(host);
  if (saved.seed && !host.granted) {
    store.forget(); // from before consent was asked for elsewhere
    host.seed = String(Math.random());
  }
  /** @type {Set<string>} playbooks that had their moment */
  const shown = new Set();
  let watch = new AbortController();
  /** @type {HTMLElement | undefined} */ let teaser;
  const discreet = !!navigator.globalPrivacyControl || navigator.doNotTrack === "1";
  /** @type {Greeter} */
  const greeter = (host.greeter = { store, once: openOnce(host, store), discreet, tag: languageTag(host.locale), page: readPage, views: readViews, device, tease });
  root.adoptedStyleSheets.push(sheet(css));
  launcher.ariaHasPopup = "dialog";
  stay();
  count();
  host.judge = judgePage;
  onMove(() => {
    host.place();
    host.settle?.();
    judgePage();
    greeter.moved?.();
  });
  judgePage();
  openCalls(host, store);
  if (mode === "inline") host.part("inline", PINS.inline).then((it) => it.start(host));

  /** Applications swap their bodies and empty their elements: ours goes back to where it belongs. */
  function stay() {
    frame.lost = () => setTimeout(() => frame.dispatchEvent(new Event("lost")));
    frame.addEventListener("lost", host.place);
  }

  /** A visit ends after half an hour; without consent nothing is counted. */
  function count() {
    host.granted ||= config.consent === "none" && !discreet;
    const { visits = 0, last = 0 } = store.read();
    const now = Date.now();
    const isNew = now - last > HALF_HOUR;
    if (config.ahead && isNew && host.granted && !discreet) {
      fetch(`${host.server}/v1/sites/${config.site}/arrivals`, { method: "POST", keepalive: true }).catch(() => {});
    }
    store.save({ seed: host.seed, last: now, ...(!discreet && { visits: visits + (isNew ? 1 : 0) }) });
  }

  /** Finds the playbook of the page as it is now, and waits for its moment. */
  function judgePage() {
    const views = readViews();
    const { visits = 1 } = store.read();
    const known = {
      page: readPage(), data: host.data, locale: greeter.tag, device: device(),
      visit: { count: visits, returning: visits > 1, pages_seen: views.length, seconds_on_page: views.at(-1)?.seconds },
    };
    watch.abort();
    tease("");
    greeter.playbook = config.playbooks.find((it) => {
      const out = it.display?.open === false || !inTraffic(host.seed, it.id, it.traffic);
      const answer = !out && truth(judge(it.if ?? true, known));
      if (answer) wait(it);
      return answer !== false;
    });
  }

  /** @param {Playbook} playbook */
  function wait({ id, display = {}, opening }) {
    const { after, scroll, exit, show } = display;
    const { hushed, token, who } = store.read();
    if (frame.hidden || launcher.hidden || launcher.ariaExpanded === "true" || hushed || token || who || show === "quiet" || shown.has(id)) return;
    const { signal } = (watch = new AbortController());
    const fire = () => {
      watch.abort();
      shown.add(id);
      if (launcher.ariaExpanded === "true") return; // opened meanwhile: there is nothing to invite to
      if (show === "open" && device() === "desktop") host.call("open", { focus: false, self: true });
      else tease(host.text(opening));
    };
    const seconds = after ?? (scroll == null && !exit ? 0 : undefined);
    const timer = seconds != null && setTimeout(fire, Math.max(0, seconds * 1000 - elapsed()));
    signal.onabort = () => clearTimeout(+timer);
    const scrolling = () => scroll != null && scrolled() >= scroll && fire();
    const leaving = (/** @type {MouseEvent} */ event) => !event.relatedTarget && event.clientY <= 0 && fire();
    addEventListener("scroll", scrolling, { passive: true, signal });
    if (exit) document.addEventListener("mouseout", leaving, { signal });
    scrolling();
  }

  /** A bubble above the launcher; an empty text takes it away. @param {string} text */
  function tease(text) {
    teaser?.remove();
    if (!text) return;
    teaser = document.createElement("div");
    teaser.className = "teaser";
    teaser.setAttribute("part", "teaser");
    const say = document.createElement("button");
    const dismiss = document.createElement("button");
    say.textContent = text.replaceAll("**", "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    say.onclick = () => host.call("open");
    dismiss.ariaLabel = dismiss.textContent = "✕";
    dismiss.onclick = () => {
      tease("");
      launcher.focus();
      store.hush();
    };
    teaser.append(say, dismiss);
    launcher.before(teaser);
  }
}

/** @param {string} text */
function sheet(text) {
  const it = new CSSStyleSheet();
  it.replaceSync(text);
  return it;
}
