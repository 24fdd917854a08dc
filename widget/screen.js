// The panel on the visitor's screen: on a phone it fills what the keyboard leaves, the page behind does not scroll, Tab stays inside.
import { sheets } from "./dom.js";

/** @param {Host} host @param {HTMLElement} section @param {() => void} close */
export function openScreen(host, section, close) {
  const phone = matchMedia("(max-width: 480px), (max-height: 440px)");
  const [room] = sheets(".panel{}");
  const [lock] = sheets("html,body{overflow:hidden!important;overscroll-behavior:none!important}");
  const rule = /** @type {CSSStyleRule} */ (room.cssRules[0]);
  host.root.adoptedStyleSheets.push(room);
  let scroll = 0;
  const fit = () => {
    const view = visualViewport;
    if (!view) return;
    rule.style.setProperty("--seen", view.height + "px");
    rule.style.setProperty("--from", view.offsetTop + "px");
  };
  section.addEventListener("keydown", keys);
  phone.addEventListener("change", () => !section.hidden && lockPage(phone.matches));
  return { shown, hidden, phone: () => phone.matches };

  function shown() {
    visualViewport?.addEventListener("resize", fit);
    visualViewport?.addEventListener("scroll", fit);
    fit();
    lockPage(phone.matches);
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
    if (on) scroll = scrollY;
    section.ariaModal = on ? "true" : null;
    document.adoptedStyleSheets = on ? [...others, lock] : others;
    if (!on && scrollY !== scroll) scrollTo({ top: scroll, behavior: "instant" });
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    if (event.key === "Escape" && !event.defaultPrevented) {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab" && phone.matches) {
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
