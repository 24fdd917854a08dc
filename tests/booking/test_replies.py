"""What follows from answers to invitations that come by mail, and what is left alone."""

from __future__ import annotations

import base64
from datetime import timedelta
from weakref import WeakKeyDictionary

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.errors import Transient
from plugins.inbox import Inbox, Message, Received
from server import clock, events
from server.booking import service as booking
from server.booking.invitations.reply import Unusable, read
from server.booking.replies import read_mailbox
from server.db import Database
from server.events import Actor
from server.outbox import service as outbox
from server.people import service as people
from server.privacy import service as privacy
from tests.booking.answers import STAMP, apple, event_of, gmail, outlook
from tests.booking.conftest import ADA, GOAL, NINE, SITE
from tests.booking.test_meetings import counts, deliveries

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BOB, EVE = "bob@globex.example", "eve@evil.example"
ADDRESS = "ada@globex.example"
SHAPES = pytest.mark.parametrize("program", [gmail, outlook, apple])


class Pile(Inbox):
    """A mailbox in a list; the real one is in test_replies_by_mail.py."""

    def __init__(self, *mails: bytes) -> None:
        self.messages = [Message(str(number), raw) for number, raw in enumerate(mails)]
        self.broken = False

    def fetch(self, position: str = "", *, most: int = 2) -> Received:
        if self.broken:
            raise Transient("away", user_message="The mail server is away.")
        start = int(position or 0)
        found = self.messages[start : start + most]
        return Received(tuple(found), str(start + len(found)), start + len(found) < len(self.messages))

    def close(self) -> None:
        pass


PILES: WeakKeyDictionary[Database, Pile] = WeakKeyDictionary()


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


@pytest.fixture
def version(apply):
    return apply(site=SITE.replace("hello@acme.example", "hello@acme.example, replies: meet@acme.example"))


@pytest.fixture
def meeting(db, version):
    """Ada meets grace and has invited Bob."""
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE)
        return booking.confirm(tx, version, held.id, **ADA, **GOAL, guests=["Bob@globex.example"])


@pytest.fixture
def ics(db, meeting):
    return invitation(db, meeting)


def invitation(db, meeting):
    return [one for one in deliveries(db, meeting, "notify") if "visitor" in one.key][-1].payload["mail"]["calendar"][
        "ics"
    ]


def receive(db, *mails):
    """What was done with these mails, which come after those of before."""
    pile = mails[0] if isinstance(mails[0], Pile) else PILES.setdefault(db, Pile())
    if pile is not mails[0]:
        pile.messages += [Message(str(number), raw) for number, raw in enumerate(mails)]
    return dict(read_mailbox(db, lambda: pile))


def now(db, meeting):
    with db.reading() as tx:
        return booking.get(tx, meeting.id)


def told(db, meeting, kind):
    return [one.payload["mail"] for one in deliveries(db, meeting, "notify") if f":{kind}" in one.key]


def diary(db, meeting):
    with db.reading() as tx:
        found = events.of_subject(tx, "meeting", meeting.id)
    return [
        (one.actor_kind, one.data["role"], one.data["answer"]) for one in found if one.name == events.MEETING_ANSWERED
    ]


@SHAPES
def test_a_visitor_who_declines_has_cancelled(db, version, meeting, ics, program):
    begun = len(told(db, meeting, "cancelled"))
    assert receive(db, program(ics, ADDRESS)) == {"cancelled": 1}
    after = now(db, meeting)
    assert (after.status, after.ended_by, after.sequence) == ("cancelled", "visitor", 1)
    assert counts(db, version) == {}
    assert len(told(db, meeting, "cancelled")) > begun
    assert {one["calendar"]["method"] for one in told(db, meeting, "cancelled")} == {"CANCEL"}
    assert diary(db, meeting) == [("visitor", "visitor", "DECLINED")]
    with db.transaction() as tx:
        assert booking.hold(tx, version, meeting="demo", start=NINE, rep="grace").start_at == NINE


def test_the_words_of_an_answer_are_the_reason(db, meeting, ics):
    assert receive(db, outlook(ics, ADDRESS)) == {"cancelled": 1}
    assert now(db, meeting).end_reason == "Sorry, I am away"
    assert "Sorry, I am away" in told(db, meeting, "rep_cancelled")[0]["text"]


