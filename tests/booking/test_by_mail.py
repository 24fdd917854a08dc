"""Invitations, answers and reminders by real mail: out over SMTP, answers back through IMAP, carried by the worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller

from server import clock, settings
from server.booking import service as booking
from server.cli import doctor
from server.events import SYSTEM, Actor
from server.privacy import service as privacy
from server.worker import Worker
from tests.booking.answers import apple, gmail, outlook
from tests.booking.conftest import ADA, GOAL, NINE, SITE
from tests.booking.test_meetings import counts
from tests.imap import USER, Mailbox, serving
from tests.journeys.conftest import Postbox
from tests.processes import free_port, wait_until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADDRESS, GRACE = "Ada@globex.example", "grace@acme.example"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def smtp() -> Iterator[Controller]:
    controller = Controller(Postbox(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def postbox(smtp: Controller, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postbox]:
    """An operator's settings: mail goes out here, answers come in there."""
    smtp.handler.raw.clear()
    given = {f"INBOX_IMAP_{name.upper()}": str(value) for name, value in mailbox.settings().items()}
    given |= {"MAIL_TO": "smtp", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(smtp.port), "INBOX": "imap"}
    for name, value in given.items():
        monkeypatch.setenv(f"USHER_{name}", value)
    settings.get.cache_clear()
    yield smtp.handler
    mailbox.clear()
    settings.get.cache_clear()


@pytest.fixture
def db(sqlite_db):
    return sqlite_db


@pytest.fixture
def version(apply):
    return apply(site=SITE.replace("hello@acme.example", "hello@acme.example, replies: meet@acme.example"))


def work(db, until=lambda: True):
    """A worker that is started, works until it finds nothing to do and `until` has come, and ends."""
    worker = Worker(db)
    wait_until(lambda: not worker.round() and until(), what="the worker's work")


def invitation_in(mail):
    """The calendar of a mail as programs find it: the alternative with its method, and the same as a file."""
    [part] = [one for one in mail.walk() if one.get_content_type() == "text/calendar"]
    [file] = [one for one in mail.walk() if one.get_filename() == "invite.ics"]
    text = part.get_content().replace("\r\n", "\n").replace("\n", "\r\n")
    assert part.get_content_charset() == "utf-8"
    assert f"METHOD:{part.get_param('method')}\r\n" in text
    assert file.get_content().decode() == text
    return text


def status(db, meeting):
    with db.reading() as tx:
        return booking.get(tx, meeting.id).status


@pytest.mark.parametrize("program", [gmail, outlook, apple])
def test_who_declines_in_their_calendar_has_cancelled_and_the_time_is_open_again(
    db, version, book, postbox, mailbox, program
):
    meeting = book()
    work(db)
    [invited] = postbox.to(ADDRESS)
    assert [part.get_content_type() for part in invited.get_payload()[0].get_payload()] == [
        "text/plain", "text/html", "text/calendar",
    ]  # fmt: skip
    assert invited["Reply-To"] == GRACE
    mailbox.deliver(b"From: shop@elsewhere.example\r\nSubject: Sale\r\n\r\nBuy\r\n")
    mailbox.deliver(program(invitation_in(invited), "ada@globex.example"))
    work(db, lambda: status(db, meeting) == "cancelled")
    work(db)
    for to in (ADDRESS, GRACE):
        last = postbox.to(to)[-1]
        assert last["Subject"].startswith("Cancelled: Product demo")
        assert "STATUS:CANCELLED" in invitation_in(last)
    assert counts(db, version) == {}
    with db.transaction() as tx:
        assert booking.hold(tx, version, meeting="demo", start=NINE, rep="grace").start_at == NINE
    work(db)
    assert len(postbox.raw) == 4  # two to book, two to cancel, whoever reads the mailbox again


def reminders(postbox):
    return [mail for mail in postbox.to(ADDRESS) if "reminder" in mail.get_body(("plain",)).get_content()]


