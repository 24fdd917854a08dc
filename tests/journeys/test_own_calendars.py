"""Reps with calendars of their own, each elsewhere: Google, Microsoft 365, a feed, and the site's CalDAV server."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask.testing import FlaskClient

from plugins.testing.fakes.feeds import FeedFake
from plugins.testing.fakes.google import GoogleFake
from plugins.testing.fakes.google.sign_in import CLIENT_ID, CLIENT_SECRET
from plugins.testing.fakes.graph import GraphFake
from server import clock, schedule, settings
from server.adapters import connections
from server.app import create_app
from server.booking import service as booking
from server.booking.tables import calendar_watches
from server.db import Database
from server.events import Actor
from server.outbox import service as outbox
from server.people import service as people
from server.sync import service as sync
from server.worker import Worker
from tests.playbooks.chat import applied
from tests.playbooks.folder import folder
from tests.radicale import CalendarServer, radicale

NOW = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GRACE, LINUS, FAMILY = "grace@acme.example", "linus@acme.example", "family@group.calendar.google.com"
PUBLIC = "https://usher.example"
PASSWORD = "a long password for tests"
ADA = {"name": "Ada Byron", "email": "ada@wonka.example"}
DENTIST = "BEGIN:VEVENT\nUID:dentist\nDTSTAMP:20260101T000000Z\nDTSTART:{:%Y%m%dT%H%M%SZ}\nDURATION:PT30M\nEND:VEVENT\n"


class Office:
    """Usher behind an https address, and whoever is at which desk."""

    time: clock.StoppedClock

    def __init__(self, home: Path) -> None:
        self.db = Database(f"sqlite:///{home}/usher.db")
        self.app = create_app(self.db)
        self.version = applied(self.db, site())
        self.worker = Worker(self.db, timetable=())
        self.mails = home / "mails"
        people.add(self.db, email="olga@acme.example", name="Olga", role="owner", password=PASSWORD)
        for mail in (GRACE, LINUS):
            name = mail.partition("@")[0]
            people.add(self.db, email=mail, name=name.title(), role="rep", rep=name, password=PASSWORD)
        self.visitor = self._browser(HTTP_ORIGIN="http://localhost:8010")
        self.desks = {mail: self._signed_in(mail) for mail in ("olga@acme.example", GRACE, LINUS)}

    def work(self) -> None:
        """What the worker does within the next minutes."""
        for _ in range(3):
            schedule.hear_calendars(self.db)
            schedule.follow_calendars(self.db)
            schedule.read_calendars_ahead(self.db)
            while self.worker._react() | bool(outbox.deliver_due(self.db, partial(sync.carry_out, self.db))):
                pass

    def later(self, seconds: int) -> None:
        self.time.advance(timedelta(seconds=seconds))
        self.work()

    def post(self, mail: str, path: str, form: dict[str, Any] | None = None) -> Any:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page(mail, "/account"))
        return self.desks[mail].post(path, data={"csrf_token": token[1] if token else "", **(form or {})})

    def page(self, mail: str, path: str) -> str:
        return html.unescape(self.desks[mail].get(path).text)

    def agree(self, mail: str, answer: Any) -> None:
        """Follow to the service's sign-in, agree there, and come back to the page one left from."""
        assert answer.status_code == 200, answer.text
        address = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
        there = requests.get(html.unescape(address[1]), allow_redirects=False, timeout=5)  # type: ignore[index]
        back = self.desks[mail].get(there.headers["Location"].removeprefix(PUBLIC))
        assert (back.status_code, urlsplit(back.location).path) == (303, "/my-calendar")

    def own(self, rep: str) -> dict[str, Any]:
        with self.db.reading() as tx:
            found = connections.all_of(tx, self.version.site_id, "calendar")
        return {one.name: one for one in found if one.rep == rep}

    def book(self, rep: str, hour: int = 0) -> Any:
        """A visitor takes the first time from an hour on that this rep would have."""
        with self.db.transaction() as tx:
            start = [one for one in self.open_starts(rep) if one >= NOW + hour * HOUR][0]
            held = booking.hold(tx, self.version, meeting="demo", start=start, rep=rep)
        asked = {"site": "acme", "hold": booking.token_of(held.id), **ADA, "email": f"{rep}{hour}@wonka.example"}
        made = self.visitor.post("/v1/meetings", json=asked)
        assert made.status_code == 201, made.text
        self.work()
        return self.meeting(held.id)

    def meeting(self, meeting_id: str) -> Any:
        with self.db.reading() as tx:
            return booking.get(tx, meeting_id)

    def open_starts(self, rep: str) -> tuple[datetime, ...]:
        span = {"start": NOW, "end": NOW + 10 * HOUR, "zone": "Europe/Berlin"}
        with self.db.reading() as tx:
            return booking.slots(tx, self.version, meeting="demo", reps=[rep], **span).starts

    def texts(self, to: str) -> list[str]:
        found = [path.read_text(errors="replace") for path in sorted(self.mails.glob("*.eml"))]
        return [text.replace("=\n", "") for text in found if f"<{to}>" in text.split("\n\n")[0]]

    def deliveries(self, meeting: Any) -> list[tuple[str, str]]:
        with self.db.reading() as tx:
            rows = outbox.of_subject(tx, "meeting", meeting.id)
        return [(row.operation, row.state) for row in rows if row.kind == "calendar"]

    def _browser(self, **headers: str) -> FlaskClient:
        client = self.app.test_client()
        here = {"HTTP_HOST": "usher.example", "wsgi.url_scheme": "https", "HTTP_REFERER": f"{PUBLIC}/"}
        client.environ_base.update({**here, **headers})
        return client

    def _signed_in(self, mail: str) -> FlaskClient:
        client = self._browser()
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
        form = {"csrf_token": token[1] if token else "", "email": mail, "password": PASSWORD}
        assert client.post("/sign-in", data=form).status_code == 303
        return client


