"""Open times in the chat: which are offered, how they are grouped, what fits a typed wish, how a moment is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from plugins.ai import TimeWish
from server import clock
from server.booking import service as booking
from server.booking.schema import Meetings
from server.conversations.frames import moment as stamp
from server.errors import Invalid, NotFound
from server.playbooks import routes
from server.playbooks import wishes as wished
from server.routing import service as routing

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

DAYS_SHOWN = 4
MOST_LOOKED_AT = 400  # open times, when wishes are matched against them
SUGGESTED = 3
LOOK_AHEAD = timedelta(days=60)


def offer(
    turn: Turn,
    choices: Sequence[str],
    text: str,
    *,
    wishes: Sequence[TimeWish] = (),
    after: str | None = None,
    near: Sequence[datetime] = (),
) -> bool:
    """Say `text` with open times of the meeting in `step`: those that fit the wishes, else the nearest. False: none.

    `after`: the local date (ISO) from which on to look; `near`: what to suggest first, when a time was lost.
    """
    day = date.fromisoformat(after) if after else wished.first_day(wishes)
    found = _open_times(turn, _morning(turn, day)) or (_open_times(turn, clock.now()) if day else [])
    if not found:
        return False
    fit = wished.fitting(found, wishes, turn.zone) if wishes else found
    if wishes and not fit:
        text, fit = turn.word("no_wished_times"), wished.nearest(found, wishes, turn.zone, 6)
    elif wishes:
        text = text or turn.word("wished_times")
    part = _slots_part(turn, choices, fit, near)
    shown = [one for of_day in part["days"] for one in of_day["slots"]]
    turn.memory.step |= {"offered": list(dict.fromkeys([*part["suggested"], *shown])), "next_from": part["next_from"]}
    turn.say(text, part=part)
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


def _open_times(turn: Turn, start: datetime) -> Sequence[datetime]:
    meeting, moved = turn.memory.step["meeting"], turn.memory.step.get("moves")
    if not exists(turn, meeting):
        return ()
    try:
        found = booking.slots(
            turn.tx,
            turn.version,
            meeting=meeting,
            start=start,
            end=start + LOOK_AHEAD,
            zone=turn.zone,
            limit=MOST_LOOKED_AT,
            exclude_meeting=moved,
            **who(turn),
        )
        now_at = booking.get(turn.tx, moved).start_at if moved else None
    except (Invalid, NotFound):  # nobody to meet: no pool at all, or a rep who has left
        return ()
    return [one for one in found.starts if one != now_at]


def who(turn: Turn) -> dict[str, Any]:
    """Whom to book with: as a meeting that is moved was, or whom routing found, else the meeting type's own pool."""
    if "who" in turn.memory.step:
        return dict(turn.memory.step["who"])
    kind, target = routes.where(turn)
    if kind == routing.REP:
        return {"reps": [target]}
    return {"pool": target if kind == routing.POOL else None}


def _slots_part(
    turn: Turn, choices: Sequence[str], starts: Sequence[datetime], near: Sequence[datetime]
) -> dict[str, Any]:
    types = turn.version.part(Meetings).by_id
    meeting = types[turn.memory.step["meeting"]]
    days = _by_day(starts, turn.zone)
    shown = days[:DAYS_SHOWN]
    return {
        "kind": "slots",
        "meeting": meeting.id,
        "name": meeting.named(turn.locale),
        "minutes": meeting.duration_minutes,
        "zone": turn.zone,
        "pool": who(turn).get("pool") or "",
        "meetings": [
            {"id": one, "name": types[one].named(turn.locale), "minutes": types[one].duration_minutes}
            for one in choices
            if one in types
        ],
        "suggested": [stamp(one) for one in near or _spread([start for _, of_day in shown for start in of_day])],
        "days": [{"date": day.isoformat(), "slots": [stamp(one) for one in of_day]} for day, of_day in shown],
        "next_from": days[DAYS_SHOWN][0].isoformat() if len(days) > DAYS_SHOWN else None,
    }


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
