// Keeps the newest in view without tearing the reader away from what he reads.
import { el, icon } from "../dom.js";

const NEAR = 80; // px from the end that still count as being there

/** @param {(key: string) => string} t @param {HTMLElement[]} content @param {() => Element | null} anchor what must stay visible at the top */
export function openScroll(t, content, anchor) {
  const inner = el("div", {}, ...content);
  const view = el("div.scroll", { tabIndex: -1 }, inner);
  const jump = el("button.latest", { ariaLabel: t("latest"), hidden: true, onclick: () => follow(true) }, icon("M12 5v14m-6-6l6 6 6-6"));
  let following = true;
  let byHand = 0; // when the reader last scrolled: what we scroll ourselves must not count
  view.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && (following = false), { passive: true });
  for (const sign of ["wheel", "touchmove", "keydown", "pointerdown"])
    view.addEventListener(sign, ({ type, target }) => (/^[wt]/.test(type) || target === view) && (byHand = Date.now()), { passive: true });
  const watch = new ResizeObserver(() => following && follow());
  watch.observe(inner);
  watch.observe(view); // a keyboard or a banner takes room
  view.onscroll = () => {
    const near = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR;
    if (near || Date.now() - byHand < 1000) following = near;
    if (near) jump.hidden = true;
  };
  return { view, jump, follow };

  /** @param {boolean} [always] even when the reader is further up */
  function follow(always = false) {
    if (!always && !following) return void (jump.hidden = false);
    const end = view.scrollHeight - view.clientHeight;
    const top = /** @type {HTMLElement | null} */ (anchor())?.offsetTop ?? end;
    view.scrollTo({ top: always ? end : Math.min(end, top - 8) });
    following = true;
    jump.hidden = true;
  }
}
