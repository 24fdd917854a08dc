"""The rules of RFC 5545 (iCalendar) and RFC 5546 (iTIP) for one invitation, read from the text alone: no library that
writes or reads calendars has a say here, but dateutil for yearly rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dateutil.rrule import rrulestr

LINE = re.compile(
    r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)', re.DOTALL
)
PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:,]*)')
ADDRESS = re.compile(r"mailto:[^\s<>\"?#,;:@]+@[^\s<>\"?#,;:@]+")
STAMP = re.compile(r"\d{8}T\d{6}Z")
TEXTS = ("SUMMARY", "DESCRIPTION", "LOCATION", "TZNAME")
STAMPS = ("DTSTAMP", "CREATED", "LAST-MODIFIED")
ONCE = (
    "UID", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "LOCATION", "STATUS", "TRANSP", "URL",
    "ORGANIZER", *STAMPS,
)  # fmt: skip


@dataclass
class Property:
    name: str
    parameters: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """A TEXT value without its escapes."""
        return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], self.value)


@dataclass
class Component:
    name: str
    properties: list[Property] = field(default_factory=list)
    parts: list[Component] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        return [one for one in self.properties if one.name == name]

    def one(self, name: str) -> Property:
        [found] = self.all(name)
        return found

    def value(self, name: str) -> str:
        return self.one(name).value

    def components(self, name: str) -> list[Component]:
        return [part for part in self.parts if part.name == name]


def read(ics: str) -> Component:
    """The calendar; AssertionError for what breaks RFC 5545 3.1."""
    raw = ics.encode()
    assert raw.endswith(b"\r\n"), "the last line has no end"
    lines = raw[:-2].split(b"\r\n")
    for line in lines:
        assert len(line) <= 75, f"a line of {len(line)} octets"
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line), "a control character"
        line.decode()  # folded between characters, not inside one
    whole = re.sub(r"\r\n[ \t]", "", ics[:-2]).split("\r\n")
    top = Component("")
    stack = [top]
    for text in whole:
        found = LINE.fullmatch(text)
        assert found, f"no content line: {text!r}"
        name, value = found[1].upper(), found[3]
        if name == "BEGIN":
            stack.append(Component(value))
            stack[-2].parts.append(stack[-1])
        elif name == "END":
            assert stack.pop().name == value, "BEGIN and END do not match"
        else:
            parameters = {key.upper(): given.strip('"') for key, given in PARAMETER.findall(found[2])}
            stack[-1].properties.append(Property(name, parameters, value))
    assert len(stack) == len(top.parts) == 1, "more or less than one calendar"
    return top.parts[0]


def check(ics: str, method: str) -> Component:
    """The event of an invitation that keeps all the rules; AssertionError names the one that is broken."""
    calendar = read(ics)
    assert calendar.name == "VCALENDAR"
    assert calendar.value("PRODID")
    assert calendar.value("VERSION") == "2.0"
    assert calendar.value("METHOD") == method
    [event] = calendar.components("VEVENT")
    assert {part.name for part in calendar.parts} <= {"VEVENT", "VTIMEZONE"}
    _check_event(event)
    _check_zones(calendar, event)
    _check_method(event, method)
    return event


def moment(calendar: Component, name: str) -> datetime:
    """DTSTART or DTEND in UTC, by the VTIMEZONE that comes along (RFC 5545 3.3.5 and 3.6.5)."""
    [event] = calendar.components("VEVENT")
    given = event.one(name)
    if "TZID" not in given.parameters:
        return _time(given.value.removesuffix("Z")).replace(tzinfo=UTC)
    [zone] = [one for one in calendar.components("VTIMEZONE") if one.value("TZID") == given.parameters["TZID"]]
    local, onsets = _time(given.value), sorted(_onsets(zone))
    ends = [start for start, _ in onsets[1:]] + [datetime.max]
    fits = [local - to for (start, to), end in zip(onsets, ends, strict=True) if start <= local - to < end]
    return min(fits).replace(tzinfo=UTC)


def offsets(zone: Component) -> list[tuple[datetime, timedelta]]:
    """When which offset begins, in UTC."""
    return sorted(_onsets(zone))


def check_history(sent: Iterable[tuple[str, str]]) -> None:
    """What one person was sent, in order, as (method, ics): one UID, no SEQUENCE falls, a new time is a higher one,
    and the last word is the newest by SEQUENCE and DTSTAMP (RFC 5546 2.1.5)."""
    seen: list[tuple[int, str, datetime, str]] = []
    for method, ics in sent:
        event, calendar = check(ics, method), read(ics)
        now = (int(event.value("SEQUENCE")), event.value("DTSTAMP"), moment(calendar, "DTSTART"), event.value("UID"))
        if seen:
            before = seen[-1]
            assert now[3] == before[3], "another UID"
            assert now[0] >= before[0], "SEQUENCE fell"
            assert now[:2] > before[:2], "cannot be told from an older message"
            assert now[2] == before[2] or now[0] > before[0], "a new time without a new SEQUENCE"
            assert method != "CANCEL" or now[0] > before[0], "a cancellation of the same SEQUENCE"
        seen.append(now)


def _check_event(event: Component) -> None:
    for name in ONCE:
        assert len(event.all(name)) <= 1, f"{name} twice"
    for name in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "ORGANIZER", "SUMMARY"):
        assert event.value(name), f"no {name}"
    for name in STAMPS:
        assert STAMP.fullmatch(event.value(name)), f"{name} is not UTC"
    for name in TEXTS:
        for one in event.all(name):
            assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", one.value), f"{name} is not escaped: {one.value!r}"
    people = [*event.all("ATTENDEE"), event.one("ORGANIZER")]
    for one in people:
        assert ADDRESS.fullmatch(one.value), f"no address: {one.value}"
    attendees = [one.value.casefold() for one in event.all("ATTENDEE")]
    assert len(set(attendees)) == len(attendees), "somebody is invited twice"
    for one in event.all("ATTENDEE"):
        assert one.parameters["PARTSTAT"] in ("NEEDS-ACTION", "ACCEPTED", "DECLINED")
        assert one.parameters["RSVP"] in ("TRUE", "FALSE")


def _check_zones(calendar: Component, event: Component) -> None:
    start, end = event.one("DTSTART"), event.one("DTEND")
    used = {one.parameters["TZID"] for one in (start, end) if "TZID" in one.parameters}
    told = [one.value("TZID") for one in calendar.components("VTIMEZONE")]
    assert sorted(told) == sorted(used), "TZID and VTIMEZONE do not match"
    for one in (start, end):
        assert re.fullmatch(r"\d{8}T\d{6}" + ("" if used else "Z"), one.value), f"{one.name} {one.value}"
    for zone in calendar.components("VTIMEZONE"):
        assert zone.components("STANDARD"), "no STANDARD, which Outlook wants"
        assert len(zone.properties) == 1
        for part in zone.parts:
            assert re.fullmatch(r"\d{8}T\d{6}", part.value("DTSTART"))
    assert moment(calendar, "DTEND") > moment(calendar, "DTSTART")


def _check_method(event: Component, method: str) -> None:
    """The tables of RFC 5546 3.2.1 (PUBLISH), 3.2.2 (REQUEST) and 3.2.5 (CANCEL)."""
    status, attendees = [one.value for one in event.all("STATUS")], event.all("ATTENDEE")
    if method == "PUBLISH":
        assert not attendees
    elif method == "REQUEST":
        assert attendees
        assert status in (["CONFIRMED"], ["TENTATIVE"])
    else:
        assert method == "CANCEL"
        assert int(event.value("SEQUENCE")) > 0
        assert status == ["CANCELLED"] or (status == [] and attendees), "neither the meeting nor anybody is taken off"


def _onsets(zone: Component) -> Iterable[tuple[datetime, timedelta]]:
    """For thirty years, where there are rules."""
    for part in zone.parts:
        first, before = _time(part.value("DTSTART")), _offset(part.value("TZOFFSETFROM"))
        walls = [first]
        for rule in part.all("RRULE"):
            assert "COUNT" not in rule.value
            assert "UNTIL" not in rule.value
            walls = list(rrulestr(rule.value, dtstart=first).xafter(first, count=30, inc=True))
            assert walls[0] == first, "DTSTART does not fit its rule"
        yield from ((wall - before, _offset(part.value("TZOFFSETTO"))) for wall in walls)


def _offset(text: str) -> timedelta:
    assert re.fullmatch(r"[+-]\d{4}(\d\d)?", text)
    parts = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]), seconds=int(text[5:7] or 0))
    return -parts if text[0] == "-" else parts


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall clock
