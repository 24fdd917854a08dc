"""Invitations keep the rules of RFC 5545 and 5546 through a meeting's whole life, in any zone, whatever names hold."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from zoneinfo import ZoneInfo, available_timezones

import pytest
import vobject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from plugins.calendar import zones
from server.booking import service as booking
from server.booking.invitations import ics
from server.events import Actor
from server.routing.schema import Rep, Team
from tests.booking.conftest import ADA, GOAL, NINE, SITE
from tests.booking.itip_rules import check, check_history, moment, offsets, read
from tests.booking.test_meetings import deliveries

HOUR = timedelta(hours=1)
VISITOR, ANNA = Actor("visitor", "vis_1"), Actor("user", "usr_1")
ODD = [
    "UTC", "Etc/UTC", "GMT", "Etc/GMT+5", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Santiago",
    "Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Apia", "Pacific/Chatham",
    "Africa/Casablanca", "Antarctica/Troll", "America/St_Johns", "Asia/Gaza", "EST5EDT",
]  # fmt: skip


@pytest.fixture
def db(sqlite_db):
    """What is asked here is the same on both databases."""
    return sqlite_db


@pytest.fixture
def organized(version, book):
    """The invitation of a booked meeting with some of its values changed."""
    kept, grace = dict(book()._mapping), version.part(Team)

    def write(method: str = "REQUEST", organizer: Rep | None = None, **changed: object) -> str:
        meeting, rep = SimpleNamespace(**(kept | changed)), organizer or grace.reps_by_id["grace"]
        page = "https://u.example/m/x"
        return ics.invitation(version, meeting, method, organizer=rep, hosts=[rep], dtstamp=NINE, manage_url=page)

    return write


def invitations(db, meeting):
    """[(to, method, ics)] in the order in which they go out."""
    found = [one.payload["mail"] for one in deliveries(db, meeting, "notify") if one.payload["mail"].get("calendar")]
    return [(one["to"], one["calendar"]["method"], one["calendar"]["ics"]) for one in found]


def by_person(sent):
    people: dict[str, list[tuple[str, str]]] = {}
    for to, method, text in sent:
        people.setdefault(to, []).append((method, text))
    return people


def test_every_message_of_a_meetings_life_keeps_the_rules(db, version, book, monday):
    meeting = book()
    book(NINE + 1.5 * HOUR, who=ADA | {"email": "bob@globex.example"}, rep="grace")
    for start in (NINE + HOUR / 2, NINE + 1.5 * HOUR, NINE + 2 * HOUR):  # moved; handed to linus; moved with him
        monday.advance(timedelta(minutes=1))
        with db.transaction() as tx:
            meeting = booking.reschedule(tx, version, meeting.id, start, by=VISITOR)
    monday.advance(timedelta(minutes=1))
    with db.transaction() as tx:
        meeting = booking.cancel(tx, version, meeting.id, by=VISITOR)
    told = by_person(invitations(db, meeting))
    methods = {to: [method for method, _ in sent] for to, sent in told.items()}
    assert methods == {
        "Ada@globex.example": ["REQUEST", "REQUEST", "CANCEL", "REQUEST", "REQUEST", "CANCEL"],
        "grace@acme.example": ["REQUEST", "REQUEST", "CANCEL"],
        "linus@acme.example": ["REQUEST", "REQUEST", "CANCEL"],
    }
    for to, sent in told.items():
        if to.startswith("Ada"):  # two organizers: each one's messages follow each other
            check_history(sent[:3])
            check_history(sent[3:])
            assert read(sent[2][1]).components("VEVENT")[0].value("SEQUENCE") == "2"
        else:
            check_history(sent)
    organizers = [check(text, method).value("ORGANIZER") for method, text in told["Ada@globex.example"]]
    assert organizers == ["mailto:grace@acme.example"] * 3 + ["mailto:linus@acme.example"] * 3
    assert vobject.readOne(told["Ada@globex.example"][-1][1]).vevent.status.value == "CANCELLED"


def test_with_a_mailbox_for_replies_a_hand_over_is_one_request_and_only_the_old_rep_is_taken_off(db, apply, book):
    version = apply(site=SITE.replace("hello@acme.example", "hello@acme.example, replies: meet@acme.example"))
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE)
        meeting = booking.confirm(tx, version, held.id, **ADA, **GOAL, guests=["bob@globex.example"])
    book(NINE + HOUR, who=ADA | {"email": "eve@globex.example"}, rep="grace")
    with db.transaction() as tx:
        meeting = booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
    told = by_person(invitations(db, meeting))
    for sent in told.values():
        check_history(sent)
        assert {check(text, method).value("ORGANIZER") for method, text in sent} == {"mailto:meet@acme.example"}
    assert [method for method, _ in told["Ada@globex.example"]] == ["REQUEST", "REQUEST"]
    assert [method for method, _ in told["bob@globex.example"]] == ["REQUEST", "REQUEST"]
    event = check(told["Ada@globex.example"][-1][1], "REQUEST")
    people = {one.value: one.parameters["PARTSTAT"] for one in event.all("ATTENDEE")}
    assert people == {
        "mailto:Ada@globex.example": "ACCEPTED", "mailto:bob@globex.example": "NEEDS-ACTION",
        "mailto:linus@acme.example": "ACCEPTED",
    }  # fmt: skip
    assert event.one("ORGANIZER").parameters["CN"] == "Linus Pauling"
    gone = check(told["grace@acme.example"][-1][1], "CANCEL")
    assert ([one.value for one in gone.all("ATTENDEE")], gone.all("STATUS")) == (["mailto:grace@acme.example"], [])
    to_visitor = [one.payload["mail"] for one in deliveries(db, meeting, "notify") if "visitor" in one.key]
    assert to_visitor[0]["reply_to"] == "grace@acme.example"


def test_all_hosts_are_invited_and_one_who_leaves_is_taken_off_alone(db, version, book):
    meeting = book(meeting="panel")
    with db.reading() as tx:
        hosts = {row.rep for row in booking.store.hosts_of(tx, [meeting.id])}
    assert hosts == {"grace", "linus"}
    book(NINE + HOUR, meeting="deep-dive", who=ADA | {"email": "bob@globex.example"}, rep="linus")
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
    told = by_person(invitations(db, moved))
    for sent in told.values():
        check_history(sent)
    invited = [one.value for one in check(told["Ada@globex.example"][-1][1], "REQUEST").all("ATTENDEE")]
    assert invited == ["mailto:Ada@globex.example", "mailto:margaret@acme.example"]
    gone = check(told["linus@acme.example"][-1][1], "CANCEL")
    assert ([one.value for one in gone.all("ATTENDEE")], gone.all("STATUS")) == (["mailto:linus@acme.example"], [])
    assert gone.value("ORGANIZER") == "mailto:grace@acme.example"


def test_a_downloaded_file_asks_nobody_for_an_answer(db, version, book):
    meeting = book()
    with db.transaction() as tx:
        check(booking.invitation(tx, version, meeting), "PUBLISH")
        gone = booking.cancel(tx, version, meeting.id, by=VISITOR)
        assert check(booking.invitation(tx, version, gone), "PUBLISH").value("STATUS") == "CANCELLED"


def changes(zone: str, year: int) -> list[datetime]:
    """The hours of a year in which the clocks of a zone change, and an hour of each season."""
    info, days = ZoneInfo(zone), [datetime(year, 1, 1, tzinfo=UTC) + step * 24 * HOUR for step in range(366)]
    hours = [day + hour * HOUR for day, after in pairwise(days) if differ(info, day, after) for hour in range(24)]
    found = [after for hour, after in pairwise(hours) if after - hour == HOUR and differ(info, hour, after)]
    return [*found, *(datetime(year, month, 15, 11, 30, tzinfo=UTC) for month in (1, 4, 7, 10))]


def differ(info: ZoneInfo, one: datetime, other: datetime) -> bool:
    return one.astimezone(info).utcoffset() != other.astimezone(info).utcoffset()


@pytest.mark.parametrize("zone", ODD)
def test_an_invitation_means_the_same_moment_when_clocks_change(organized, zone):
    for change in changes(zone, 2026):
        for minutes in (-60, -30, -15, 0, 30, 60):
            start = change + timedelta(minutes=minutes)
            text = organized(zone=zone, start_at=start, end_at=start + HOUR / 2)
            calendar = read(text)
            assert (moment(calendar, "DTSTART"), moment(calendar, "DTEND")) == (start, start + HOUR / 2)
        check(text, "REQUEST")
        event = next(iter(Calendar.from_ical(text).walk("VEVENT")))
        assert event["DTSTART"].dt == start
        assert vobject.readOne(text).vevent.dtstart.value == start


def test_the_second_time_a_clock_shows_is_written_in_utc(organized):
    start = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin for the second time
    text = organized(zone="Europe/Berlin", start_at=start, end_at=start + HOUR)
    assert check(text, "REQUEST").value("DTSTART") == "20261025T013000Z"
    first = organized(zone="Europe/Berlin", start_at=start - HOUR, end_at=start - 0.75 * HOUR)
    assert check(first, "REQUEST").value("DTSTART") == "20261025T023000"


def test_every_zone_of_the_world_is_told_as_its_clocks_go():
    step = 1 if os.environ.get("USHER_SOAK") else 4
    for name in sorted(available_timezones() - {"Factory", "localtime"})[::step]:
        info = ZoneInfo(name)
        months = [datetime(2026 + month // 12, month % 12 + 1, 10, 5, tzinfo=UTC) for month in range(24)]
        if zones.is_utc(name):
            assert {one.astimezone(info).utcoffset() for one in months} == {timedelta(0)}
            continue
        told = offsets(read(f"BEGIN:VCALENDAR\r\n{zones.vtimezone(name, 2026).decode()}END:VCALENDAR\r\n").parts[0])
        onsets = [onset.replace(tzinfo=UTC) for onset, _ in told if 2026 <= onset.year < 2028]
        for at in [*months, *onsets, *(onset - timedelta(seconds=1) for onset in onsets)]:
            now = [offset for onset, offset in told if onset.replace(tzinfo=UTC) <= at][-1]
            assert now == at.astimezone(info).utcoffset(), (name, at)


NASTY = [
    'Ada "the" Byron', "Ada\r\nATTENDEE:mailto:eve@evil.example", "a:b;c,d\\n^n", "\x00\x07\x1b[31m",
    "x\x85ORGANIZER:mailto:eve@evil.example", "\u2028BEGIN:VEVENT\u2029", "\u202egnp.exe", "😀" * 500, "é" * 2000,
    "שלום " * 300, "\ud800", "END:VEVENT", "\t", "^'^n", "=?utf-8?q?x?=",
]  # fmt: skip
HOSTILE = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=200), st.text(alphabet="\r\n\t ;:,\\\"^'=@a\x0b\x85\u2028", max_size=60)
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=HOSTILE,
    guest=st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,20}@(globex|b\u00fccher)\.example", fullmatch=True),
)
def test_no_name_can_add_a_property_or_break_a_line(organized, version, name, guest):
    rep = version.part(Team).reps_by_id["grace"]
    named = rep.model_copy(update={"name": name or "x", "location": None})
    text = organized(name=name, guests=[guest], organizer=named, phone=name, place="")
    event, plain = check(text, "REQUEST"), organized(name="Ada", guests=["bob@globex.example"])
    assert [one.name for one in event.properties] == [one.name for one in check(plain, "REQUEST").properties]
    assert {one.value.split(":")[0] for one in event.all("ATTENDEE")} == {"mailto"}
    assert "eve" not in "".join(one.value for one in [*event.all("ATTENDEE"), event.one("ORGANIZER")])
    other = vobject.readOne(text)
    assert len(other.contents["vevent"]) == 1
    assert len(other.vevent.attendee_list) == len(event.all("ATTENDEE"))
    [parsed] = Calendar.from_ical(text).walk("VEVENT")
    assert str(parsed["SUMMARY"]) == event.one("SUMMARY").text
