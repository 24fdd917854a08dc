// Something worth reading or downloading: a card with a link. Stays in the thread.

/** @type {Draw<OfferPart>} */
export function offer({ title, url, text, image }, { t, dom: { el, icon, link, safeUrl } }) {
  const picture = image && safeUrl(image);
  const go = link(url, el("span", {}, t("open"), icon("M7 17L17 7M9 7h8v8")), "go");
  return el("div.card.offer", { part: "card" },
    picture && el("img", { src: picture.href, alt: "", loading: "lazy", onerror: (/** @type {any} */ { target }) => target.remove() }),
    el("strong", {}, title),
    text && el("p", {}, text),
    go);
}
