"""A real CalDAV server: what is booked stands in the rep's calendar, what he does there the meeting follows, and while
the server is away nobody is booked with him."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server import clock, schedule, settings
from server.adapters import service as adapters
from server.app import create_app
from server.booking import service as booking
from server.cli import doctor_calendars
from server.config.service import Version
from server.db import Database
from server.events import Actor
from server.outbox import service as outbox
from server.routing import ledger
from server.routing.schema import Team
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import folder
from tests.playbooks.test_booking_in_chat import NODES
from tests.radicale import CalendarServer, radicale

NOW = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
MAIL = "adapters: {calendar: caldav}\nmail: {from_name: Acme, from_address: hello@acme.example}\n"
GRACE, LINUS = "grace@acme.example", "linus@acme.example"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ADA = {"name": "Ada Byron", "email": "ada@wonka.example"}


class Office:
    """Usher on one side, the reps' calendars on the other."""

    def __init__(self, folder: Path, server: CalendarServer) -> None:
        self.db = Database(f"sqlite:///{folder}/usher.db")
        self.client = create_app(self.db).test_client()
        self.client.environ_base["HTTP_ORIGIN"] = "http://localhost:8010"
        self.version: Version = applied(self.db, site())
        self.server, self.mails = server, folder / "mails"
        self.calendars = {mail: server.calendar(mail) for mail in (GRACE, LINUS)}

    def work(self) -> None:
        """What the worker does within the next minutes."""
        schedule.follow_calendars(self.db)
        schedule.read_calendars_ahead(self.db)
        while outbox.deliver_due(self.db, partial(adapters.carry_out, self.db)):
            pass
        schedule.follow_calendars(self.db)

    def events(self, mail: str) -> list[str]:
        return self.server.paths(self.calendars[mail])

    def busy(self, mail: str, start: datetime, minutes: int = 30) -> None:
        """The rep puts something of his own into his calendar."""
        self.server.put(self.calendars[mail], start, start + minutes * MINUTE, uid=f"own-{start:%H%M}")

    def meeting(self, meeting_id: str) -> Any:
        with self.db.reading() as tx:
            return booking.get(tx, meeting_id)

    def turns(self) -> dict[str, int]:
        with self.db.reading() as tx:
            pool = self.version.part(Team).pools_by_id["small"]
            counts = ledger.tally(tx, self.version.site_id, pool, clock.now()).counts
        return {rep: int(count) for rep, count in counts.items() if count}

    def open_starts(self, rep: str) -> tuple[datetime, ...]:
        with self.db.reading() as tx:
            found = booking.slots(
                tx, self.version, meeting="demo", reps=[rep], start=NOW, end=NOW + 10 * HOUR, zone="Europe/Berlin"
            )
        return found.starts

    def subjects(self, to: str) -> list[str]:
        """Subjects of the mails that somebody has got."""
        texts = [path.read_text(errors="replace") for path in sorted(self.mails.glob("*.eml"))]
        return [text.split("Subject: ")[1].split("\n")[0] for text in texts if f"<{to}>" in text.split("\n\n")[0]]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("USHER_MAIL_TO", "mailbox")
    monkeypatch.setenv("USHER_MAILBOX_DIR", str(tmp_path / "mails"))
    monkeypatch.setenv("USHER_RATE_LIMITS", "false")
    monkeypatch.setenv("USHER_SECRET_KEY", "a key for tests only")
    settings.get.cache_clear()
    yield monkeypatch
    settings.get.cache_clear()


def connect(environment: pytest.MonkeyPatch, server: CalendarServer) -> None:
    for name, value in server.environment().items():
        environment.setenv(name, value)
    settings.get.cache_clear()


def site() -> dict[str, str]:
    files = folder(p="nodes:\n" + "\n".join(f"  - {line}" for line in NODES.splitlines()))
    files["site.yml"] += MAIL
    return files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as found:
        yield found


@pytest.fixture
def office(server: CalendarServer, environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Office]:
    connect(environment, server)
    with clock.stopped_at(NOW):
        office = Office(tmp_path, server)
        office.work()
        yield office
    office.db.close()
    for path in office.calendars.values():
        server.delete(path)


