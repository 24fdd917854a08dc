// Open times: the suggested ones first, then day by day; more days, other lengths and other zones on demand.
import { zoneLabel, zonePicker } from "./zones.js";

const AHEAD = "7"; // days asked for at a time
const LEFT = "M15 6l-6 6 6 6";
const RIGHT = "M9 6l6 6-6 6";
const GLOBE = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 0c-5 5-5 13 0 18m0-18c5 5 5 13 0 18M3.5 9h17m-17 6h17";

/** @type {Draw<SlotsPart>} */
export function slots(part, kit) {
  const { t, dom: { el } } = kit;
  const meetings = part.meetings ?? [];
  const now = { meeting: part.meeting, days: open(part.days), next: part.next_from, day: 0, all: !part.suggested?.length, zones: false };
  const card = el("div.card.slots", { role: "group", part: "card", ariaLive: "off" });
  if (kit.zone === part.zone) draw();
  else {
    card.append(el("p.none", { role: "status" }, t("loading")));
    reload();
  }
  return card;

  /** @param {string} [focus] selector of what to focus, when the element pressed is gone */
  function draw(focus) {
    const meeting = meetings.find(({ id }) => id === now.meeting) ?? part;
    card.ariaLabel = `${meeting.name}, ${t("minutes", { count: meeting.minutes })}`;
    card.replaceChildren(
      el("div.title", {}, el("strong", {}, meeting.name), meetings.length < 2 && el("span", {}, t("minutes", { count: meeting.minutes })), zone()),
      ...(meetings.length > 1 ? [lengths()] : []),
      now.zones ? zonePicker(kit, zoned, toggleZones) : now.all ? byDay() : suggested(),
      fewer(),
    );
    const target = /** @type {HTMLElement | null} */ (focus && card.querySelector(focus));
    target?.focus();
  }

  function lengths() {
    return el("div.lengths", { role: "group", ariaLabel: t("length") },
      ...meetings.map(({ id, name, minutes }) =>
        el("button", { ariaPressed: String(id === now.meeting), title: name, onclick: () => lengthened(id) }, t("minutes", { count: minutes }))));
  }

  function suggested() {
    const rows = (part.suggested ?? []).map((start, index) =>
      el("button.row", { "data-first": index ? null : "", onclick: () => take(start) },
        el("span", {}, show(start, { weekday: "long", day: "numeric", month: "short" })), el("b", {}, time(start))));
    return el("div.suggested", { role: "group", ariaLabel: t("suggested") }, ...rows,
      (now.days.length > 0 || now.next) && el("button.text", { onclick: all }, t("all")));
  }

  /** All days; where one time alone was proposed, they are still to be fetched. */
  function all() {
    now.all = true;
    if (now.days.length) draw(".days [aria-pressed=true]");
    else more();
  }

  function byDay() {
    const day = now.days[now.day];
    if (!day) return el("p.none", { role: "status" }, t("nothing"), " ", now.next ? el("button.text", { onclick: more }, t("later")) : "");
    const chips = now.days.map(({ slots }, index) =>
      el("button", { ariaPressed: String(index === now.day), onclick: () => turn(index) },
        el("span", {}, show(slots[0], { weekday: "short" })), el("b", {}, show(slots[0], { day: "numeric" })),
        el("span.sr", {}, " " + show(slots[0], { month: "long", year: "numeric" }))));
    const strip = el("div.days", { role: "group", onkeydown: roam }, ...chips);
    setTimeout(() => strip.scrollTo({ left: chips[now.day].offsetLeft - strip.clientWidth / 2 + chips[now.day].offsetWidth / 2 }));
    return el("div.all", {},
      el("div.nav", {}, arrow("earlier", LEFT, now.day === 0, () => turn(now.day - 1)), strip,
        arrow("later", RIGHT, now.day + 1 >= now.days.length && !now.next, () => (now.day + 1 < now.days.length ? turn(now.day + 1) : more()))),
      el("p.date", { ariaLive: "polite" }, show(day.slots[0], { weekday: "long", day: "numeric", month: "long" })),
      el("div.times", { role: "group", ariaLabel: show(day.slots[0], { dateStyle: "full" }), onkeydown: roam },
        ...day.slots.map((start, index) => el("button", { "data-first": index ? null : "", onclick: () => take(start) }, time(start)))));
  }

  /** Which clock the times are on: in sight before the first of them. */
  function zone() {
    return el("button.zone", { ariaExpanded: String(now.zones), onclick: toggleZones },
      kit.dom.icon(GLOBE), el("span.sr", {}, t("zone") + ": "), zoneLabel(kit.zone, kit.tag));
  }

  function fewer() {
    if (now.zones || !now.all || !part.suggested?.length || now.meeting !== part.meeting) return "";
    return el("button.text", { onclick: () => ((now.all = false), draw(".suggested button")) }, t("fewer"));
  }

  /** @param {string} name @param {string} shape @param {boolean} disabled @param {() => void} onclick */
  function arrow(name, shape, disabled, onclick) {
    return el("button.arrow", { ariaLabel: t(name), className: "arrow " + name, disabled, onclick }, kit.dom.icon(shape));
  }

  /** @param {number} day */
  function turn(day) {
    now.day = day;
    draw(".days [aria-pressed=true]");
  }

  function toggleZones() {
    now.zones = !now.zones;
    draw(now.zones ? "input" : ".zone");
  }

  /** @param {string} zone */
  function zoned(zone) {
    kit.zone = zone;
    now.zones = false;
    reload(".zone");
  }

  /** @param {string} id */
  function lengthened(id) {
    now.meeting = id;
    now.all ||= id !== part.meeting;
    reload(".lengths [aria-pressed=true]");
  }

  /** Days are local to a zone: another zone or length means other days. @param {string} [focus] */
  function reload(focus) {
    now.day = 0;
    now.days = [];
    load("", focus);
  }

  function more() {
    const before = now.days.length;
    load(now.next ?? "", ".days [aria-pressed=true]", () => (now.day = Math.min(before, now.days.length - 1)));
  }

  /** @param {string} from a date; empty = today @param {string} [focus] @param {() => void} [then] */
  async function load(from, focus, then) {
    card.ariaBusy = "true";
    try {
      /** @type {Record<string, string>} */
      const query = { meeting: now.meeting, days: AHEAD, zone: kit.zone };
      if (part.pool) query.pool = part.pool;
      if (part.with) query.with = part.with;
      if (from) query.from = from;
      const answer = await kit.slots(query);
      now.days = [...now.days, ...open(answer.days)];
      now.next = answer.next_from;
      then?.();
      draw(focus);
      if (!focus) kit.drawn();
    } catch {
      card.replaceChildren(el("p.none", { role: "alert" }, t("failed"), " ", el("button.text", { onclick: () => load(from, focus, then) }, t("again"))));
    }
    card.ariaBusy = "false";
  }

  /** @param {string} start */
  function take(start) {
    kit.say(show(start, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" }), { slot: start, meeting: now.meeting, ...(kit.zone !== part.zone && { zone: kit.zone }) });
  }

  /** @param {string} start */
  function time(start) {
    return show(start, { hour: "numeric", minute: "2-digit" });
  }

  /** @param {string} start @param {Intl.DateTimeFormatOptions} options */
  function show(start, options) {
    return kit.when(start, kit.tag, { ...options, timeZone: kit.zone });
  }
}

/** @param {Day[]} days */
function open(days) {
  return days.filter(({ slots }) => slots.length);
}

/** Arrow keys go from button to button; up and down by rows. @param {KeyboardEvent} event */
function roam(event) {
  const group = /** @type {HTMLElement} */ (event.currentTarget);
  const all = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("button")]);
  const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
  const columns = all.filter((it) => it.offsetTop === all[0].offsetTop).length;
  const ahead = getComputedStyle(group).direction === "rtl" ? -1 : 1;
  const step = { ArrowRight: ahead, ArrowLeft: -ahead, ArrowDown: columns, ArrowUp: -columns }[event.key];
  if (!step || !all[at + step]) return;
  event.preventDefault();
  all[at + step].focus();
}
