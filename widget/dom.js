// Builds elements. Text only ever becomes text nodes: there is no way from a message to markup other than rich().

const SVG = "http://www.w3.org/2000/svg";
const SAFE = /^(https?|mailto|tel):$/;
const MARKUP = /\*\*(.+?)\*\*|\[([^\]]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/g;

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T | `${T}.${string}`} name a tag and its classes, as in a selector
 * @param {Record<string, any>} [props] on… = listeners, aria… and others that exist = properties, the rest = attributes
 * @param {(Node | string | null | undefined | false)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(name, props = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const it = /** @type {any} */ (document.createElement(tag));
  if (classes[0]) it.className = classes.join(" ");
  if (tag === "button") it.type = "button";
  for (const [key, value] of Object.entries(props)) {
    if (value == null) continue;
    if (key in it) it[key] = value;
    else it.setAttribute(key, value);
  }
  it.append(...children.filter((child) => child != null && child !== false));
  return it;
}

/** @param {string} d a path on a 24 by 24 grid, drawn as a line */
export function icon(d) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}

/** `**bold**`, `[title](https://…)`, bare addresses and line breaks; everything else is what it looks like. @param {string} text */
export function rich(text) {
  const out = document.createDocumentFragment();
  let from = 0;
  for (const found of text.matchAll(MARKUP)) {
    const [whole, bold, title, url, bare] = found;
    out.append(text.slice(from, found.index));
    out.append(bold ? el("strong", {}, bold) : link(url ?? bare, title ?? bare) ?? whole);
    from = found.index + whole.length;
  }
  out.append(text.slice(from));
  return out;
}

/** @param {string} url @param {string | Node} title @returns {HTMLAnchorElement | null} null when the address is not one to follow */
export function link(url, title, className = "") {
  const to = safeUrl(url);
  if (!to) return null;
  const away = to.origin !== location.origin;
  return el("a", { href: to.href, rel: "noopener", className: className || null, target: away ? "_blank" : null }, title);
}

/** @param {string | undefined} url */
export function safeUrl(url) {
  try {
    const to = new URL(url ?? "", location.href);
    return SAFE.test(to.protocol) ? to : null;
  } catch {
    return null;
  }
}

/** Without what a server cannot take: NUL and halves of surrogates, which come with what is pasted. @param {string} text */
export function clean(text) {
  return text.replace(/[\0\ud800-\udfff]/gu, "").trim();
}

/** @param {...string} texts */
export function sheets(...texts) {
  return texts.map((text) => {
    const it = new CSSStyleSheet();
    it.replaceSync(text);
    return it;
  });
}
