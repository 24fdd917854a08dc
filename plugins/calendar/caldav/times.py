"""The busy times of one CalDAV calendar: from its events, or from the server's own free-busy report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import unquote

from plugins.calendar import Window, occupied
from plugins.calendar.caldav.places import CAL, Place, Places
from plugins.calendar.occupied import Owner
from plugins.calendar.steps import Steps, TooMuch, Unreadable
from plugins.calendar.times import merge
from plugins.errors import Permanent, PermissionDenied, PluginError
from plugins.http import Reply
from plugins.webdav import WebDav, preconditions, xml

NOT_REPORTED = (400, 405, 415, 501)
GONE, FULL = 404, 507
_DAY = timedelta(days=1)


class NoSuchReport(Permanent):
    """The server does not answer this report."""


class Times:
    """Reads calendars of one server. `events` False: only the free-busy report, where there is one."""

    def __init__(self, dav: WebDav, places: Places, zone: tzinfo, *, events: bool = True) -> None:
        self._dav, self._places, self._zone, self._events = dav, places, zone, events

    def of(self, place: Place, calendar: str, window: Window) -> tuple[Window, ...]:
        """The busy times inside the window. The other way is tried where the first is not allowed or not offered."""
        first, second = (self._from_events, self._reported) if self._events else (self._reported, self._from_events)
        try:
            found = first(place, calendar, window)
        except (PermissionDenied, NoSuchReport) as refused:
            try:
                found = second(place, calendar, window)
            except (PermissionDenied, NoSuchReport):
                raise refused from None
        return merge(found, window)

    def owner(self, place: Place, calendar: str) -> Owner:
        """Whose calendar it is; their addresses are also what looks like one in its names and paths."""
        names = (calendar, place.title, *unquote(f"{place.href}/{place.owner}").split("/"))
        named = frozenset(name.casefold() for name in names if "@" in name and "/" not in name)
        asked = self._places.addresses(place.owner) if place.owner else frozenset()
        return Owner(place.zone or self._zone, asked | named)

    def _from_events(self, place: Place, calendar: str, window: Window) -> list[Window]:
        texts = self._texts(place, window)
        declines = any("DECLINED" in text.upper() for text in texts)
        owner = self.owner(place, calendar) if declines else Owner(place.zone or self._zone)
        found: list[Window] = []
        steps = Steps()
        unreadable: Unreadable | None = None
        for text in texts:
            try:
                found += occupied.busy(text, window, owner, steps)
            except Unreadable as error:
                unreadable = error
        return found + self._reported_instead(place, calendar, window, unreadable) if unreadable else found

    def _texts(self, place: Place, window: Window) -> list[str]:
        """The events that touch the window and the days around it: servers do not know the zone of all-day ones. ""
        stands for one that the server does not hand out, or for all that it left out (RFC 4791 7.8)."""
        span = _range(Window(window.start - _DAY, window.end + _DAY))
        body = query("<C:calendar-data/>", span)
        found = self._dav.resources(self._dav.report("busy", place.href, body, judge=_unsupported))
        here = place.href.rstrip("/")  # iCloud lists the calendar among its events
        told = [one for one in found if one.status == FULL or one.href.rstrip("/") != here]
        return [one.text(f"{CAL}calendar-data") for one in told if one.status != GONE]

    def _reported_instead(self, place: Place, calendar: str, window: Window, why: Unreadable) -> list[Window]:
        """What the server makes of events that we cannot read; the calendar is unknown when it cannot either."""
        try:
            return self._reported(place, calendar, window)
        except PluginError as error:
            said = why.said if isinstance(why, TooMuch) else "An event in this calendar cannot be read."
            raise Permanent(f"{place.href}: {why}", user_message=said) from error

    def _reported(self, place: Place, calendar: str, window: Window) -> list[Window]:
        body = xml("C:free-busy-query", _range(window))
        reply = self._dav.report("busy", place.href, body, judge=_unsupported)
        try:
            return occupied.periods(reply.body.decode("utf-8", "replace"))
        except Unreadable as error:
            raise NoSuchReport(f"{reply.call.place()}: {error}") from error


def query(props: str, match: str) -> str:
    """A calendar-query for the events that `match` picks."""
    inside = f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{match}</C:comp-filter></C:comp-filter>'
    return xml("C:calendar-query", f"<prop>{props}</prop><C:filter>{inside}</C:filter>")


def _range(window: Window) -> str:
    start, end = (moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") for moment in (window.start, _up(window.end)))
    return f'<C:time-range start="{start}" end="{end}"/>'


def _up(moment: datetime) -> datetime:
    return moment + timedelta(microseconds=-moment.microsecond % 1_000_000)


def _unsupported(reply: Reply) -> PluginError | None:
    named = reply.status in (403, 409) and {"supported-report", "supported-filter"} & set(preconditions(reply))
    if named or reply.status in NOT_REPORTED:
        return NoSuchReport(f"{reply.call.place()}: {reply.status}", http_status=reply.status)
    return None
