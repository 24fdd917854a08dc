// Time zones: what one is called, and a list to search and choose from (a combobox as in the ARIA Authoring Practices).

const MOST = 40; // shown at once

/** @param {string} zone IANA name @param {string} tag @returns {string} "Berlin (GMT+1)" */
export function zoneLabel(zone, tag) {
  const parts = new Intl.DateTimeFormat(tag, { timeZone: zone, timeZoneName: "shortOffset" }).formatToParts(new Date());
  const offset = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  return `${city(zone)} (${offset})`;
}

/**
 * @param {Kit} kit
 * @param {(zone: string) => void} chosen
 * @param {() => void} left without a choice
 */
export function zonePicker({ t, tag, zone: current, dom: { el } }, chosen, left) {
  const zones = Intl.supportedValuesOf("timeZone");
  const list = el("div.options", { role: "listbox", id: "zones", ariaLabel: t("zone") });
  const field = el("input", {
    type: "text", role: "combobox", placeholder: t("find"), ariaLabel: t("find"), ariaExpanded: "true", ariaAutoComplete: "list",
    "aria-controls": "zones", autocomplete: "off", spellcheck: false, oninput: filter, onkeydown: keys,
  });
  let at = 0;
  filter();
  return el("div.zones", {}, field, list);

  function filter() {
    const words = plain(field.value).split(/[\s/]+/);
    const found = zones.filter((zone) => words.every((word) => plain(zone).includes(word)));
    found.sort((a, b) => +(b === current) - +(a === current) || +plain(city(b)).startsWith(words[0]) - +plain(city(a)).startsWith(words[0]));
    list.replaceChildren(...found.slice(0, MOST).map(option));
    if (!found.length) list.append(el("p", {}, t("nozone")));
    at = 0;
    mark();
  }

  /** @param {string} zone @param {number} index */
  function option(zone, index) {
    return el("div.option", { role: "option", id: "zone" + index, ariaSelected: String(zone === current), onclick: () => chosen(zone), "data-zone": zone },
      el("span", {}, zoneLabel(zone, tag)), el("small", {}, zone.split("/")[0].replaceAll("_", " ")));
  }

  function mark() {
    for (const [index, it] of [...list.children].entries()) it.classList.toggle("at", index === at);
    const active = list.children[at];
    if (active?.id) field.setAttribute("aria-activedescendant", active.id);
    else field.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  function keys(event) {
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step) at = Math.max(0, Math.min(list.children.length - 1, at + step));
    else if (key === "Enter") /** @type {HTMLElement | undefined} */ (list.children[at])?.click();
    else if (key === "Escape") left();
    else return;
    event.preventDefault();
    if (step) mark();
  }
}

/** @param {string} zone */
function city(zone) {
  return (zone.split("/").pop() ?? zone).replaceAll("_", " ");
}

/** @param {string} text */
function plain(text) {
  return text.toLowerCase().replaceAll("_", " ").normalize("NFD").replace(/\p{M}/gu, "");
}
