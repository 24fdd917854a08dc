"""A service as a story sees it: what is entered to connect it, how it gets unwell, and what stands there."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import requests

from plugins.testing.fakes import Fault
from server.db import Database

CALLBACK = "http://127.0.0.1:8000/connections/callback"
GRACE, LINUS, OPS = "grace@acme.example", "linus@acme.example", "ops@acme.example"
REPS = (GRACE, LINUS)
MOST_LOST = 300


@dataclass(frozen=True)
class Person:
    """Who stands in a CRM. `owner` is the rep's address, `company` the domain or name of theirs."""

    id: str
    name: str
    owner: str
    company: str
    need: str
    source: str


@dataclass(frozen=True)
class Meeting:
    """A meeting in a CRM, of the person with this address; `status` in the service's own words."""

    email: str
    start: datetime
    end: datetime
    status: str
    owner: str
    title: str


@dataclass(frozen=True)
class Event:
    """What stands in a rep's calendar."""

    rep: str
    start: datetime
    end: datetime
    title: str


class Service:
    """One service before its fake. `writes` and `signs_in` match "METHOD /path" of calls that change something, and of
    those for tokens."""

    kind: ClassVar[str]
    name: ClassVar[str]
    writes: ClassVar[str] = ""
    signs_in: ClassVar[str] = ""
    in_browser: ClassVar[bool] = False
    fake: Any

    @contextmanager
    def opened(self, folder: Path) -> Iterator[None]:
        """While this lasts the service is there."""
        with self.made() as fake:
            self.fake = fake
            self.furnish()
            yield

    made: Any
    """Makes its fake."""

    def furnish(self) -> None:
        """What its owner has there before Usher comes."""

    def form(self) -> dict[str, str]:
        """What the owner enters in the console."""
        raise NotImplementedError

    def agree(self, address: str) -> str:
        """The owner agrees at the service; where the browser is sent back to."""
        answer = requests.get(address, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def end_tokens(self) -> None:
        """Access tokens end before their time; new ones can be had."""

    def withdraw(self) -> None:
        """Somebody takes back what we were allowed: until a person connects again nothing goes."""
        raise NotImplementedError

    def let_in(self) -> dict[str, str]:
        """Whoever withdrew it makes it possible again; what the owner enters then besides signing in."""
        return {}

    def is_down(self) -> None:
        """503 to every call."""
        self.fake.faults.add(Fault(503, b"{}"))

    def loses_answers(self) -> None:
        """Every change is made, and a good third of the answers never arrive: so each kind of change is told twice."""
        chance, arrived = random.Random(5), 0
        for _ in range(MOST_LOST):
            while chance.random() < 0.6:
                arrived += 1
            self.fake.faults.add(Fault(done=True, drop=True), on=self.writes, times=1, after=arrived)

    def gives_no_tokens(self) -> None:
        """The sign-in is unwell by itself."""
        if self.signs_in:
            self.fake.faults.add(Fault(503, b"{}"), on=self.signs_in)

    def is_asked_too_much(self, seconds: int) -> None:
        """429, come back in so many seconds."""
        self.fake.faults.add(Fault(429, b"{}", headers={"Retry-After": str(seconds)}))

    def is_well(self) -> None:
        self.fake.faults.clear()

    @property
    def calls(self) -> int:
        """How often it was called."""
        return len(self.fake.asked)

    def at(self, db: Database, site_id: str) -> None:
        """Where it keeps things, for what is Usher's own."""

    def after_each_write(self, look: Callable[[], None]) -> None:
        """`look` sees what stands there after every call that may have changed something, one at a time."""
        answer = self.fake._answer

        def answered(request: Any) -> Any:
            found = answer(request)
            if request.method not in ("GET", "PROPFIND", "REPORT"):
                with self.fake.turn:
                    look()
            return found

        self.fake._answer = answered


class CrmService(Service):
    kind = "crm"
    words: ClassVar[dict[str, str]] = {one: one for one in ("booked", "rescheduled", "cancelled", "held", "no_show")}
    """Our states of a meeting in the service's words."""
    fields: ClassVar[dict[str, str]] = {"need": "need", "source": "utm_source"}
    """What the owner's fields for these are called there."""
    keeps_companies: ClassVar[bool] = True

    def people(self) -> dict[str, Person]:
        """By address; two of one address fail."""
        found: dict[str, Person] = {}
        for email, one in self.everybody():
            assert email not in found, f"{self.name} has {email} twice"
            found[email] = one
        return found

    def everybody(self) -> list[tuple[str, Person]]:
        raise NotImplementedError

    def companies(self) -> list[str]:
        """The domain of each, where the service keeps it; else its name."""
        raise NotImplementedError

    def activities(self) -> list[tuple[str, str]]:
        """(address of the person, text), in the order in which they were made."""
        raise NotImplementedError

    def meetings(self) -> list[Meeting]:
        raise NotImplementedError


class CalendarService(Service):
    kind = "calendar"

    def calendar_of(self, rep: str) -> str:
        """What team.yml says of the rep's calendar; "" for the usual one."""
        return ""

    def events(self) -> list[Event]:
        raise NotImplementedError

    def hide(self, rep: str) -> None:
        """This rep's calendar is silent."""
        raise NotImplementedError

    def show(self, rep: str) -> None:
        raise NotImplementedError
