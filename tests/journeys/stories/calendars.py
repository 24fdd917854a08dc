"""The calendars of the stories: each of two reps has one, at a service that the site has connected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plugins.calendar import Window
from plugins.testing.fakes import Fault, Passing
from plugins.testing.fakes.google import GoogleFake
from plugins.testing.fakes.google.sign_in import CLIENT_ID, CLIENT_SECRET
from plugins.testing.fakes.graph import GraphFake
from server import clock
from server.adapters import connections
from server.db import Database
from tests.journeys.stories.service import OPS, REPS, CalendarService, Event
from tests.radicale import PASSWORD, USER, CalendarServer, radicale


class Google(CalendarService):
    """The reps have shared theirs with an account of the site's."""

    name = "google"
    fake: GoogleFake
    made = GoogleFake
    in_browser = True
    writes = "^(POST|PATCH|DELETE) /calendar/v3/calendars/"
    signs_in = "^POST /token"

    def furnish(self) -> None:
        self.fake.person = self.fake.calendar(OPS)
        for rep in REPS:
            self.fake.calendar(rep)
            self.fake.share(rep, OPS, "writer")

    def form(self) -> dict[str, str]:
        places = dict.fromkeys(("base_url", "sign_in_url", "token_url"), self.fake.url)
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "write_to": "shared", **places}

    def end_tokens(self) -> None:
        self.fake.expire()

    def withdraw(self) -> None:
        self.fake.withdraw(OPS)

    def hide(self, rep: str) -> None:
        del self.fake.all[rep].roles[OPS]

    def show(self, rep: str) -> None:
        self.fake.share(rep, OPS, "writer")

    def events(self) -> list[Event]:
        return [self._event(rep, one) for rep in REPS for one in self.fake.there(rep)]

    def _event(self, rep: str, one: Any) -> Event:
        times = (datetime.fromisoformat(one[name]["dateTime"]).astimezone(UTC) for name in ("start", "end"))
        return Event(rep, *times, one["summary"])


class Microsoft(CalendarService):
    """One mailbox that has a calendar for each rep."""

    name = "microsoft"
    fake: GraphFake
    made = GraphFake
    in_browser = True
    writes = r"^(POST|PATCH|DELETE) /v1\.0/(?!.*getSchedule)"
    signs_in = "/oauth2/v2.0/token"

    def furnish(self) -> None:
        self.fake.person = OPS
        box = self.fake.add_mailbox(OPS)
        self._ids = {rep: self.fake.add_calendar(OPS, rep) for rep in REPS}
        self._calendars = box.calendars

    def calendar_of(self, rep: str) -> str:
        return self._ids[rep]

    def form(self) -> dict[str, str]:
        app = {"client_id": self.fake.client_id, "client_secret": self.fake.client_secret, "tenant": self.fake.tenant}
        return {"sign_in": "person", **app, "base_url": self.fake.base, "login_url": self.fake.url}

    def end_tokens(self) -> None:
        self.fake.expire_access()

    def withdraw(self) -> None:
        self.fake.withdraw()

    def hide(self, rep: str) -> None:
        self._hidden = self._calendars.pop(self._ids[rep])

    def show(self, rep: str) -> None:
        self._calendars[self._ids[rep]] = self._hidden

    def events(self) -> list[Event]:
        found = [(rep, one) for rep in REPS for one in self.fake.store.of(OPS, self._ids[rep])]
        return [Event(rep, one.start, one.end, one.data["subject"]) for rep, one in found]


class CalDav(CalendarService):
    """A real Radicale, with somebody in between."""

    name = "caldav"
    fake: Passing
    writes = "^(PUT|DELETE) "

    @contextmanager
    def opened(self, folder: Path) -> Iterator[None]:
        with ExitStack() as up:
            self.server: CalendarServer = up.enter_context(radicale(folder / "radicale"))
            self.fake = up.enter_context(Passing(self.server.url))
            self._paths = {rep: self.server.calendar(rep) for rep in REPS}
            yield

    def form(self) -> dict[str, str]:
        return {"url": f"{self.fake.url}/", "user": USER, "password": PASSWORD}

    def withdraw(self) -> None:
        self.fake.faults.add(Fault(401))

    def let_in(self) -> dict[str, str]:
        self.is_well()
        return {"password": PASSWORD}

    def hide(self, rep: str) -> None:
        self.fake.faults.add(Fault(503), on=rep)

    def show(self, rep: str) -> None:
        self.is_well()

    def events(self) -> list[Event]:
        found = [(rep, self.server.event(path)) for rep in REPS for path in self.server.paths(self._paths[rep])]
        return [Event(rep, one["DTSTART"].dt, one["DTEND"].dt, str(one["SUMMARY"])) for rep, one in found]


class BuiltIn(CalendarService):
    """Usher's own tables."""

    name = "builtin"

    @contextmanager
    def opened(self, folder: Path) -> Iterator[None]:
        yield

    def at(self, db: Database, site_id: str) -> None:
        self._calendar = connections.open_built_in(db, site_id, "calendar")

    @property
    def calls(self) -> int:
        return 0

    def events(self) -> list[Event]:
        around = Window(clock.now().replace(year=2026, month=1), clock.now().replace(year=2027))
        found = [(rep, draft) for rep in REPS for _, draft in self._calendar.events(rep, around)]
        return [Event(rep, draft.start, draft.end, draft.title) for rep, draft in found]


CALENDARS: dict[str, type[CalendarService]] = {one.name: one for one in (Google, Microsoft, CalDav, BuiltIn)}
