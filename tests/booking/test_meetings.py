"""A booked meeting over its life: booked once, moved, cancelled, held, missed; and what the outside hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import vobject
from icalendar import Calendar
from pydantic import TypeAdapter
from sqlalchemy import select

from plugins.calendar import Draft
from plugins.notify import Mail
from server import clock, events, ids
from server.booking import service as booking
from server.booking.tables import cells, meetings
from server.errors import Conflict, Gone, Invalid, NotFound, SlotTaken
from server.events import Actor
from server.leads import service as leads
from server.outbox import service as outbox
from server.routing import ledger
from server.routing import service as routing
from tests.booking.conftest import ADA, GOAL, NINE

HOUR = timedelta(hours=1)
VISITOR, REP = Actor("visitor", "vis_1"), Actor("rep", "grace")


def deliveries(db, meeting, kind=None, state=None):
    with db.reading() as tx:
        found = outbox.of_subject(tx, "meeting", meeting.id)
    return [one for one in found if kind in (None, one.kind) and state in (None, one.state)]


def mails(db, meeting, since=0):
    """(to, subject, method, ICS) of each mail that is not a reminder."""
    found = [one.payload["mail"] for one in deliveries(db, meeting, "notify") if "reminder" not in one.key]
    return [(one["to"], one["subject"], one["calendar"]["method"], one["calendar"]["ics"]) for one in found[since:]]


def event_of(ics):
    return next(one for one in Calendar.from_ical(ics).walk("VEVENT"))


def counts(db, version, pool="sales"):
    with db.reading() as tx:
        found = ledger.tally(tx, version.site_id, routing.pool_of(version, pool), clock.now()).counts
    return {rep: int(count) for rep, count in found.items() if count}


def test_a_confirmed_hold_is_a_meeting_that_everybody_hears_of(db, version, book):
    meeting = book()
    assert (meeting.status, meeting.name, meeting.email) == ("booked", "Ada Byron", "Ada@globex.example")
    assert [(one.kind, one.operation) for one in deliveries(db, meeting)] == [
        ("calendar", "create"), ("notify", "send_mail"), ("notify", "send_mail"), ("notify", "send_mail"),
    ]  # fmt: skip
    with db.reading() as tx:
        booked = [
            event for event in events.of_subject(tx, "meeting", meeting.id) if event.name == events.MEETING_BOOKED
        ]
        lead = leads.known(tx, meeting.lead_id).lead
    assert booked[0].data["rep"] == meeting.rep
    assert (lead["name"], lead["email"]) == ("Ada Byron", "Ada@globex.example")


def test_payloads_are_what_adapters_take(db, version, book):
    meeting = book()
    by_operation = {one.operation: one.payload for one in deliveries(db, meeting) if one.operation != "send_mail"}
    draft = TypeAdapter(Draft).validate_python(by_operation["create"]["draft"])
    assert (draft.uid, draft.start, draft.organizer.email) == (meeting.uid, NINE, "grace@acme.example")
    assert by_operation["create"]["calendar"] == "grace@acme.example"
    for one in deliveries(db, meeting, "notify"):
        assert TypeAdapter(Mail).validate_python(one.payload["mail"]).from_address == "hello@acme.example"


def test_the_invitation_can_be_read_by_other_calendars(db, version, book):
    meeting = book()
    (to, subject, method, ics), (to_rep, *_) = mails(db, meeting)
    assert (to, to_rep, subject, method) == (
        "Ada@globex.example", "grace@acme.example", "Booked: Product demo with Grace Hopper", "REQUEST",
    )  # fmt: skip
    event = event_of(ics)
    assert (str(event["UID"]), event["SEQUENCE"], event["DTSTART"].dt, event["DTEND"].dt) == (
        meeting.uid, 0, NINE, NINE + HOUR / 2,
    )  # fmt: skip
    assert str(event["DTSTART"].params["TZID"]) == "America/New_York"
    assert str(event["ORGANIZER"]) == "mailto:grace@acme.example"
    other = vobject.readOne(ics)
    assert other.method.value == "REQUEST"
    assert str(other.vtimezone.tzid.value) == "America/New_York"
    assert other.vevent.attendee.value == "mailto:Ada@globex.example"
    assert other.vevent.dtstart.value == NINE
    assert all(len(line.encode()) <= 75 for line in ics.split("\r\n"))
    assert ics.endswith("END:VCALENDAR\r\n")


def test_mail_tells_the_time_in_the_readers_zone_and_language(db, version, book):
    meeting = book(who=ADA | {"locale": "de-AT", "zone": "Asia/Kathmandu"})
    to_visitor, to_rep = (one.payload["mail"] for one in deliveries(db, meeting, "notify")[:2])
    assert to_visitor["subject"] == "Gebucht: Produktvorführung mit Grace Hopper"
    assert "Dienstag, 3. März 2026, 13:45 – 14:15 (GMT+05:45)" in to_visitor["text"]
    assert "Dienstag, 3. März 2026, 13:45" in to_visitor["html"]
    assert "Tuesday, 3 March 2026, 09:00" in to_rep["text"]
    assert "What would you like to see?: Funnels" in to_rep["text"]
    assert "/m/" in to_visitor["text"]
    assert "/m/" not in to_rep["text"]
    assert "/m/" not in to_rep["calendar"]["ics"].replace("\r\n ", "")


def test_what_a_visitor_types_cannot_break_out_of_the_mail(db, version, book):
    meeting = book(who=ADA | {"name": "Ada\r\nBcc: all@acme.example <b>"})
    to_visitor, to_rep = (one.payload["mail"] for one in deliveries(db, meeting, "notify")[:2])
    assert "\n" not in to_rep["subject"] + to_visitor["to_name"]
    assert "<b>" not in to_rep["html"]
    assert "&lt;b&gt;" in to_rep["html"]


def test_reminders_wait_for_their_time_and_those_past_are_left_out(db, version, book):
    meeting = book(NINE + HOUR)
    reminders = [one for one in deliveries(db, meeting, "notify") if "reminder" in one.key]
    assert [meeting.start_at - one.not_before for one in reminders] == [timedelta(days=1), HOUR]
    sooner = book(NINE - timedelta(days=1) + HOUR / 2, who=ADA | {"email": "bob@globex.example"})
    assert [one for one in deliveries(db, sooner, "notify") if "reminder" in one.key] == []


def test_confirming_twice_books_once(db, version):
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE)
        first = booking.confirm(tx, version, held.id, **ADA, **GOAL)
    with db.transaction() as tx:
        assert booking.confirm(tx, version, held.id, **ADA, **GOAL).id == first.id
    assert len(deliveries(db, first)) == 4
    with pytest.raises(Conflict, match="booked already"), db.transaction() as tx:
        booking.confirm(tx, version, held.id, **{**ADA, "email": "eve@globex.example"}, **GOAL)


def test_a_person_with_a_meeting_at_that_time_is_shown_that_one(db, version, book):
    first = book()
    again = book(meeting="intro", who=ADA | {"email": "ada@globex.EXAMPLE"})
    assert again.id == first.id
    with db.reading() as tx:
        assert len(tx.execute(select(meetings)).all()) == 1
    assert sum(counts(db, version).values()) == 1


def test_a_hold_that_is_over_cannot_be_confirmed_but_the_nearest_times_are_told(db, version, monday):
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE)
    monday.advance(timedelta(minutes=5))
    with pytest.raises(Gone) as refusal, db.transaction() as tx:
        booking.confirm(tx, version, held.id, **ADA, **GOAL)
    assert refusal.value.code == "hold_expired"
    assert refusal.value.extra["alternatives"][0] == "2026-03-03T08:00:00Z"
    with pytest.raises(Gone), db.transaction() as tx:
        booking.confirm(tx, version, "mtg_unknown", **ADA, **GOAL)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"name": " \n "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"guests": ["bob"]}, "guests"),
        ({"guests": ["bob@globex.example"] * 11}, "guests"),
        ({"zone": "Moon/Base"}, "zone"),
        ({"answers": {"tools": "many"}}, "answers.goal"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field_and_changes_nothing(db, version, wrong, field):
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE)
    with pytest.raises(Invalid) as refusal, db.transaction() as tx:
        booking.confirm(tx, version, held.id, **{**ADA, **GOAL, **wrong})
    assert refusal.value.field == field
    with db.reading() as tx:
        assert booking.get(tx, held.id).status == "held"


def test_guests_are_invited_without_the_link_that_changes_the_meeting(db, version):
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE)
        told = {"guests": ["bob@globex.example", "bob@globex.example", "Ada@globex.example"]}
        meeting = booking.confirm(tx, version, held.id, **ADA, **GOAL, **told)
    to_bob = next(
        one.payload["mail"] for one in deliveries(db, meeting, "notify") if one.payload["mail"]["to"][0] == "b"
    )
    assert "/m/" not in to_bob["text"] + to_bob["html"] + to_bob["calendar"]["ics"].replace("\r\n ", "")
    attendees = [str(one) for one in event_of(to_bob["calendar"]["ics"])["ATTENDEE"]]
    assert attendees == ["mailto:Ada@globex.example", "mailto:bob@globex.example"]


def test_a_moved_meeting_keeps_its_rep_and_its_uid(db, version, book):
    meeting = book()
    sent = len(mails(db, meeting))
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, meeting.id, NINE + HOUR / 2, by=VISITOR)
    assert (moved.id, moved.rep, moved.uid, moved.status, moved.sequence) == (
        meeting.id, meeting.rep, meeting.uid, "rescheduled", 1,
    )  # fmt: skip
    (to, subject, method, ics), _ = mails(db, moved, sent)
    event = event_of(ics)
    assert (to, subject, method) == ("Ada@globex.example", "New time: Product demo with Grace Hopper", "REQUEST")
    assert (str(event["UID"]), event["SEQUENCE"], event["DTSTART"].dt) == (meeting.uid, 1, NINE + HOUR / 2)
    assert counts(db, version) == {"grace": 1}
    update = deliveries(db, moved, "calendar")[-1]
    whatever_version = {"$result": meeting.calendar_key, "version": ""}
    assert (update.operation, update.payload["ref"]) == ("update", whatever_version)
    reminders = [one for one in deliveries(db, moved, "notify") if "reminder" in one.key]
    assert [one.state for one in reminders] == ["withdrawn", "waiting", "waiting"]


def test_a_rep_who_cannot_hands_over_and_both_organizers_speak(db, version, book):
    meeting = book()
    book(NINE + HOUR, who=ADA | {"email": "bob@globex.example"}, rep="grace")
    sent = len(mails(db, meeting))
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)
    assert moved.rep == "linus"
    told = {(to, method): event_of(ics) for to, _, method, ics in mails(db, moved, sent)}
    assert set(told) == {
        ("grace@acme.example", "CANCEL"), ("Ada@globex.example", "CANCEL"), ("Ada@globex.example", "REQUEST"),
        ("linus@acme.example", "REQUEST"),
    }  # fmt: skip
    old, new = told["Ada@globex.example", "CANCEL"], told["Ada@globex.example", "REQUEST"]
    assert (str(old["ORGANIZER"]), str(new["ORGANIZER"])) == ("mailto:grace@acme.example", "mailto:linus@acme.example")
    assert str(old["UID"]) == str(new["UID"]) == meeting.uid
    assert old["SEQUENCE"] == new["SEQUENCE"] == 1
    assert old["DTSTAMP"].dt < new["DTSTAMP"].dt
    assert str(old["STATUS"]) == "CANCELLED"
    assert [one.operation for one in deliveries(db, moved, "calendar")] == ["create", "cancel", "create"]
    assert counts(db, version) == {"linus": 1}


def test_a_meeting_does_not_stand_in_its_own_way(db, version, book):
    meeting = book(meeting="deep-dive")
    with db.transaction() as tx:
        assert booking.reschedule(tx, version, meeting.id, NINE + HOUR / 2, by=VISITOR).rep == meeting.rep
    with db.reading() as tx:
        held = tx.execute(select(cells).where(cells.c.meeting_id == meeting.id).order_by(cells.c.cell)).all()
    assert [held[0].cell * 300, (held[-1].cell + 1) * 300] == [
        int((NINE + HOUR / 2).timestamp()), int((NINE + HOUR * 1.5).timestamp()),
    ]  # fmt: skip


def test_a_move_that_nobody_can_take_leaves_the_meeting_where_it_was(db, version, book):
    meeting = book()
    with pytest.raises(SlotTaken) as refusal, db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + timedelta(minutes=5), by=VISITOR)
    assert refusal.value.alternatives
    with db.reading() as tx:
        assert booking.get(tx, meeting.id).start_at == NINE
        assert tx.execute(select(cells)).all()


@pytest.mark.parametrize("year", [1, 1111, 9999])
def test_a_meeting_cannot_be_moved_out_of_this_age(db, version, book, year):
    meeting = book()
    with db.transaction() as tx, pytest.raises(Invalid):
        booking.reschedule(tx, version, meeting.id, NINE.replace(year=year), by=VISITOR)


def test_a_cancelled_meeting_frees_its_time_and_gives_the_turn_back(db, version, book):
    meeting = book()
    sent = len(mails(db, meeting))
    with db.transaction() as tx:
        gone = booking.cancel(tx, version, meeting.id, by=VISITOR, reason="No budget")
        assert booking.cancel(tx, version, meeting.id, by=VISITOR).sequence == gone.sequence == 1
    assert counts(db, version) == {}
    to_visitor, to_rep = mails(db, gone, sent)
    assert (to_visitor[2], to_rep[2]) == ("CANCEL", "CANCEL")
    assert (event_of(to_visitor[3])["SEQUENCE"], str(event_of(to_visitor[3])["UID"])) == (1, meeting.uid)
    assert deliveries(db, gone, "calendar")[-1].operation == "cancel"
    assert not [one for one in deliveries(db, gone, "notify", "waiting") if "reminder" in one.key]
    assert book(rep="grace").start_at == NINE
    with pytest.raises(Gone, match="cancelled"), db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=VISITOR)


def test_a_visitor_who_cancels_late_keeps_the_turn_counted_where_the_pool_says_so(db, version, book, monday):
    meeting = book(pool="late")
    monday.advance(timedelta(hours=2))
    with db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=VISITOR)
    assert counts(db, version, "late") == {"margaret": 1}


def test_a_meeting_is_done_or_missed_only_after_it_began(db, version, book, monday):
    meeting = book()
    with pytest.raises(Conflict, match="not begun"), db.transaction() as tx:
        booking.mark(tx, version, meeting.id, "done", by=REP)
    monday.advance(timedelta(days=2))
    with db.transaction() as tx:
        assert booking.mark(tx, version, meeting.id, "done", by=REP).status == "done"
    assert counts(db, version) == {"grace": 1}
    with db.transaction() as tx:
        assert booking.mark(tx, version, meeting.id, "no_show", by=REP).status == "no_show"
    assert counts(db, version) == {}
    with pytest.raises(Gone), db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=VISITOR)


def test_the_link_in_the_mail_leads_to_its_meeting_and_no_other_text_does(db, version, book):
    meeting = book()
    token = booking.token_of(meeting.id)
    with db.reading() as tx:
        assert booking.find_by_token(tx, token).id == meeting.id
        for wrong in (token[:-2] + "xx", ids.sign("sign-in", meeting.id), ids.sign("meeting", "mtg_none"), ""):
            with pytest.raises(NotFound):
                booking.find_by_token(tx, wrong)


def test_a_visitor_sees_a_meeting_as_the_protocol_says(db, version, book):
    meeting = book()
    seen = booking.shown(version, meeting)
    assert set(seen) == {
        "id", "name", "status", "start", "end", "zone", "rep", "location", "manage_url", "ics_url", "google_url",
        "outlook_url",
    }  # fmt: skip
    assert seen["start"] == "2026-03-03T08:00:00Z"
    assert seen["location"] == "https://meet.example/grace"
    assert "dates=20260303T080000Z%2F20260303T083000Z" in seen["google_url"]
    with db.reading() as tx:
        assert "METHOD:PUBLISH" in booking.invitation(tx, version, meeting)


def test_a_rep_sees_their_own_meetings(db, version, book):
    first = book()
    second = book(NINE + HOUR, who=ADA | {"email": "bob@globex.example"}, rep="linus")
    with db.reading() as tx:
        week = (NINE - HOUR, NINE + timedelta(days=7))
        assert [one.id for one in booking.for_rep(tx, version.site_id, "grace", *week)] == [first.id]
        assert [one.id for one in booking.list_for(tx, [version.site_id])] == [first.id, second.id]
