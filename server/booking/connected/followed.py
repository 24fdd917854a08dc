"""What becomes of our meetings when a rep changes their events in his own calendar: they follow, or are put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from plugins.calendar import Change, Changed
from server import clock, events, ids
from server.adapters import own_calendars
from server.booking import changes, store
from server.booking.connected.sources import Source
from server.booking.invitations import calendar_events, links, messages
from server.booking.invitations.put_back_texts import OVERLAPS, TIME_IMPOSSIBLE, VISITOR_BUSY
from server.booking.store import AHEAD, HELD, RESCHEDULED, Meeting
from server.config import service as config
from server.config.service import Version
from server.errors import UsherError
from server.events import Actor
from server.outbox import service as outbox
from server.routing.schema import Rep

LONGEST = timedelta(hours=12)
MANY = 3
_NOT_OURS = "The calendar holds none of the {count} meetings it should; is it another calendar? None was cancelled."


@dataclass(frozen=True)
class Feed:
    """What a calendar's change feed told when it was asked at `asked_at`. `whole`: all that there is, not what is new.
    `first`: nothing was known of this calendar before."""

    items: Sequence[Changed]
    cursor: str
    whole: bool
    first: bool
    asked_at: datetime


class CannotBe(Exception):  # noqa: N818 - no error of ours: the rep is told
    """The meeting cannot have this time; `why` is one of put_back_texts."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotYet(Exception):  # noqa: N818 - it is looked at again in a minute
    """Somebody is changing what this depends on."""


@dataclass
class _Event:
    """What our deliveries say of a meeting's event: its id, the versions that we made, and whether more is to come."""

    id: str = ""
    key: str = ""
    version: str = ""
    earlier: set[str] = field(default_factory=set)
    waiting: bool = False
    settled_at: datetime | None = None

    def has_outdated(self, item: Changed) -> bool:
        """Our own writing coming back late: we have written since. Our latest at another time than the meeting's is
        none: its rep has taken back what he did, and versions may be made of what is in an event."""
        return item.ref.id == self.id and item.ref.version in self.earlier - {self.version, ""}

    def is_moving(self, asked_at: datetime) -> bool:
        """We have written, or are about to, since the calendar was asked."""
        return self.waiting or (self.settled_at is not None and self.settled_at > asked_at)


def heed(tx: Connection, version: Version, rep: Rep, source: Source, feed: Feed) -> tuple[bool, str]:
    """Let the rep's meetings follow the calendar that his events are in. Returns whether all could be decided (else the
    same changes have to be read again later), and what is odd, for people."""
    found = store.listed(tx, [version.site_id], reps=[rep.id], start=clock.now(), statuses=AHEAD, limit=5_000)
    meetings = [one for one in found if one.rep == rep.id and one.start_at > clock.now()]
    known = _known(tx, meetings, source)
    meetings = [one for one in meetings if known[one.id].id]
    told = _told(meetings, known, feed)
    missing = _missing(tx, version, source, meetings, told) if feed.whole and not feed.first else []
    if len(missing) >= MANY and len(missing) == len(meetings):
        return False, _NOT_OURS.format(count=len(missing))
    settled = True
    for meeting in meetings:
        item, event = told.get(meeting.id), known[meeting.id]
        if item is None and meeting not in missing:
            continue
        try:
            if event.is_moving(feed.asked_at):
                raise NotYet
            with tx.begin_nested():
                _follow(tx, version, rep, meeting, item, event)
        except (NotYet, UsherError):
            settled = False
    return settled, ""


def follow_move(
    tx: Connection, version: Version, meeting_id: str, start: datetime, end: datetime, *, by: Actor
) -> Meeting:
    """Move a meeting to where its rep has put it: SEQUENCE + 1, the same UID, everybody but the calendar is told.

    The rep's own decision overrides hours, notice and window. CannotBe when another meeting of a host is there, the
    visitor has another one then, or the time is over or absurd; NotYet while somebody holds that time; Gone once the
    meeting has begun.
    """
    meeting = changes.ahead(tx, version, meeting_id)
    if (start, end) == (meeting.start_at, meeting.end_at):
        return meeting
    if start <= clock.now() or not timedelta() < end - start <= LONGEST or start.microsecond or end.microsecond:
        raise CannotBe(TIME_IMPOSSIBLE)
    hosts = changes.lock(tx, meeting)
    other = meeting.attendee and store.booked_by(tx, version.site_id, meeting.attendee, start)
    if other and other.id != meeting.id:
        raise CannotBe(VISITOR_BUSY)
    _put(tx, version, meeting, hosts, start, end)
    after = changes.get(tx, meeting.id)
    messages.moved(tx, version, after, meeting, hosts, in_calendar=True)
    data = {"was": meeting.start_at.isoformat(), "rep_was": meeting.rep, "end": end.isoformat()}
    changes.record(tx, events.MEETING_RESCHEDULED, after, by, "", data)
    return after


