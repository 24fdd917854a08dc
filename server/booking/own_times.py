"""Reps' own times: out of office, blocked, or open beside the weekly hours; once, or again and again by a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server import clock, events, ids
from server.booking import store
from server.booking.availability.wallclock import DAY, Span
from server.booking.recurrence import Pattern, Repeat
from server.booking.store import AHEAD, Meeting
from server.config.zones import is_zone
from server.errors import Invalid, NotFound
from server.events import Actor
from server.routing.team import STEP_MINUTES

AWAY, BLOCKED, OPEN = "away", "blocked", "open"
KINDS = (AWAY, BLOCKED, OPEN)
MOST = 200
LONGEST = {AWAY: timedelta(days=400), BLOCKED: timedelta(days=31), OPEN: timedelta(days=1)}
LONGEST_REPEATED = timedelta(days=7)
LONGEST_RULE = timedelta(days=10 * 366)
FARTHEST = timedelta(days=5 * 366)

# A rule without an end is followed so far, and anew when somebody asks beyond. What is kept must reach over the longest
# listing (93 days), the look back for weekly limits, and the longest buffers (60 days).
FOLLOWED_DAYS = 400
REACH = 170 * DAY
_GRAIN = 64 * DAY  # the same spans for two months, so that they are worked out once


@dataclass(frozen=True)
class OwnTime:
    """What a rep wants: from `start` to `end`, naive, on the wall clock of `zone`; `rule` as in recurrence.Repeat."""

    kind: str
    zone: str
    start: datetime
    end: datetime
    rule: str = ""
    title: str = ""


@dataclass
class Known:
    """A rep's own times as UTC spans: busy ones with what they are called, extra hours, and how far rules were
    followed (None: to their end)."""

    busy: list[Span] = field(default_factory=list)
    labels: dict[Span, str] = field(default_factory=dict)
    extra: list[Span] = field(default_factory=list)
    until: int | None = None


def add(tx: Connection, site_id: str, rep: str, wanted: OwnTime, *, by: Actor) -> str:
    """Keep it from now on and return its id; meetings that are booked already stay (see `meetings_in`). Invalid."""
    _check(tx, site_id, rep, wanted)
    ends_at = Pattern(wanted.zone, wanted.start, wanted.end, wanted.rule).ends_at()
    if ends_at is not None and ends_at <= clock.now().timestamp():
        raise Invalid("This lies in the past.", field="start")
    row = {
        "id": ids.new_id("block"), "site_id": site_id, "rep": rep, "kind": wanted.kind, "zone": wanted.zone,
        "start_local": _text(wanted.start), "end_local": _text(wanted.end), "rule": wanted.rule,
        "ends_at": None if ends_at is None else datetime.fromtimestamp(ends_at, UTC), "title": wanted.title,
        "created_by": (by.name or by.id)[:80], "created_at": clock.now(),
    }  # fmt: skip
    store.lock_calendars(tx, site_id, [rep])
    store.add_block(tx, row)
    store.touch(tx, site_id, [rep])
    _record(tx, events.OWN_TIME_ADDED, row, by)
    return str(row["id"])


def add_block(
    tx: Connection, site_id: str, rep: str, start: datetime, end: datetime, *, title: str, created_by: str
) -> str:
    """Keep the time between two moments free of meetings. Returns the block's id."""
    if start.tzinfo is None or end.tzinfo is None:
        raise Invalid("Start and end must say their zone.", field="start")
    if end.microsecond:  # widened to whole seconds
        end = end.replace(microsecond=0) + timedelta(seconds=1)
    naive = [moment.astimezone(UTC).replace(tzinfo=None, microsecond=0) for moment in (start, end)]
    wanted = OwnTime(BLOCKED, "UTC", naive[0], naive[1], title=title[:200])
    return add(tx, site_id, rep, wanted, by=Actor("system", "", created_by))


def remove(tx: Connection, site_id: str, rep: str, block_id: str, *, by: Actor = events.SYSTEM) -> None:
    """As if it had never been said; NotFound when it is not this rep's."""
    store.lock_calendars(tx, site_id, [rep])
    found = get(tx, site_id, rep, block_id)
    if not store.drop_block(tx, site_id, rep, block_id):
        raise NotFound("There is no such entry.")
    store.touch(tx, site_id, [rep])
    _record(tx, events.OWN_TIME_REMOVED, found._asdict(), by)


def get(tx: Connection, site_id: str, rep: str, block_id: str) -> Any:
    """One of this rep's own times; NotFound."""
    found = store.block(tx, site_id, rep, block_id)
    if found is None:
        raise NotFound("There is no such entry.")
    return found


def of_rep(tx: Connection, site_id: str, rep: str, since: datetime) -> Sequence[Any]:
    """A rep's own times that are not over at `since`, by their first start."""
    return store.blocks_of(tx, site_id, [rep], since)