def site() -> dict[str, str]:
    files = folder(p="nodes:\n  - {id: bye, end: Bye.}")
    mail = "mail: {from_name: Acme, from_address: hello@acme.example}\n"
    files["site.yml"] += f"adapters: {{calendar: caldav}}\n{mail}"
    files["team.yml"] = re.sub(r',\n     location: \{kind: video, url: "[^"]+"\}', "", files["team.yml"])
    return files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as found:
        yield found


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleFake]:
    with GoogleFake() as fake:
        yield fake


@pytest.fixture(scope="module")
def graph() -> Iterator[GraphFake]:
    with GraphFake() as fake:
        yield fake


@pytest.fixture
def office(
    server: CalendarServer, google: GoogleFake, graph: GraphFake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    google.reset()
    graph.reset()
    google.calendar(GRACE)
    google.calendar(FAMILY, owner=GRACE, title="Family")
    google.person = GRACE
    graph.add_mailbox(LINUS)
    graph.person = LINUS
    app = {"GOOGLE_BASE_URL": google.url, "GOOGLE_SIGN_IN_URL": google.url, "GOOGLE_TOKEN_URL": google.url}
    app |= {"GOOGLE_CLIENT_ID": CLIENT_ID, "GOOGLE_CLIENT_SECRET": CLIENT_SECRET}
    app |= {"MICROSOFT_BASE_URL": graph.base, "MICROSOFT_LOGIN_URL": graph.url, "MICROSOFT_TENANT": graph.tenant}
    app |= {"MICROSOFT_CLIENT_ID": graph.client_id, "MICROSOFT_CLIENT_SECRET": graph.client_secret}
    ours = {"MAIL_TO": "mailbox", "MAILBOX_DIR": str(tmp_path / "mails"), "RATE_LIMITS": "false", "PUBLIC_URL": PUBLIC}
    ours |= {"SECRET_KEY": "a key for tests only", **{f"CALENDAR_{name}": value for name, value in app.items()}}
    for name, value in {**server.environment(), **{f"USHER_{name}": value for name, value in ours.items()}}.items():
        monkeypatch.setenv(name, value)
    settings.get.cache_clear()
    paths = [server.calendar(mail) for mail in (GRACE, LINUS)]
    with clock.stopped_at(NOW) as time:
        found = Office(tmp_path)
        found.time = time
        found.work()
        yield found
    found.db.close()
    for path in paths:
        server.delete(path)
    monkeypatch.undo()
    settings.get.cache_clear()


def test_google_from_sign_in_to_push_and_from_revoked_to_connected_again(office: Office, google: GoogleFake) -> None:
    assert office.open_starts("grace")
    office.agree(GRACE, office.post(GRACE, "/my-calendar/connect/google"))
    page = office.page(GRACE, "/my-calendar")
    assert "Google Calendar is connected as grace@acme.example." in page
    assert "Family" in page
    own = office.own("grace")["google"]
    assert own.calendars["blocking"] == [GRACE]
    assert own.calendars["events"] == GRACE

    family_dinner = office.open_starts("grace")[2]
    google.put(FAMILY, DENTIST.format(family_dinner))
    assert family_dinner in office.open_starts("grace"), "it does not block yet"
    chosen = {"blocks": [GRACE, FAMILY], "events": GRACE}
    assert office.post(GRACE, f"/my-calendar/{own.id}/choose", chosen).status_code == 303
    assert family_dinner not in office.open_starts("grace")
    assert family_dinner in office.open_starts("linus")

    booked = office.book("grace")
    (event,) = google.there(GRACE)
    assert datetime.fromisoformat(event["start"]["dateTime"]) == booked.start_at
    assert not [one for one in office.texts("grace0@wonka.example") if "Subject: Booked" in one], "the link is to come"
    google.finish_meetings()
    office.later(20)
    linked = office.meeting(booked.id)
    assert linked.video_url.startswith("https://meet.google.com/")
    (told,) = [one for one in office.texts("grace0@wonka.example") if "Subject: Booked" in one]
    assert linked.video_url in told
    shown = office.visitor.get(f"/m/{booking.token_of(booked.id)}").text
    assert linked.video_url in shown

    schedule.keep_watches(office.db)
    assert len(google.channels) == 2
    google.move(GRACE, event["id"], 2 * HOUR)
    channel = next(id for id, one in google.channels.items() if GRACE in one["resourceUri"].replace("%40", "@"))
    path = f"/v1/hooks/{own.id}"
    assert office.visitor.post(path, headers={**google.calls(channel), "X-Goog-Channel-Token": "x"}).status_code == 403
    assert office.visitor.post(path, headers=google.calls(channel)).status_code == 200
    assert booking.told_of_calendars(office.db)
    schedule.hear_calendars(office.db)
    moved = office.meeting(booked.id)
    assert (moved.status, moved.start_at) == ("rescheduled", booked.start_at + 2 * HOUR)
    assert not booking.told_of_calendars(office.db)

    google.forget_changes()
    google.move(GRACE, event["id"], HOUR)
    office.work()
    assert office.meeting(booked.id).start_at == booked.start_at + 3 * HOUR
    assert office.meeting(booked.id).status == "rescheduled"

    google.withdraw(GRACE)
    office.work()
    assert office.own("grace")["google"].state == "broken"
    assert office.open_starts("grace") == ()
    assert office.open_starts("linus")
    assert "Nobody can book you" in office.page(GRACE, "/my-calendar")
    assert "is no longer connected, so nobody can book you" in office.page(GRACE, "/leads")
    assert "Grace Hopper gets no meetings at the moment: Google Calendar" in office.page("olga@acme.example", "/")
    with office.db.transaction() as tx:
        booking.cancel(tx, office.version, booked.id, by=Actor("visitor"))
    office.work()
    assert office.deliveries(booked)[-1] == ("cancel", "paused")
    assert office.book("linus", 3).rep == "linus"

    office.agree(GRACE, office.post(GRACE, f"/connections/{own.id}/sign-in", {"back": "/my-calendar"}))
    office.work()
    assert office.own("grace")["google"].calendars["blocking"] == [GRACE, FAMILY]
    assert office.open_starts("grace")
    assert office.deliveries(booked)[-1] == ("cancel", "done")
    assert google.there(GRACE) == []


def test_each_rep_in_a_service_of_their_own_and_meetings_go_from_one_to_the_other(
    office: Office, google: GoogleFake, graph: GraphFake, server: CalendarServer
) -> None:
    booked = office.book("linus")
    assert len(in_radicale(server, LINUS)) == 1
    office.agree(LINUS, office.post(LINUS, "/my-calendar/connect/microsoft"))
    office.work()
    assert in_radicale(server, LINUS) == [], "taken out of the site's calendar"
    (written,) = in_graph(graph, LINUS)
    assert written.data["subject"].startswith("Product demo: Ada Byron")
    assert office.meeting(booked.id).sequence == 0, "nobody is told: nothing has changed for them"
    assert len([one for one in office.texts("linus0@wonka.example") if "Subject: Booked" in one]) == 1

    office.agree(GRACE, office.post(GRACE, "/my-calendar/connect/google"))
    with FeedFake() as feeds:
        address = feeds.publish("club", DENTIST.format(NOW + 4 * HOUR))
        office.post(GRACE, "/my-calendar/connect/ics", {"feeds": address})
        assert "iCalendar feed is connected" in office.page(GRACE, "/my-calendar")
        assert NOW + 4 * HOUR not in office.open_starts("grace")
        feeds.faults.clear()
    office.work()
    office.later(6 * 60)
    assert office.open_starts("grace") == (), "one calendar that is silent is enough"
    assert "iCalendar feed" in office.page("olga@acme.example", "/calendars")
    feed = office.own("grace")["ics"]
    office.post(GRACE, f"/connections/{feed.id}/disconnect", {"back": "/my-calendar"})
    office.work()
    assert office.open_starts("grace")

    with office.db.transaction() as tx:
        booking.reassign(tx, office.version, booked.id, "grace", by=Actor("user"), reason="ill")
    office.work()
    assert in_graph(graph, LINUS) == []
    assert len(google.there(GRACE)) == 1

    own = office.own("grace")["google"]
    assert office.post("olga@acme.example", f"/connections/{own.id}/disconnect").status_code == 303
    office.work()
    assert len(in_radicale(server, GRACE)) == 1, "it goes where her meetings go from now on"
    assert office.meeting(booked.id).status in ("booked", "rescheduled")
    with office.db.reading() as tx:
        assert [row.connection_id for row in tx.execute(calendar_watches.select())] == []


def in_radicale(server: CalendarServer, mail: str) -> list[str]:
    return server.paths(f"{server.home}{mail}/")


def in_graph(graph: GraphFake, mail: str) -> list[Any]:
    return [one for one in graph.store.events.values() if one.mailbox == mail]