def _put(
    tx: Connection, version: Version, meeting: Meeting, hosts: Sequence[str], start: datetime, end: datetime
) -> None:
    """At its new time with the buffers of its type; without them where they would meet another meeting."""
    of = links.type_of(version, meeting)
    minutes = (end - start) / timedelta(minutes=1)
    bare = {"duration_minutes": minutes, "buffer_before_minutes": 0, "buffer_after_minutes": 0}
    for shape in (of.model_copy(update={"duration_minutes": minutes}), of.model_copy(update=bare)):
        try:
            with tx.begin_nested():
                same_event = {"status": RESCHEDULED, "calendar_key": meeting.calendar_key}
                changes.put(tx, version, meeting, shape, hosts, start, **same_event)
                return
        except IntegrityError:
            continue
    there = store.busy_meetings(tx, version.site_id, hosts, start - timedelta(minutes=5))
    until = end + timedelta(minutes=5)
    others = [row for row in there if row.id != meeting.id and row.busy_from < until]
    raise NotYet if others and all(row.status == HELD for row in others) else CannotBe(OVERLAPS)


def _follow(tx: Connection, version: Version, rep: Rep, meeting: Meeting, item: Changed | None, event: _Event) -> None:
    by = Actor("calendar", rep.id, f"{rep.name}'s calendar")
    if item is None or item.what is Change.DELETED:
        changes.cancel(tx, version, meeting.id, by=by)
        return
    if item.start is None or item.end is None or event.has_outdated(item):
        return
    if (item.start, item.end) == (meeting.start_at, meeting.end_at):
        return
    try:
        follow_move(tx, version, meeting.id, item.start, item.end, by=by)
    except CannotBe as impossible:
        _put_back(tx, version, meeting, item, event, impossible.why, by)


def _put_back(
    tx: Connection, version: Version, meeting: Meeting, item: Changed, event: _Event, why: str, by: Actor
) -> None:
    """The meeting stays: its event goes back to where it was, and the rep is told. Once for each change of his."""
    mark = ids.digest(f"{item.ref.version} {item.start} {item.end}")[:12]
    key = f"{calendar_events.calendar_key(meeting.id, meeting.sequence)}:back:{mark}"
    if outbox.by_key(tx, key) is not None:
        return
    store.change(tx, meeting.id, AHEAD, {"calendar_key": key})
    now = changes.get(tx, meeting.id)
    messages.put_back(tx, version, now, event.key, why, item.start)
    tried = {"tried": item.start.isoformat() if item.start else None, "why": why}
    changes.record(tx, events.MEETING_PUT_BACK, now, by, _SAID[why], tried)


_SAID = {
    OVERLAPS: "another meeting is there already",
    VISITOR_BUSY: "the visitor has another meeting then",
    TIME_IMPOSSIBLE: "the time has passed, or is longer than half a day",
}


def _known(tx: Connection, meetings: Sequence[Meeting], source: Source) -> dict[str, _Event]:
    """By meeting, what stands in this calendar because of us."""
    known = {meeting.id: _Event() for meeting in meetings}
    wrote = _Writers(tx, source)
    for row in outbox.of_subjects(tx, "meeting", list(known), kind="calendar"):
        event, answer = known[row.subject_id], row.result or {}
        event.waiting = event.waiting or row.state in outbox.UNDER_WAY and wrote.may_be(row.connection_id)
        if row.settled_at is not None:
            event.settled_at = max(event.settled_at or row.settled_at, row.settled_at)
        here = answer.get("calendar") == source.calendar and wrote.may_be(row.connection_id)
        if row.state == "done" and here and answer.get("id"):
            event.id, event.key, event.version = answer["id"], row.key, answer.get("version", "")
            event.earlier.add(event.version)
    return known


class _Writers:
    """Which connections have written what stands in a calendar: a rep's own is read by itself alone; what the site's
    holds was written by whatever served the site then."""

    def __init__(self, tx: Connection, source: Source) -> None:
        self._tx, self._source = tx, source
        self._own: dict[str, bool] = {}

    def may_be(self, connection_id: str | None) -> bool:
        if self._source.is_own or connection_id == self._source.connection.id:
            return connection_id == self._source.connection.id
        if connection_id and connection_id not in self._own:
            self._own[connection_id] = own_calendars.is_own(self._tx, connection_id)
        return not (connection_id and self._own[connection_id])


def _told(meetings: Sequence[Meeting], known: Mapping[str, _Event], feed: Feed) -> dict[str, Changed]:
    """By meeting, the last that the feed says of its event. An event that has another address now is the same one when
    the old address is empty; copies of an invitation beside ours are not."""
    last = {item.ref.id: item for item in feed.items}
    by_uid = {item.uid: item for item in last.values() if item.uid and item.what is Change.CHANGED}
    told: dict[str, Changed] = {}
    for meeting in meetings:
        item = last.get(known[meeting.id].id)
        if item is None and feed.whole or item is not None and item.what is Change.DELETED:
            item = by_uid.get(meeting.uid, item)
        if item is not None:
            told[meeting.id] = item
    return told


def _missing(
    tx: Connection, version: Version, source: Source, meetings: Sequence[Meeting], told: Mapping[str, Changed]
) -> list[Meeting]:
    """Whose event is not there although we put it there, as far as that can be told: what was booked while another
    service was connected stands elsewhere."""
    absent = [one for one in meetings if one.id not in told]
    if source.is_own:
        return absent
    if not source.connection.from_environment:
        return [one for one in absent if one.created_at >= source.connection.connected_at]
    adapter = version.site.adapters.calendar
    return [one for one in absent if config.version(tx, one.version_id).site.adapters.calendar == adapter]