def known(tx: Connection, site_id: str, reps: Sequence[str], first: int) -> dict[str, Known]:
    """The own times of these reps from `first` (UTC seconds) on; reps without any are left out."""
    found: dict[str, Known] = {}
    start, until = first // _GRAIN * _GRAIN, -(-(first + FOLLOWED_DAYS * DAY) // _GRAIN) * _GRAIN
    for row in store.blocks_of(tx, site_id, reps, datetime.fromtimestamp(first, UTC)):
        one = found.setdefault(row.rep, Known())
        spans = pattern(row).spans(start, until)
        if row.kind == OPEN:
            one.extra += spans
        else:
            one.busy += spans
            one.labels |= dict.fromkeys(spans, label(row))
        if row.rule and (row.ends_at is None or row.ends_at.timestamp() > until):
            one.until = until
    return found


def spans_between(row: Any, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """When it takes place between two moments, uncut."""
    found = pattern(row).spans(int(start.timestamp()), int(end.timestamp()))
    return [(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)) for first, last in found]


def meetings_in(tx: Connection, rows: Iterable[Any]) -> list[tuple[Meeting, Any]]:
    """Meetings ahead that lie in one of these own times of their host, by start: somebody has to decide about them."""
    found: dict[str, tuple[Meeting, Any]] = {}
    now = clock.now()
    for row in rows:
        if row.kind == OPEN:
            continue
        ahead = store.listed(tx, [row.site_id], reps=[row.rep], start=now, end=row.ends_at, statuses=AHEAD, limit=500)
        for meeting in ahead:
            if meeting.start_at > now and spans_between(row, meeting.start_at, meeting.end_at):
                found.setdefault(meeting.id, (meeting, row))
    return sorted(found.values(), key=lambda pair: (pair[0].start_at, pair[0].id))


def label(row: Any) -> str:
    """What a reason calls it: "out of office", its title, or "own time"."""
    if row.kind == AWAY:
        return f"out of office ({row.title})" if row.title else "out of office"
    return row.title or "own time"


def pattern(row: Any) -> Pattern:
    """When it takes place."""
    return Pattern(row.zone, datetime.fromisoformat(row.start_local), datetime.fromisoformat(row.end_local), row.rule)


def _check(tx: Connection, site_id: str, rep: str, wanted: OwnTime) -> None:
    length = wanted.end - wanted.start
    if wanted.kind not in KINDS:
        raise Invalid(f"A rep's own time is {', '.join(KINDS)}.", field="kind")
    if length <= timedelta(0):
        raise Invalid("The end must lie after the start.", field="end")
    if length > LONGEST[wanted.kind]:
        raise Invalid(f"This can be {LONGEST[wanted.kind].days} days long at most.", field="end")
    if wanted.rule:
        _check_rule(wanted, length)
    if abs(wanted.start.replace(tzinfo=_zone(wanted.zone)) - clock.now()) > FARTHEST:
        raise Invalid("The date is too far away.", field="start")
    if wanted.kind == OPEN and (wanted.start.minute % STEP_MINUTES or wanted.end.minute % STEP_MINUTES):
        raise Invalid(f"Extra hours begin and end on a multiple of {STEP_MINUTES} minutes.", field="start")
    if len(wanted.title) > 200 or not wanted.title.isprintable():
        raise Invalid("The title can be one line of 200 characters.", field="title")
    if len(store.blocks_of(tx, site_id, [rep], clock.now())) >= MOST:
        raise Invalid(f"There are {MOST} entries already; delete some, or use one that repeats.")


def _check_rule(wanted: OwnTime, length: timedelta) -> None:
    """Only rules that `Repeat` writes: counting any other could take until the year 9999."""
    if length > LONGEST_REPEATED:
        raise Invalid(f"What repeats can be {LONGEST_REPEATED.days} days long at most.", field="end")
    try:
        repeat = Repeat.read(wanted.rule)
    except (ValueError, KeyError):
        raise Invalid("This is not a rule that we know.", field="rule") from None
    repeat.check()
    if repeat.rule() != wanted.rule:
        raise Invalid("This is not a rule that we know.", field="rule")
    if repeat.until and repeat.until - wanted.start.date() > LONGEST_RULE:
        raise Invalid("It can repeat for ten years at most; leave the end empty for ever.", field="until")


def _zone(name: str) -> ZoneInfo:
    if not is_zone(name):
        raise Invalid(f"{name!r} is not a time zone such as Europe/Berlin.", field="zone")
    return ZoneInfo(name)


def _record(tx: Connection, name: str, row: Any, by: Actor) -> None:
    data = {key: row[key] for key in ("kind", "zone", "start_local", "end_local", "rule")}
    events.record(tx, name, site_id=row["site_id"], subject=("rep", row["rep"]), actor=by, data=data)


def _text(naive: datetime) -> str:
    return naive.isoformat(timespec="seconds" if naive.second else "minutes")