def test_booked_in_the_chat_moved_and_deleted_in_the_calendar(office: Office) -> None:
    chat = Chat(office.db).open()
    chat.choose(1)
    assert chat.fill(**ADA)[0].startswith("It is booked: Product demo")
    booked = office.meeting(chat.memory.meeting)
    assert (booked.rep, office.turns()) == ("grace", {"grace": 1})
    office.work()
    (event,) = office.events(GRACE)
    found = office.server.event(event)
    assert (str(found["UID"]), found["DTSTART"].dt) == (booked.uid, booked.start_at)
    assert "Ada Byron" in str(found["SUMMARY"])

    office.server.edit(event, summary="Demo for Ada, bring the slides")  # at the same time: nothing follows
    office.work()
    assert office.meeting(booked.id) == booked

    office.server.move(event, 3 * HOUR)
    office.work()
    moved = office.meeting(booked.id)
    assert (moved.status, moved.start_at, moved.uid) == ("rescheduled", booked.start_at + 3 * HOUR, booked.uid)
    assert moved.sequence == 1
    assert booked.start_at in office.open_starts("grace")
    assert moved.start_at not in office.open_starts("grace")
    assert "New time: Product demo with Grace Hopper" in office.subjects("ada@wonka.example")
    assert str(office.server.event(event)["SUMMARY"]) == "Demo for Ada, bring the slides"

    own = moved.start_at + HOUR
    office.busy(GRACE, own)
    office.work()  # before the next regular reading is due
    assert own not in office.open_starts("grace")

    office.server.delete(event)
    office.work()
    gone = office.meeting(booked.id)
    assert (gone.status, gone.ended_by, office.turns()) == ("cancelled", "calendar", {})
    assert moved.start_at in office.open_starts("grace")
    assert "Cancelled: Product demo with Grace Hopper" in office.subjects("ada@wonka.example")
    assert [one for one in office.events(GRACE) if "own" not in one] == []


def test_after_the_rep_has_moved_it_the_visitor_moves_it_back_and_the_calendar_follows(office: Office) -> None:
    chat = Chat(office.db).open()
    chat.choose(1)
    chat.fill(**ADA)
    booked = office.meeting(chat.memory.meeting)
    office.work()
    (event,) = office.events(GRACE)
    office.server.move(event, 2 * HOUR)
    office.work()
    with office.db.transaction() as tx:
        booking.reschedule(tx, office.version, booked.id, booked.start_at, by=Actor("visitor"))
    office.work()
    assert office.server.event(event)["DTSTART"].dt == booked.start_at
    assert office.meeting(booked.id).sequence == 2
    office.work()
    assert office.meeting(booked.id).sequence == 2


def test_busy_since_the_list_was_shown_goes_to_the_next_rep_and_then_to_other_times(office: Office) -> None:
    client = office.client

    def hold(start: str) -> str:
        made = client.post("/v1/holds", json={"site": "acme", "meeting": "demo", "start": start})
        assert made.status_code == 201, made.text
        return str(made.json["hold"]["token"])

    def book(token: str) -> Any:
        return client.post("/v1/meetings", json={"site": "acme", "hold": token, **ADA})

    first, second = client.get("/v1/slots?site=acme&meeting=demo").json["days"][0]["slots"][:2]
    token = hold(first)
    office.busy(GRACE, datetime.fromisoformat(first))
    answer = book(token)
    assert (answer.status_code, answer.json["meeting"]["rep"]) == (201, {"name": "Linus Torvalds"})
    assert office.turns() == {"linus": 1}
    office.work()
    assert len(office.events(LINUS)) == 1

    token = hold(second)
    for mail in (GRACE, LINUS):
        office.busy(mail, datetime.fromisoformat(second))
    refused = book(token)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "slot_taken")
    assert refused.json["error"]["alternatives"]
    assert second not in refused.json["error"]["alternatives"]
    assert office.turns() == {"linus": 1}


def test_while_the_server_is_away_nobody_is_offered_and_all_is_said_and_then_they_are_back(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ExitStack() as up, clock.stopped_at(NOW) as time:
        server = up.enter_context(radicale(tmp_path / "radicale"))
        port = int(server.url.split(":")[2].strip("/"))
        connect(environment, server)
        office = Office(tmp_path, server)
        client, db = office.client, office.db
        assert office.open_starts("grace") == ()
        office.work()
        assert office.open_starts("grace")
        assert 'usher_calendars{site="acme",state="ok"} 2.0' in client.get("/metrics").text
        assert {one.mark for one in doctor_calendars.examine(db)} == {"note", "ok"}

        up.close()
        time.advance(5 * MINUTE)
        office.work()
        assert office.open_starts("grace") == ()
        assert 'usher_calendars{site="acme",state="failing"} 2.0' in client.get("/metrics").text
        faults = [one.says for one in doctor_calendars.examine(db) if one.is_fault]
        assert any("Grace Hopper gets no meetings" in says for says in faults)

        up.enter_context(radicale(tmp_path / "radicale", port=port))
        time.advance(MINUTE)
        office.work()
        assert office.open_starts("grace")
        assert not [one for one in doctor_calendars.examine(db) if one.is_fault]
        db.close()