def test_a_visitor_who_declines_late_keeps_the_turn_counted_where_the_pool_says_so(db, version, book, monday):
    meeting = book(pool="late")
    text = invitation(db, meeting)
    monday.advance(2 * HOUR)
    assert receive(db, gmail(text, ADDRESS)) == {"cancelled": 1}
    assert counts(db, version, "late") == {"margaret": 1}


@SHAPES
def test_a_guest_who_declines_is_taken_off_and_the_rep_is_told(db, version, meeting, ics, program):
    assert receive(db, program(ics, BOB)) == {"guest taken off": 1}
    after = now(db, meeting)
    assert (after.status, after.guests, after.sequence) == ("booked", [], 0)
    [word] = told(db, meeting, "rep_guest_declined")
    assert word["to"] == "grace@acme.example"
    assert "Bob@globex.example" in word["subject"]
    assert word.get("calendar") is None
    update = deliveries(db, meeting, "calendar")[-1]
    assert (update.operation, update.payload["ref"]["$result"]) == ("update", meeting.calendar_key)
    assert [one["email"] for one in update.payload["draft"]["guests"]] == ["Ada@globex.example"]
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, meeting.id, NINE + HOUR / 2, by=Actor("visitor"))
    assert BOB not in invitation(db, moved).lower()
    assert deliveries(db, moved, "calendar")[-1].payload["ref"]["$result"] == update.key


@SHAPES
@pytest.mark.parametrize("answer", ["ACCEPTED", "TENTATIVE"])
def test_a_yes_or_a_maybe_is_noted_with_the_meeting(db, meeting, ics, program, answer):
    before = len(deliveries(db, meeting))
    assert receive(db, program(ics, ADDRESS, answer), program(ics, BOB, answer)) == {"noted": 2}
    assert {name: one["answer"] for name, one in now(db, meeting).replies.items()} == {ADDRESS: answer, BOB: answer}
    assert diary(db, meeting) == [("visitor", "visitor", answer), ("visitor", "guest", answer)]
    assert (now(db, meeting).status, len(deliveries(db, meeting))) == ("booked", before)


def test_a_host_who_declines_cancels_nothing_but_is_asked_to_hand_over_with_who_looks_after_him(db, meeting, ics):
    for role in ("supervisor", "owner"):
        people.add(db, email=f"{role}@acme.example", name=role, role=role, password="a long pass phrase 1")
    assert receive(db, outlook(ics, "grace@acme.example")) == {"host declined": 1}
    assert now(db, meeting).status == "booked"
    words = told(db, meeting, "rep_declined")
    assert sorted(one["to"] for one in words) == ["grace@acme.example", "supervisor@acme.example"]
    assert all(f"/meetings/{meeting.id}" in one["text"] for one in words)
    assert diary(db, meeting) == [("rep", "host", "DECLINED")]
    wish = outlook(ics, "grace@acme.example", "TENTATIVE", wished=NINE + HOUR, stamp=STAMP + MINUTE)
    assert receive(db, wish) == {"another time wished": 1}
    assert told(db, meeting, "rep_wished") == told(db, meeting, "wished") == []


def test_a_visitor_who_proposes_another_time_gets_the_link_to_choose_one(db, meeting, ics):
    wish = outlook(ics, ADDRESS, "TENTATIVE", wished=NINE + 2 * HOUR)
    again = outlook(ics, ADDRESS, "TENTATIVE", wished=NINE + HOUR, stamp=STAMP + MINUTE)
    assert receive(db, wish, again) == {"another time wished": 2}
    [to_visitor] = told(db, meeting, "wished")
    assert "/m/" in to_visitor["text"]
    assert "5:00\u202fAM" in to_visitor["text"]  # ten in UTC, on her clock in New York
    assert to_visitor.get("calendar") is None
    [to_rep] = told(db, meeting, "rep_wished")
    assert "Tuesday, 3 March 2026, 11:00" in to_rep["text"]
    assert now(db, meeting).start_at == NINE


def test_an_answer_counts_once_and_a_later_one_overrules_it(db, meeting, ics):
    yes, no = gmail(ics, BOB, "ACCEPTED"), gmail(ics, BOB, "TENTATIVE", stamp=STAMP + MINUTE)
    assert receive(db, yes, yes) == {"noted": 1, "seen before": 1}
    assert receive(db, no, yes) == {"noted": 1, "seen before": 1}
    assert now(db, meeting).replies[BOB]["answer"] == "TENTATIVE"
    assert len(diary(db, meeting)) == 2


