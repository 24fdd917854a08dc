// The panel on the visitor's screen: on a phone it fills what the keyboard leaves, the page behind does not scroll, Tab stays inside,
// and the back button closes it. An inline panel (class `inline`) lies in the page like anything else and does none of this.
import { sheets } from "./dom.js";

/** @param {Host} host @param {HTMLElement} section @param {() => void} close */
export function openScreen(host, section, close) {
  const small = matchMedia("(max-width: 480px), (max-height: 440px)");
  const inline = section.classList.contains("inline");
  const phone = () => small.matches && !inline;
  const [room] = sheets(".panel{}");
  const [lock] = sheets("html,body{overflow:hidden!important;overscroll-behavior:none!important}");
  const rule = /** @type {CSSStyleRule} */ (room.cssRules[0]);
  host.root.adoptedStyleSheets.push(room);
  let place = [0, 0]; // where the page was scrolled to
  /** @type {CloseWatcher | undefined} */ let back;
  const fit = () => {
    const view = visualViewport;
    if (!view) return;
    const { currentCSSZoom: zoom = 1 } = /** @type {any} */ (section); // that the page gives itself
    rule.style.setProperty("--seen", view.height / zoom + "px");
    rule.style.setProperty("--from", view.offsetTop / zoom + "px");
  };
  section.addEventListener("keydown", keys);
  small.addEventListener("change", () => !section.hidden && lockPage(phone()));
  return { shown, hidden, phone };

  function shown() {
    visualViewport?.addEventListener("resize", fit);
    visualViewport?.addEventListener("scroll", fit);
    fit();
    lockPage(phone());
  }

  function hidden() {
    visualViewport?.removeEventListener("resize", fit);
    visualViewport?.removeEventListener("scroll", fit);
    lockPage(false);
  }

  /** @param {boolean} on */
  function lockPage(on) {
    const others = document.adoptedStyleSheets.filter((it) => it !== lock);
    const was = others.length < document.adoptedStyleSheets.length;
    if (on === was) return;
    if (on) place = [scrollX, scrollY];
    section.ariaModal = on ? "true" : null;
    document.adoptedStyleSheets = on ? [...others, lock] : others;
    const [left, top] = place;
    if (!on && (scrollX !== left || scrollY !== top)) scrollTo({ left, top, behavior: "instant" });
    back?.destroy();
    back = on && window.CloseWatcher ? new CloseWatcher() : undefined; // the way of browsers that leaves the page's history alone
    if (back) back.onclose = close;
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    if (event.key === "Escape" && !event.defaultPrevented && !inline) {
      event.preventDefault();
      close();
    } else if (event.key === "Tab" && phone()) {
      const stops = /** @type {HTMLElement[]} */ ([...section.querySelectorAll("button,a[href],input,textarea,select")]).filter(
        (it) => it.checkVisibility() && !(/** @type {any} */ (it).disabled),
      );
      const [last, first] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
      if (host.root.activeElement === last) {
        event.preventDefault();
        first?.focus();
      }
    }
  }
}
