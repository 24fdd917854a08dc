// What is hard to read in the open chat with each of the owner's colours: {"#ffd400 .send": 1.9, …}. Text wants 4.5, the launcher's icon 3 (WCAG 2.2).
(colours) => {
  const root = document.querySelector("usher-chat").shadowRoot, sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [sheet];
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (...layers) => {
    for (const colour of layers) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((it) => (it /= 255) <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const ratio = (text, under) => {
    const [a, b] = [light(...under, text), light(...under)];
    return Math.max(a / b, b / a);
  };
  const behind = (it, over = []) => {  // every stack of colours below an element
    const { backgroundImage, backgroundColor } = getComputedStyle(it);
    const all = backgroundImage.match(/(?:rgba?|oklab|oklch|color)\([^()]*\)/g);
    if (all) return all.map((one) => [one, ...over]);
    const thin = /^rgba|\/ /.test(backgroundColor);
    return thin ? behind(it.parentElement, [backgroundColor, ...over]) : [[backgroundColor, ...over]];
  };
  const seen = {};
  const texts = [".visitor .bubble", ".days [aria-pressed=true] b", ".days [aria-pressed=true] span", ".avatar", ".who h2", ".who p", ".face",
    ".close", ".send", ".times button", ".bot .bubble a", ".source", ".go", ".zone", ".lengths [aria-pressed=true]", ".note"];
  for (const colour of colours) {
    sheet.replaceSync(`usher-chat { --usher-color: ${colour} } usher-chat::part(launcher) { transition: none }`);
    for (const name of texts) {
      const it = root.querySelector(name);
      const least = Math.min(...behind(it).map((under) => ratio(getComputedStyle(it).color, under)));
      if (!(least >= 4.5)) seen[`${colour} ${name}`] = least;
    }
    const launcher = root.querySelector(".launcher");
    const icon = ratio(getComputedStyle(launcher, "::before").backgroundColor, [getComputedStyle(launcher).backgroundColor]);
    if (!(icon >= 3)) seen[`${colour} launcher`] = icon;
  }
  return seen;
}