def test_an_answer_to_an_invitation_of_before_a_move_changes_nothing(db, version, meeting, ics):
    with db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + HOUR / 2, by=Actor("visitor"))
    assert receive(db, gmail(ics, ADDRESS)) == {"about an invitation that was changed since": 1}
    assert now(db, meeting).status == "rescheduled"


def test_after_a_hand_over_the_answer_to_the_newest_invitation_counts(db, version, meeting, book):
    book(NINE + HOUR, who=ADA | {"email": "zoe@globex.example"}, rep="grace")
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=Actor("visitor"))
    assert moved.rep == "linus"
    assert receive(db, apple(invitation(db, moved), ADDRESS)) == {"cancelled": 1}


@pytest.mark.parametrize(
    ("was", "becomes", "outcome"),
    [
        (b"mailto:ada@globex", b"mailto:bob@globex", "the sender is not who answers"),
        (b"From: Ada Byron <ada@globex", b"From: Ada Byron <eve@evil", "the sender is not who answers"),
        (b"example>\r\nTo", b"example>, <eve@evil.example>\r\nTo", "not one sender"),
        (b'To: "', b'From: eve@evil.example\r\nTo: "', "not one sender"),
        (b"dmarc=pass action=none", b"dmarc=fail action=quarantine", "the sender's domain disowns it"),
        (b"METHOD:REPLY", b"METHOD:REQUEST", "no answer in it"),
        (b"UID:mtg_", b"UID:mtg_0", "not about a meeting of ours"),
        (b"@127.0.0.1\r\nSUMMARY", b"@elsewhere\r\nSUMMARY", "not about a meeting of ours"),
        (b"UID:mtg_", b"UID:\x00mtg_", "not about a meeting of ours"),
        (b"UID:", b"XUID:", "no UID"),
        (b"DTSTAMP:2026", b"DTSTAMP:2096", "from the future"),
        (b"DTSTAMP:2026", b"DTSTAMP:nope", "no DTSTAMP"),
        (b"SEQUENCE:0", b"SEQUENCE:-1", "no SEQUENCE"),
        (b"PARTSTAT=DECLINED", b"PARTSTAT=NEEDS-ACTION", "neither yes nor no"),
        (b"UID:", b"RECURRENCE-ID:20260303T080000Z\r\nUID:", "about one of a series"),
        (b"BEGIN:VCALENDAR", b"END:VCALENDAR", "unreadable (IndexError)"),
        (b"Content-Type: text/calendar", b"Content-Type: text/plain", "no calendar in it"),
    ],
)
def test_what_is_no_honest_answer_is_left_alone_and_counted(db, meeting, ics, was, becomes, outcome):
    honest = _unpacked(outlook(ics, ADDRESS))
    assert was in honest
    assert receive(db, honest.replace(was, becomes)) == {outcome: 1}
    assert (now(db, meeting).status, now(db, meeting).replies, diary(db, meeting)) == ("booked", {}, [])
    assert receive(db, honest) == {"cancelled": 1}


def _unpacked(raw: bytes) -> bytes:
    """The calendar of an Outlook mail as it reads, so that a test can change a line of it."""
    head, _, rest = raw.partition(b"Content-Transfer-Encoding: base64\r\n\r\n")
    packed, mark, end = rest.partition(b"\r\n--_002")
    return head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + base64.b64decode(packed) + mark + end


def test_strangers_and_meetings_that_are_over_are_left_alone(db, version, meeting, ics, monday):
    assert receive(db, gmail(ics, EVE)) == {"from somebody who is not invited": 1}
    with db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=Actor("rep", "grace"))
    assert receive(db, gmail(ics, ADDRESS)) == {"about a meeting that is over": 1}


def test_an_answer_that_comes_after_the_meeting_began_is_left_alone(db, meeting, ics, monday):
    monday.advance(NINE - clock.now())
    assert receive(db, gmail(ics, ADDRESS)) == {"about a meeting that is over": 1}
    assert now(db, meeting).status == "booked"


def test_an_enclosed_answer_is_nobodys(db, meeting, ics):
    inner = gmail(ics, ADDRESS)
    outer = b"From: ada@globex.example\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    assert receive(db, outer) == {"no answer in it": 1}
    assert now(db, meeting).status == "booked"


