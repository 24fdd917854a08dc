// The chat as a part of the page: it lies in an element that the page names, or where the tag stands. Always open; there is
// no connection and no record until the visitor touches it.
import css from "./inline.css";

const LOW = 200; // px
const PATIENCE = 10_000; // ms: so long after a navigation an application may take to draw its element

/** @param {Host} host */
export function start(host) {
  const { frame, root, script } = host;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets.push(sheet);
  const seen = new IntersectionObserver((entries) => entries.some((it) => it.isIntersecting) && show(), { rootMargin: "300px" });
  const drawn = new MutationObserver(settle);
  let patience = 0;
  host.settle = look;
  frame.addEventListener("lost", look);
  look();

  /** Is the element there? Else wait for it, but not for ever. */
  function look() {
    if (settle()) return;
    clearTimeout(patience);
    patience = +setTimeout(() => drawn.disconnect(), PATIENCE);
    drawn.observe(document, { childList: true, subtree: true });
  }

  function settle() {
    const { target } = script.dataset;
    const place = target ? document.querySelector(target) : script.isConnected && script.parentElement;
    if (!place) {
      delete frame.dataset.placed;
      return false;
    }
    drawn.disconnect();
    if (frame.parentElement !== place || frame.dataset.placed == null) {
      frame.dataset.placed = target && place.clientHeight > LOW ? "high" : "low"; // an element without a height of its own gets ours
      target ? place.append(frame) : script.after(frame);
    }
    seen.observe(frame);
    return true;
  }

  function show() {
    seen.disconnect();
    host.call("open", { focus: false, self: !host.greeter?.store.read().token, again: true });
  }
}
