"""The event that we write: what people typed cannot break it, and moving it loses nothing that its owner added."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject
from icalendar import Calendar

from plugins.calendar import Draft, Guest
from plugins.calendar.written import edited, name_of, new, stored
from plugins.errors import Permanent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
DEMO = Draft(
    "mtg@usher", NINE, NINE + timedelta(hours=1), "Europe/Berlin", "Demo", guests=(Guest("ada@globex.example"),)
)

OWN_ZONE = (
    b"BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0330\r\n"
    b"TZOFFSETTO:+0330\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def first(draft: Draft = DEMO, **changes: Any) -> bytes:
    return new(replace(draft, **changes), key="k1", now=NOW, guests=True)


def moved(text: bytes, draft: Draft = DEMO, **changes: Any) -> Any:
    """The event after an update."""
    return event(edited(stored(text, "1"), replace(draft, **changes), key="k2", now=NOW, guests=True))


def event(text: bytes) -> Any:
    return stored(text, "").event


def test_what_people_typed_is_written_as_text() -> None:
    typed = 'Ada;"the, \\ Great"\r\nEND:VEVENT\x00\x0b\ud800\u2028 ü'
    text = first(title=typed, description=typed, location=typed, guests=(Guest("a@b.example", typed),))
    [found] = Calendar.from_ical(text).walk("VEVENT")
    assert str(found["SUMMARY"]) == str(found["LOCATION"]) == 'Ada;"the, \\ Great"\nEND:VEVENT\u2028 ü'
    assert found["ATTENDEE"].params["CN"] == "Ada;'the, \\ Great' END:VEVENT\u2028 ü"
    assert vobject.readOne(text.decode()).vevent.summary.value == str(found["SUMMARY"])


def test_times_are_those_of_the_zone_and_the_zone_is_defined() -> None:
    text = first()
    assert event(text)["DTSTART"].to_ical() == b"20260302T100000"
    assert event(text)["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert vobject.readOne(text.decode()).vevent.dtstart.value.astimezone(UTC) == NINE
    assert b"TZID:Europe/Berlin" in text


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "No/Where", ""])
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    assert b"DTSTART:20260302T090000Z" in first(zone=zone)


def test_moving_to_another_zone_defines_it_anew() -> None:
    after = edited(stored(first(), "1"), replace(DEMO, zone="America/New_York"), key="k2", now=NOW, guests=True)
    assert vobject.readOne(after.decode()).vevent.dtstart.value.astimezone(UTC) == NINE
    assert after.count(b"BEGIN:VTIMEZONE") == 1


def test_a_definition_of_somebodys_own_zone_stays() -> None:
    text = first().replace(b"BEGIN:VEVENT", OWN_ZONE + b"BEGIN:VEVENT")
    text = text.replace(b"END:VEVENT", b"X-AT;TZID=Own:20260302T090000\r\nEND:VEVENT")
    assert b"TZID:Own" in edited(stored(text, "1"), DEMO, key="k2", now=NOW, guests=True)


def test_a_text_of_ours_that_did_not_change_leaves_what_the_owner_made_of_it() -> None:
    text = first(description="Old", location="Room 1").replace(b"SUMMARY:Demo", b"SUMMARY:Mine")
    text = text.replace(b"LOCATION:Room 1\r\n", b"").replace(b"DESCRIPTION:Old", b"DESCRIPTION:Mine")
    found = moved(text, description="New", location="Room 1")
    assert (str(found["SUMMARY"]), str(found["DESCRIPTION"]), "LOCATION" in found) == ("Mine", "New", False)


def test_an_event_that_its_owner_shows_as_free_stays_free_until_we_say_otherwise() -> None:
    text = first().replace(b"TRANSP:OPAQUE", b"TRANSP:TRANSPARENT")
    assert str(moved(text)["TRANSP"]) == "TRANSPARENT"
    assert str(moved(text, blocks=False)["TRANSP"]) == "TRANSPARENT"
    assert str(moved(first(blocks=False))["TRANSP"]) == "OPAQUE"


def test_a_cancelled_event_stands_again_when_it_is_moved() -> None:
    text = (
        first()
        .replace(b"STATUS:CONFIRMED", b"STATUS:CANCELLED")
        .replace(b"DTEND;TZID=Europe/Berlin:20260302T110000", b"DURATION:PT3H")
    )
    found = moved(text)
    assert (str(found["STATUS"]), found["DTEND"].dt, "DURATION" in found) == ("CONFIRMED", DEMO.end, False)


def test_guests_of_the_owner_stay_ours_come_and_go_and_answers_are_kept() -> None:
    text = first(guests=(Guest("ada@globex.example"), Guest("bob@globex.example")))
    text = text.replace(b"END:VEVENT", b"ATTENDEE;CN=Colleague:mailto:cy@acme.example\r\nEND:VEVENT")
    text = text.replace(b"SCHEDULE-AGENT=CLIENT:mailto:ada", b"SCHEDULE-AGENT=CLIENT;PARTSTAT=ACCEPTED:mailto:ada")
    assert text.count(b"PARTSTAT=ACCEPTED") == 1
    found = moved(text, guests=(Guest("Ada@globex.example"), Guest("dan@globex.example")))
    assert sorted(map(str, found["ATTENDEE"])) == [f"mailto:{who}" for who in (
        "ada@globex.example", "cy@acme.example", "dan@globex.example",
    )]  # fmt: skip
    assert [one.params.get("PARTSTAT") for one in found["ATTENDEE"] if "ada" in one] == ["ACCEPTED"]


def test_without_guests_nobody_is_named() -> None:
    bare = new(replace(DEMO, organizer=Guest("g@acme.example")), key="k1", now=NOW, guests=False)
    assert not {"ATTENDEE", "ORGANIZER"} & set(event(bare))


def test_of_a_series_that_the_owner_made_of_it_the_series_is_moved() -> None:
    other = (
        b"BEGIN:VEVENT\r\nUID:mtg@usher\r\nRECURRENCE-ID:20260309T090000Z\r\nDTSTART:20260309T120000Z\r\nEND:VEVENT\r\n"
    )
    text = (
        first()
        .replace(b"BEGIN:VEVENT", other + b"BEGIN:VEVENT", 1)
        .replace(b"STATUS:", b"RRULE:FREQ=WEEKLY\r\nSTATUS:")
    )
    found = moved(text, start=NINE + timedelta(hours=5), end=NINE + timedelta(hours=6))
    assert (found["DTSTART"].dt, "RRULE" in found, "RECURRENCE-ID" in found) == (NINE + timedelta(hours=5), True, False)


def test_only_the_latest_keys_are_kept() -> None:
    text = first()
    for n in range(30):
        text = edited(stored(text, "1"), DEMO, key=f"update {n}", now=NOW, guests=True)
    found = stored(text, "1")
    assert (found.carries("update 29"), found.carries("update 3"), found.carries("k1")) == (True, False, False)


def test_one_key_is_one_name() -> None:
    assert name_of("mtg_1:calendar") == name_of("mtg_1:calendar") != name_of("mtg_2:calendar")


@pytest.mark.parametrize("text", [b"", b"<html>", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", b"\xff\xfe"])
def test_what_is_no_event_is_not_edited(text: bytes) -> None:
    with pytest.raises(Permanent):
        stored(text, "1")