FROM, IS_CALENDAR = b"From: a@b.example\r\n", b"Content-Type: text/calendar\r\n"
ZIP = b"Content-Type: application/zip; name=a.ics.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
NEST = b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n'
BOMBS = {
    "nothing": b"",
    "zip": FROM + ZIP + b"UEsDB" * 9_000,
    "nested": FROM + b"".join(NEST % (n, n) for n in range(5_000)) + IS_CALENDAR,
    "enclosed": b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + IS_CALENDAR,
    "long calendar": FROM + IS_CALENDAR + b"\r\n" + b"BEGIN:VCALENDAR\r\n" * 50_000,
    "charset": FROM + b'Content-Type: text/calendar; charset="zlib\xff"\r\n\r\nBEGIN:VCALENDAR\r\n\xff\xfe\r\n',
    "encoding": FROM + IS_CALENDAR + b"Content-Transfer-Encoding: gzip\r\n\r\n\x1f\x8b",
    "headers": b"From: " + b"<" * 20_000 + b"\r\n" + IS_CALENDAR + b"\r\nx",
    "nul": b"\x00" * 1_000 + IS_CALENDAR,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_skipped_with_a_reason_and_the_next_mail_is_read(db, meeting, ics, bomb):
    pile = Pile(BOMBS[bomb], gmail(ics, ADDRESS))
    pile.messages.insert(0, Message("big", skipped="it is larger than 1024 KB"))
    done = receive(db, pile)
    assert done.pop("cancelled") == 1
    assert done.pop("skipped: it is larger than 1024 KB") == 1
    assert len(done) == 1


def test_rules_of_a_strangers_zone_are_not_computed(db, meeting, ics):
    bomb = (
        _unpacked(outlook(ics, ADDRESS))
        .replace(b"FREQ=YEARLY", b"FREQ=SECONDLY")
        .replace(b"TZID:W. Europe", b"TZID:Bomb")
    )
    assert receive(db, bomb) == {"cancelled": 1}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_mail_breaks_the_reader(data):
    whole = gmail(WHOLE, ADDRESS) if data.draw(st.booleans()) else apple(WHOLE, ADDRESS)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole)))
        cut = data.draw(st.integers(0, 200))
        whole = whole[:start] + data.draw(st.binary(max_size=30)) + whole[start + cut :]
    try:
        assert read(whole).uid
    except Unusable as why:
        assert str(why)


EVENT = ("BEGIN:VEVENT", "UID:mtg_1@x", "SEQUENCE:0", "ORGANIZER:mailto:meet@acme.example", "END:VEVENT")
WHOLE = "\r\n".join(["BEGIN:VCALENDAR", *EVENT, "END:VCALENDAR", ""])


def test_reading_goes_on_where_it_ended_and_a_mailbox_that_is_away_is_noted(db, meeting, ics):
    pile = Pile(gmail(ics, BOB, "ACCEPTED"))
    pile.broken = True
    assert receive(db, pile) == {}
    with db.reading() as tx:
        state = booking.mailbox_state(tx)
    assert (state.problem, state.read_at, state.position) == ("The mail server is away.", None, "")
    pile.broken = False
    assert receive(db, pile) == {"noted": 1}
    pile.messages += [Message("2", gmail(ics, BOB, "TENTATIVE", stamp=STAMP + MINUTE))] * 3
    assert receive(db, pile) == {"noted": 1, "seen before": 2}
    with db.reading() as tx:
        state = booking.mailbox_state(tx)
    assert (state.problem, state.failed_at, state.position) == ("", None, "4")


def test_answers_name_the_invitation_they_were_made_for(ics, meeting):
    assert event_of(ics) == (meeting.uid, 0, "meet@acme.example")


def test_a_guest_who_declined_can_be_erased_everywhere(db, meeting, ics):
    assert receive(db, gmail(ics, BOB)) == {"guest taken off": 1}
    privacy.erase(db, privacy.Who(BOB), by=events.SYSTEM)
    assert now(db, meeting).replies == {}
    with db.reading() as tx:
        held = [str(dict(one._mapping)) for one in events.of_subject(tx, "meeting", meeting.id)]
        told = [str(one.payload).replace("\\r\\n ", "") for one in outbox.of_subject(tx, "meeting", meeting.id)]
    assert BOB not in "".join([*held, *told]).casefold()
    assert now(db, meeting).status == "booked"
