// A booked meeting: when, with whom, where; into the calendar; to another time, or off.

const CHECK = "M5 12.5l5 5 9-11";
const CROSS = "M7 7l10 10M17 7L7 17";
const CLOCK = "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0z";
const PERSON = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7 8c0-3.5 3-5.5 7-5.500s7 2 7 5.5";
const PIN = "M12 21s7-6 7-11a7 7 0 1 0-14 0c0 5 7 11 7 11zm0-8.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z";
/** @type {Record<string, string>} */
const HEADLINES = { cancelled: "cancelled", rescheduled: "moved", pending: "pending", held: "pending" };

/** @type {Draw<MeetingPart>} */
export function meeting({ meeting: it }, kit) {
  const { t, dom: { el, icon } } = kit;
  const off = it.status === "cancelled";
  const card = el("div.card.meeting", { part: "card", role: "group", ariaLabel: it.name });
  if (off) card.classList.add("off");
  card.append(
    el("div.top", {}, el("span.badge", {}, icon(off ? CROSS : CHECK)),
      el("div", {}, el("strong", {}, t(HEADLINES[it.status] ?? "booked")), el("span", {}, it.name))),
    el("ul", {}, line(CLOCK, times(it, kit)), it.rep?.name && line(PERSON, t("with", { name: it.rep.name })), !off && it.location && line(PIN, place(it.location, kit))),
  );
  if (!off) card.append(calendars(it, kit), changes(it, kit));
  return card;

  /** @param {string} shape @param {string | Node} what */
  function line(shape, what) {
    return el("li", {}, icon(shape), el("span", {}, what));
  }
}

/** @param {Meeting} it @param {Kit} kit */
function times({ start, end }, { tag, zone, dom: { el } }) {
  const day = new Intl.DateTimeFormat(tag, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: zone });
  const hours = new Intl.DateTimeFormat(tag, { hour: "numeric", minute: "2-digit", timeZone: zone, timeZoneName: "short" });
  const both = el("span", {}, el("b", {}, day.format(new Date(start))), el("br"), hours.formatRange(new Date(start), new Date(end)));
  return both;
}

/** @param {string} location @param {Kit} kit */
function place(location, { t, dom: { link } }) {
  return (/^(https?|tel):/.test(location) && link(location, t("join"))) || location;
}

/** @param {Meeting} it @param {Kit} kit */
function calendars({ google_url, outlook_url, ics_url }, { t, server, dom: { el, link } }) {
  const all = { google: google_url, outlook: outlook_url, ics: ics_url };
  const links = Object.entries(all).map(([name, url]) => url && link(new URL(url, server).href, t(name), "pill"));
  return el("div.calendars", { role: "group", ariaLabel: t("add") }, el("small", {}, t("add")), ...links);
}

/** Whether it is really to be cancelled is asked in the conversation, as it is when the visitor writes it. @param {Meeting} it @param {Kit} kit */
function changes({ id }, { t, act, dom: { el } }) {
  const change = (/** @type {string} */ name) =>
    el("button.text", { onclick: () => act(name + "_meeting", t("do_" + name), { meeting: id }) }, t(name));
  return el("div.changes", {}, change("reschedule"), change("cancel"));
}
