"""Events in Google calendars: ids from our keys, what their owner made of them, Meet links, changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from plugins.calendar import Change, EventRef, Guest
from plugins.calendar.google import Google
from plugins.calendar.google.events import event_id
from plugins.errors import Conflict, CursorExpired, Duplicate, InvalidInput, NotFound, Permanent, Transient
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.calendar_samples import DAY, DEMO, at
from plugins.testing.conformance import LOOPBACK
from plugins.testing.fakes import Fault
from plugins.testing.fakes.google import GoogleFake
from plugins.testing.foreign_events import event
from plugins.tokens import MemoryTokens
from tests.plugins.calendar.test_google import OWNER, addressed, hold_to_description

ADA = "ada@globex.example"


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleFake]:
    with GoogleFake() as fake:
        yield fake


@pytest.fixture
def fake(google: GoogleFake) -> Iterator[GoogleFake]:
    google.reset()
    google.calendar(OWNER)
    yield google
    hold_to_description(google)


@pytest.fixture
def opened(fake: GoogleFake) -> Iterator[Any]:
    """Opens the adapter with these settings."""
    adapters: list[Google] = []

    def open_(**settings: Any) -> Google:
        tokens = MemoryTokens(fake.grant(OWNER))
        given, registry = addressed(fake, **settings), Registry(discover=list)
        adapters.append(
            registry.open("calendar", "google", given, records=MemoryRecords(), tokens=tokens, private=LOOPBACK)
        )
        return adapters[-1]

    yield open_
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def subject(opened: Any) -> Google:
    return opened()


def busy(subject: Google) -> list[datetime]:
    found = subject.busy([OWNER], DAY)[OWNER]
    assert found.error is None
    return [time.start for time in found.times]


def test_an_event_has_an_id_made_from_the_key_and_nobody_is_mailed(subject: Google, fake: GoogleFake) -> None:
    draft = replace(DEMO, organizer=Guest(OWNER, "Grace"), description="Ada <ada@globex.example> & co\n+49 30")
    ref = subject.create(OWNER, draft, key="mtg_1:calendar:0")
    [made] = fake.there(OWNER)
    assert re.fullmatch("[a-v0-9]{5,1024}", ref.id)
    assert made["id"] == ref.id == event_id("mtg_1:calendar:0")
    assert "attendees" not in made
    assert fake.mails == []
    assert made["description"] == "Ada &lt;ada@globex.example&gt; &amp; co\n+49 30"
    assert (made["start"]["dateTime"], made["start"]["timeZone"]) == ("2026-03-02T12:00:00Z", "Europe/Berlin")
    assert ref.url.startswith("https://www.google.com/calendar/")


def test_a_key_whose_event_was_deleted_makes_another_one_and_each_repeat_that_one(
    subject: Google, fake: GoogleFake
) -> None:
    first = subject.create(OWNER, DEMO, key="k1")
    fake.remove(OWNER, first.id)
    second = subject.create(OWNER, DEMO, key="k1")
    assert second.id == event_id("k1", 1) == subject.create(OWNER, DEMO, key="k1").id
    assert [one["id"] for one in fake.there(OWNER)] == [second.id]
    for turn in range(1, 5):
        fake.remove(OWNER, event_id("k1", turn)) if event_id("k1", turn) in fake.all[OWNER].events else None
        if turn < 4:
            subject.create(OWNER, DEMO, key="k1")
    with pytest.raises(Permanent):
        subject.create(OWNER, DEMO, key="k1")


def test_an_id_that_somebody_else_has_taken_is_a_duplicate_and_is_named(subject: Google, fake: GoogleFake) -> None:
    fake.all[OWNER].new({"id": event_id("k1"), "start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}})
    with pytest.raises(Duplicate) as caught:
        subject.create(OWNER, DEMO, key="k1")
    assert caught.value.existing == event_id("k1")


def test_an_id_that_is_taken_by_an_event_not_yet_to_be_seen_is_tried_again_later(
    subject: Google, fake: GoogleFake
) -> None:
    subject.create(OWNER, DEMO, key="k1")
    fake.faults.add(Fault(404), on=r"^GET ", times=1)
    with pytest.raises(Transient):
        subject.create(OWNER, DEMO, key="k1")
    assert subject.create(OWNER, DEMO, key="k1").id == event_id("k1")


def test_what_the_owner_made_of_a_meeting_stays_when_it_is_moved(subject: Google, fake: GoogleFake) -> None:
    ref = subject.create(OWNER, replace(at(9), location="Room 1"), key="k1")
    colleague = {"email": "joan@acme.example", "responseStatus": "accepted"}
    fake.edit(OWNER, ref.id, summary="Demo (bring slides)", colorId="5", attendees=[colleague])
    subject.update(replace(ref, version=""), replace(at(15), location="Room 2"), key="k2")
    now = fake.event(OWNER, ref.id)
    assert (now["summary"], now["location"], now["colorId"]) == ("Demo (bring slides)", "Room 2", "5")
    assert now["attendees"] == [colleague]
    assert fake.mails == [("joan@acme.example", "told")]
    assert busy(subject) == [at(15).start]


def test_an_event_moved_by_its_owner_is_a_conflict_and_stays_unless_the_version_does_not_matter(
    subject: Google, fake: GoogleFake
) -> None:
    ref = subject.create(OWNER, at(9), key="k1")
    fake.move(OWNER, ref.id, timedelta(hours=2))
    with pytest.raises(Conflict):
        subject.update(ref, at(15), key="k2")
    assert busy(subject) == [at(11).start]
    subject.update(replace(ref, version=""), at(15), key="k3")
    assert busy(subject) == [at(15).start]


def test_an_answer_or_a_meet_link_that_came_meanwhile_is_no_conflict(subject: Google, fake: GoogleFake) -> None:
    ref = subject.create(OWNER, replace(at(9), video=True), key="k1")
    fake.finish_meetings()
    fake.edit(OWNER, ref.id, attendees=[{"email": ADA, "responseStatus": "accepted"}])
    assert subject.update(ref, replace(at(10), video=True), key="k2").video_url
    assert busy(subject) == [at(10).start]


def test_a_late_repeat_of_an_update_undoes_nothing_that_the_owner_did(subject: Google, fake: GoogleFake) -> None:
    ref = replace(subject.create(OWNER, at(9), key="k1"), version="")
    subject.update(ref, at(10), key="k2")
    fake.move(OWNER, ref.id, timedelta(hours=3))
    subject.update(ref, at(10), key="k2")
    assert busy(subject) == [at(13).start]


def test_who_writes_between_our_look_and_our_word_is_not_overwritten(subject: Google, fake: GoogleFake) -> None:
    ref = subject.create(OWNER, at(9), key="k1")
    subject.update(ref, at(10), key="k2")
    [patched] = [one for one in fake.asked if one.method == "PATCH"]
    assert patched.headers["If-Match"].strip('"').isdigit()
    fake.faults.add(Fault(412), on="^PATCH", times=1)
    with pytest.raises(Transient):
        subject.update(replace(ref, version=""), at(11), key="k3")
    assert busy(subject) == [at(10).start]


def test_an_event_made_a_whole_day_by_its_owner_goes_back_to_its_hour(subject: Google, fake: GoogleFake) -> None:
    ref = subject.create(OWNER, at(9), key="k1")
    whole_day = {"dateTime": None, "timeZone": None}
    fake.edit(OWNER, ref.id, start={"date": "2026-03-02", **whole_day}, end={"date": "2026-03-03", **whole_day})
    subject.update(replace(ref, version=""), at(15), key="k2")
    assert busy(subject) == [at(15).start]
    assert "date" not in fake.event(OWNER, ref.id)["start"]


def test_a_zone_that_google_does_not_know_is_utc(subject: Google, fake: GoogleFake) -> None:
    subject.create(OWNER, replace(DEMO, zone="Mars/Olympus"), key="k1")
    assert fake.there(OWNER)[0]["start"]["timeZone"] == "UTC"


def test_guests_are_invited_by_google_where_the_owner_wants_it_and_keep_their_answers(
    opened: Any, fake: GoogleFake
) -> None:
    subject = opened(invite="yes")
    ref = subject.create(OWNER, replace(at(9), guests=(Guest(ADA, "Ada"), Guest("bob@globex.example"))), key="k1")
    assert fake.mails == [(ADA, "invited"), ("bob@globex.example", "invited")]
    answered = fake.event(OWNER, ref.id)["attendees"]
    answered[0]["responseStatus"] = "accepted"
    fake.edit(OWNER, ref.id, attendees=[*answered, {"email": "joan@acme.example", "responseStatus": "needsAction"}])
    subject.update(ref, replace(at(10), guests=(Guest(ADA.upper(), "Ada"), Guest("cy@globex.example"))), key="k2")
    now = {one["email"]: one["responseStatus"] for one in fake.event(OWNER, ref.id)["attendees"]}
    assert now == {ADA: "accepted", "cy@globex.example": "needsAction", "joan@acme.example": "needsAction"}
    subject.cancel(ref, key="k3")
    assert (ADA, "cancelled") in fake.mails


def test_a_meet_link_is_asked_for_once_and_awaited(subject: Google, fake: GoogleFake) -> None:
    fake.meet_reads = 1_000
    ref = subject.create(OWNER, replace(DEMO, video=True), key="k1")
    assert ref.video_url == ""
    with pytest.raises(Transient):
        subject.video(ref)
    subject.update(ref, replace(at(9), video=True), key="k2")
    requests = {
        one.json()["conferenceData"]["createRequest"]["requestId"] for one in fake.asked if b"createRequest" in one.body
    }
    assert requests == {event_id("k1")}
    fake.finish_meetings()
    assert subject.video(ref).video_url.startswith("https://meet.google.com/")


def test_a_meet_link_that_will_never_be_is_not_waited_for(subject: Google, fake: GoogleFake) -> None:
    fake.meet = "failure"
    ref = subject.create(OWNER, replace(DEMO, video=True), key="k1")
    for missing in (ref, subject.create(OWNER, at(15), key="k2"), EventRef(OWNER, "nothing00", "")):
        with pytest.raises(NotFound):
            subject.video(missing)


def test_an_account_without_meet_names_the_video(subject: Google, fake: GoogleFake) -> None:
    fake.meet = ""
    with pytest.raises(InvalidInput) as caught:
        subject.create(OWNER, replace(DEMO, video=True), key="k1")
    assert (caught.value.field, "Meet" in caught.value.user_message) == ("video", True)


def test_changes_name_our_events_by_our_uid_and_read_nothing_about_others(subject: Google, fake: GoogleFake) -> None:
    ours = subject.create(OWNER, at(9), key="k1")
    start = subject.changes(OWNER)
    assert [(item.ref.id, item.uid, item.ref.version) for item in start.items] == [(ours.id, at(9).uid, ours.version)]
    fake.move(OWNER, ours.id, timedelta(hours=1))
    me = f"ATTENDEE;PARTSTAT=DECLINED:mailto:{OWNER}"
    fake.put(OWNER, event("DTSTART:20260302T150000Z", "DURATION:PT1H", "SUMMARY:Doctor", me, uid="own@acme.example"))
    fake.put(OWNER, event("DTSTART;VALUE=DATE:20260305", "TRANSP:TRANSPARENT", uid="day@acme.example"))
    moved, declined, day = subject.changes(OWNER, start.cursor).items
    assert (moved.uid, moved.start, moved.end, moved.blocks) == (at(9).uid, at(10).start, at(10).end, True)
    assert moved.ref.version != ours.version
    assert (declined.uid, declined.blocks) == ("own@acme.example", False)
    assert (day.start, day.blocks) == (datetime(2026, 3, 4, 23, tzinfo=UTC), False)
    lists = [one.url for one in fake.asked if one.path.endswith("/events") and one.method == "GET"]
    assert all("fields=" in url and "summary" not in url and "description" not in url for url in lists)
    assert subject.update(moved.ref, at(16), key="k2").id == ours.id


def test_a_series_is_one_change_and_its_odd_instances_are_others(subject: Google, fake: GoogleFake) -> None:
    series = event("DTSTART;TZID=Europe/Berlin:20260302T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY", uid="series")
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260304T090000", "DTSTART;TZID=Europe/Berlin:20260304T150000",
        "DURATION:PT1H", uid="series",
    )  # fmt: skip
    whole, instance = fake.put(OWNER, series + moved)
    items = {item.ref.id: item for item in subject.changes(OWNER).items}
    assert items.keys() == {whole, instance}
    assert items[whole].start == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert items[instance].start == datetime(2026, 3, 4, 14, tzinfo=UTC)


def test_an_event_of_ours_made_a_series_by_its_owner_is_still_there(subject: Google, fake: GoogleFake) -> None:
    ref = subject.create(OWNER, at(9), key="k1")
    start = subject.changes(OWNER)
    fake.edit(OWNER, ref.id, recurrence=["RRULE:FREQ=WEEKLY"])
    [item] = subject.changes(OWNER, start.cursor).items
    assert (item.ref.id, item.what, item.start) == (ref.id, Change.CHANGED, at(9).start)


def test_the_present_state_does_not_tell_of_what_is_gone(subject: Google, fake: GoogleFake) -> None:
    subject.cancel(subject.create(OWNER, at(9), key="k1"), key="k2")
    assert subject.changes(OWNER).items == ()


def test_what_is_new_comes_page_by_page_and_nothing_that_is_old(subject: Google, fake: GoogleFake) -> None:
    subject.create(OWNER, at(8), key="k0")
    cursor = subject.changes(OWNER).cursor
    made = [subject.create(OWNER, at(9 + n), key=f"k{n + 1}").id for n in range(3)]
    fake.page, seen, more = 1, [], True
    while more:
        page = subject.changes(OWNER, cursor)
        seen += [item.ref.id for item in page.items]
        cursor, more = page.cursor, page.more
    assert seen == made


def test_what_is_deleted_is_told_although_every_page_is_asked_for_in_the_same_words(
    subject: Google, fake: GoogleFake
) -> None:
    ref = subject.create(OWNER, at(9), key="k1")
    start = subject.changes(OWNER)
    subject.cancel(ref, key="k2")
    [item] = subject.changes(OWNER, start.cursor).items
    assert (item.ref.id, item.what) == (ref.id, Change.DELETED)
    lists = [parse_qs(urlsplit(one.url).query) for one in fake.asked if one.path.endswith("/events")]
    first, second = (one for one in lists if "fields" in one and "maxResults" in one)
    assert second.keys() - first.keys() == {"syncToken"}
    assert {name: second[name] for name in first} == first


def test_a_place_that_google_has_forgotten_asks_for_a_new_start(subject: Google, fake: GoogleFake) -> None:
    fake.page = 1
    for n in range(3):
        subject.create(OWNER, at(9 + n), key=f"k{n}")
    first = subject.changes(OWNER)
    assert first.more
    for cursor in ('{"pageToken": "nonsense"}', '{"syncToken": "nonsense"}', '{"what": "else"}', "[]"):
        with pytest.raises(CursorExpired):
            subject.changes(OWNER, cursor)
    fake.page = 100
    last = subject.changes(OWNER)
    fake.forget_changes()
    with pytest.raises(CursorExpired):
        subject.changes(OWNER, last.cursor)
    assert json.loads(subject.changes(OWNER).cursor).keys() == {"syncToken"}