def test_each_reminder_is_sent_once_however_often_workers_start(db, version, book, postbox, monday):
    meeting = book(NINE + DAY)
    for moment in (meeting.start_at - DAY, meeting.start_at - HOUR):
        work(db)
        monday.advance(moment - clock.now() - timedelta(seconds=1))
        work(db)
        before = len(reminders(postbox))
        monday.advance(timedelta(seconds=1))
        together = [threading.Thread(target=work, args=(db,)) for _ in range(3)]
        for one in together:
            one.start()
        for one in together:
            one.join()
        work(db)
        assert len(reminders(postbox)) == before + 1
    first, second = reminders(postbox)
    assert "Wed, Mar 4, 3:00 AM" in first["Subject"]  # New York, as she writes it
    assert "Wednesday, March 4, 2026, 3:00\u202fAM" in second.get_body(("plain",)).get_content()
    assert not [part for part in second.walk() if part.get_content_type() == "text/calendar"]


def test_reminders_move_with_the_meeting_and_vanish_with_it(db, version, book, postbox, monday):
    meeting = book(NINE + DAY)
    with db.transaction() as tx:
        booking.reschedule(tx, version, meeting.id, NINE + DAY + 2 * HOUR, by=Actor("visitor"))
    monday.advance(NINE + DAY - HOUR - clock.now())
    work(db)
    assert ["5:00" in mail["Subject"] for mail in reminders(postbox)] == [True]  # a day before the new time
    with db.transaction() as tx:
        booking.cancel(tx, version, meeting.id, by=Actor("visitor"))
    monday.advance(2 * HOUR)
    work(db)
    assert len(reminders(postbox)) == 1


def test_who_was_erased_is_not_reminded(db, version, book, postbox, monday):
    book(NINE + DAY)
    work(db)
    privacy.erase(db, privacy.Who(ADDRESS), by=SYSTEM, cancel_meetings=True)
    monday.advance(2 * DAY)
    sent = len(postbox.to(ADDRESS))
    work(db)
    assert len(postbox.to(ADDRESS)) == sent


def test_who_has_just_booked_is_not_reminded_and_nobody_when_the_meeting_has_begun(db, version, book, postbox, monday):
    monday.advance(timedelta(minutes=7))
    book(NINE - DAY + HOUR / 2)
    book(NINE - DAY + 1.25 * HOUR, meeting="intro", who=ADA | {"phone": "1"})  # an hour before it is in eight minutes
    work(db)
    monday.advance(HOUR / 4)
    work(db)
    assert reminders(postbox) == []
    book(NINE + DAY, who=ADA | {"email": "bob@globex.example"})
    monday.advance(5 * DAY)
    work(db)
    assert len(postbox.to("bob@globex.example")) == 1  # the invitation; no worker was there in time for the rest


def test_a_rep_whose_account_meets_a_colleague_hears_of_it(db, version, postbox):
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE, rep="linus", passed_over="grace")
        booking.confirm(tx, version, held.id, **ADA, **GOAL)
    work(db)
    [word] = postbox.to(GRACE)
    assert word["Subject"] == "Linus Pauling meets your account: Product demo with Ada Byron"
    assert not [part for part in word.walk() if part.get_content_type() == "text/calendar"]


def said(db):
    return [(one.mark, one.says) for one in doctor.mailbox(settings.get(), db)]


def test_the_doctor_says_whether_answers_can_be_read(db, version, apply, postbox, monkeypatch):
    assert said(db) == [("ok", f"{USER} at 127.0.0.1 can be read; not read yet")]
    work(db, lambda: "last read" in said(db)[0][1])
    monkeypatch.setenv("USHER_INBOX_IMAP_PASSWORD", "wrong")
    assert said(db) == [("FAULT", "The service no longer accepts our sign-in. Please connect it again.")]
    monkeypatch.delenv("USHER_INBOX_IMAP_PASSWORD")
    assert said(db)[0][0] == "FAULT"
    monkeypatch.setenv("USHER_INBOX", "")
    settings.get.cache_clear()
    assert said(db) == [("FAULT", "acme names a mailbox for answers that nobody reads; set USHER_INBOX")]
    apply(site=SITE)
    assert said(db) == []
