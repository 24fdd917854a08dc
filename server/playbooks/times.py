"""Open times in the chat: which are offered, how they are grouped, what fits a typed wish, how a moment is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from plugins.ai import Shift, TimeWish
from server import clock
from server.booking import service as booking
from server.booking.schema import Meetings
from server.config.zones import is_zone
from server.conversations.frames import moment as stamp
from server.errors import Invalid, NotFound
from server.playbooks import shifts, whose
from server.playbooks import wishes as wished
from server.playbooks.whose import LOOK_AHEAD

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

DAYS_SHOWN = 4
DAYS_WISHED = 7  # shown, where the visitor has said which
MOST_LOOKED_AT = 400  # open times, when wishes are matched against them
SUGGESTED = 3
AWAKE = (7, 21)  # hours of the visitor's day from which times are suggested
GOOD_FOR = timedelta(minutes=15)  # what was offered is offered again without looking


@dataclass(frozen=True)
class Ask:
    """What to offer: times that fit `wishes`, from the local date `after` on, `near` first where a time was lost, or
    others than those on offer (`shift`), or `only` one that seems to be meant."""

    wishes: Sequence[TimeWish] = ()
    after: str | None = None
    near: Sequence[datetime] = ()
    shift: Shift = Shift.NONE
    only: datetime | None = None


ANY = Ask()


def offer(turn: Turn, choices: Sequence[str], text: str, ask: Ask = ANY) -> bool:
    """Say `text` with open times of the meeting in `step`: what `ask` asks for, else the nearest. False: none."""
    day = date.fromisoformat(ask.after) if ask.after else wished.first_day(ask.wishes)
    found = _open_times(turn, _morning(turn, day)) or (_open_times(turn, clock.now()) if day else [])
    if not found:
        return False
    fit = wished.fitting(found, ask.wishes, turn.zone) if ask.wishes else found
    fit = [one for one in found if one == ask.only] or fit
    if ask.shift:
        text, fit = _shifted(turn, ask.shift, found, text)
    elif ask.wishes and not fit:
        text, fit = turn.word("no_wished_times"), wished.nearest(found, ask.wishes, turn.zone, 6)
    elif _is_one(ask, fit):
        text = turn.word("one_time", when=local(turn, fit[0]))
    elif ask.wishes:
        text = text or turn.word("wished_times")
    _show(turn, choices, text, fit, ask, found[0])
    return True


def offer_again(turn: Turn, choices: Sequence[str], text: str) -> bool:
    """Say `text` with the times that were offered before, if no calendar has changed since. False: look anew."""
    step, now = turn.memory.step, clock.now()
    offered = [at for one in step.get("offered", ()) if (at := moment(one))]
    good = moment(step.get("good_until"))
    if not offered or not good or now >= good or not step.get("mark") or step["mark"] != _mark(turn):
        return False
    suggested, days = offered[: step["first"]], sorted(set(offered))
    turn.say(text, part=_part(turn, choices, days if step["listed"] else [], suggested, step["next_from"]))
    return True


def exists(turn: Turn, meeting: str) -> bool:
    """Is it a meeting of meetings.yml?"""
    return meeting in turn.version.part(Meetings).by_id


def usual(turn: Turn) -> str:
    """The meeting to offer where no playbook names one: the first of meetings.yml, "" when there is none."""
    return next(iter(turn.version.part(Meetings).by_id), "")


def moment(told_by_browser: Any) -> datetime | None:
    """A start as the protocol writes it; None for anything else."""
    if not isinstance(told_by_browser, str) or len(told_by_browser) > 40:
        return None
    try:
        at = datetime.fromisoformat(told_by_browser)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def local(turn: Turn, at: datetime) -> str:
    """A moment as the visitor reads it: "Monday, 2 March 2026, 10:00"."""
    language = _language(turn.locale)
    there = at.astimezone(ZoneInfo(turn.zone))
    hour = format_time(there, "short", tzinfo=there.tzinfo, locale=language)
    return f"{format_date(there.date(), 'full', language)}, {hour}"


def look_at_clock(turn: Turn, zone: Any) -> None:
    """The visitor has chosen another time zone: what is said from now on is on that clock."""
    if isinstance(zone, str) and zone != turn.zone and is_zone(zone):
        turn.changes["zone"] = zone


def _is_one(ask: Ask, fit: Sequence[datetime]) -> bool:
    """Is there one time that is asked for, so that one button will do?"""
    return len(fit) == 1 and bool(ask.wishes or ask.only)


def _show(turn: Turn, choices: Sequence[str], text: str, fit: Sequence[datetime], ask: Ask, nearest: datetime) -> None:
    """Say it, and remember what is on offer: "the second one" and "earlier" mean these."""
    days = _by_day(fit, turn.zone)
    most = DAYS_WISHED if ask.wishes else DAYS_SHOWN
    shown = [start for _, of_day in days[:most] for start in of_day]
    rest = days[most][0].isoformat() if len(days) > most else None
    alone = _is_one(ask, fit)
    if alone:  # one button; all the others are behind "more times"
        rest = nearest.astimezone(ZoneInfo(turn.zone)).date().isoformat()
    suggested = list(ask.near) or _spread(shown if ask.wishes else _by_daylight(shown, turn.zone))
    turn.memory.step |= {
        "offered": list(dict.fromkeys(stamp(one) for one in [*suggested, *shown])),
        "first": len(suggested),
        "listed": not alone,
        "next_from": rest,
        "mark": _mark(turn),
        "good_until": stamp(min(clock.now() + GOOD_FOR, min([*suggested, *shown]) - _notice(turn))),
        "wishes": turn.memory.step.get("wishes", []) if ask.shift else [wished.as_json(one) for one in ask.wishes],
    }
    turn.say(text, part=_part(turn, choices, [] if alone else shown, suggested, rest))


def _shifted(turn: Turn, shift: Shift, found: Sequence[datetime], text: str) -> tuple[str, Sequence[datetime]]:
    """Others than those on offer: earlier, later, on another day; said honestly where there are none."""
    step = turn.memory.step
    offered = [at for one in step.get("offered", ()) if (at := moment(one))]
    kept = [wished.of_json(one) for one in step.get("wishes", ())]
    fit = shifts.shifted(shift, found, offered, step.get("first", 0), turn.zone)
    hours = [replace(one, first=None, last=None, weekdays=()) for one in kept if not one.negated]
    fit = (wished.fitting(fit, hours, turn.zone) if shift is Shift.OTHER_DAY else fit) or fit
    if fit:
        return text or turn.word("other_times"), fit
    return turn.word(f"none_{shift.value}"), found if shift is Shift.EARLIER else shifts.last_days(found, turn.zone)


def _mark(turn: Turn) -> str:
    try:
        return whose.mark(turn.look, turn.version, whose.of(turn), turn.memory.step["meeting"])
    except (Invalid, NotFound):
        return ""


def _notice(turn: Turn) -> timedelta:
    return timedelta(minutes=turn.version.part(Meetings).by_id[turn.memory.step["meeting"]].notice_minutes)


def _open_times(turn: Turn, start: datetime) -> Sequence[datetime]:
    meeting = turn.memory.step["meeting"]
    if not exists(turn, meeting):
        return ()
    who = whose.of(turn)
    try:
        found = whose.starts(
            turn.tx,
            turn.version,
            who,
            meeting=meeting,
            start=start,
            end=start + LOOK_AHEAD,
            zone=turn.zone,
            limit=MOST_LOOKED_AT,
        )
        now_at = booking.get(turn.tx, who.moves).start_at if who.moves else None
    except (Invalid, NotFound):  # nobody to meet: no pool at all, or a rep who has left
        return ()
    return [one for one in found.starts if one != now_at]


def _part(
    turn: Turn,
    choices: Sequence[str],
    starts: Sequence[datetime],
    suggested: Sequence[datetime],
    next_from: str | None,
) -> dict[str, Any]:
    """The `slots` part of docs/protocol.md."""
    types, who = turn.version.part(Meetings).by_id, whose.of(turn)
    meeting = types[turn.memory.step["meeting"]]
    return {
        "kind": "slots",
        "meeting": meeting.id,
        "name": meeting.named(turn.locale),
        "minutes": meeting.duration_minutes,
        "zone": turn.zone,
        "pool": who.pool,
        "with": who.token(turn.version.site_id),
        "meetings": [
            {"id": one, "name": types[one].named(turn.locale), "minutes": types[one].duration_minutes}
            for one in choices
            if one in types
        ],
        "suggested": [stamp(one) for one in suggested],
        "days": [
            {"date": day.isoformat(), "slots": [stamp(one) for one in of_day]}
            for day, of_day in _by_day(starts, turn.zone)
        ],
        "next_from": next_from,
    }


def _by_daylight(starts: Sequence[datetime], zone: str) -> Sequence[datetime]:
    """Those at an hour at which the visitor is up, where there are enough: reps may sit far away."""
    up = [one for one in starts if AWAKE[0] <= one.astimezone(ZoneInfo(zone)).hour < AWAKE[1]]
    return up if len(up) >= SUGGESTED else starts


def _spread(starts: Sequence[datetime]) -> list[datetime]:
    """Three near times that are not next to each other, in order: the first, one some hours later, one of another day;
    where only one day is open, three of it."""
    if not starts:
        return []
    first = starts[0]
    later = next((one for one in starts if one - first >= timedelta(hours=2)), None)
    other = next((one for one in starts if one - first >= timedelta(hours=16)), None)
    near = [first, *(one for one in (later, other) if one is not None)]
    near += [one for one in starts if one - near[-1] >= timedelta(hours=2)]
    return sorted(list(dict.fromkeys([*near, *starts]))[:SUGGESTED])


def _by_day(starts: Sequence[datetime], zone: str) -> list[tuple[date, list[datetime]]]:
    days: dict[date, list[datetime]] = {}
    for start in starts:
        days.setdefault(start.astimezone(ZoneInfo(zone)).date(), []).append(start)
    return sorted(days.items())


def _morning(turn: Turn, day: date | None) -> datetime:
    """Midnight of a date on the visitor's clock; now, when no date is asked for or it is past."""
    if day is None:
        return clock.now()
    return max(clock.now(), datetime.combine(day, time(), ZoneInfo(turn.zone)).astimezone(UTC))


def _language(locale: str) -> Locale:
    try:
        return Locale.parse(locale, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
