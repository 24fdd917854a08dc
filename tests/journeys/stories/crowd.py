"""Leads who arrive, book, move and call off while services are unwell; and what must stand there when all is over."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from server import clock
from server.booking.tables import meetings as meetings_table
from tests.journeys.stories.office import MINUTE, Office
from tests.journeys.stories.service import Event

STANDING = ("booked", "rescheduled")
PACE = 1 if os.environ.get("USHER_SOAK") else 5
"""So many minutes pass between what people do."""


@dataclass
class Crowd:
    """`all` leads come over the whole story; every fifth works where the one before does."""

    office: Office
    all: int
    chance: random.Random
    emails: list[str] = field(default_factory=list)
    booked: list[Any] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)

    def arrive(self, until: float) -> None:
        """As many as have come when this part of the story is over."""
        while len(self.emails) < round(self.all * until):
            self.one_arrives()

    def one_arrives(self) -> Any:
        """Somebody chats, says who they are, and books if there is anybody to book."""
        number = len(self.emails)
        email = f"lead{number}@firm{number - (number % 5 == 4)}.example"
        self.emails.append(email)
        chat = self.office.visit(email)
        made = None
        if self.office.has_times(chat):
            made = self.office.book(chat, f"Lead {number}", email, self.chance.randrange(1, 6))
        else:
            assert chat.texts[-1] == "We write to you."
        self.deeds["booked" if made else "met"] += 1
        self.booked += [made] if made else []
        return made

    def change_their_minds(self, moved: int, cancelled: int) -> None:
        """So many move their meeting, so many call it off."""
        for _ in range(moved):
            self._one(lambda meeting: self.office.move(meeting, self.chance.randrange(20)), "moved")
        for _ in range(cancelled):
            self._one(self._called_off, "called off")

    def _called_off(self, meeting: Any) -> Any:
        self.office.cancel(meeting)
        return self.office.meeting(meeting.id)

    def _one(self, deed: Callable[[Any], Any], name: str) -> None:
        booked = [self.office.meeting(one.id) for one in self.booked]
        ahead = [one for one in booked if one.status in STANDING and one.start_at > clock.now()]
        if ahead and deed(self.chance.choice(ahead)):
            self.deeds[name] += 1

    def go_on(self, minutes: int, until: float, *, moved: int = 0, cancelled: int = 0) -> None:
        """So many minutes in which leads arrive one after the other, until so much of the story is over."""
        begun, legs = len(self.emails) / self.all, minutes // PACE
        for leg in range(1, legs + 1):
            self.arrive(begun + (until - begun) * leg / legs)
            if leg == (legs + 1) // 2:
                self.change_their_minds(moved, cancelled)
            self.office.step(PACE * MINUTE)


def hold(crowd: Crowd) -> None:
    """Each lead, company, activity, meeting and event stands there once, as it is now, told in order; nothing died."""
    office = crowd.office
    assert office.states() <= {"done", "withdrawn"}
    people = office.crm.people()
    assert sorted(people) == sorted(crowd.emails)
    assert {one.need for one in people.values()} == {"Dashboards"}
    firms = sorted({email.partition("@")[2] for email in crowd.emails})
    assert sorted(office.crm.companies()) == firms
    ours = _meetings(office)
    status = {"pending": "booked", "done": "held"}
    expected = [
        (one.email, one.start_at, one.end_at, office.crm.words[status.get(one.status, one.status)]) for one in ours
    ]
    there = [(one.email, one.start, one.end, one.status) for one in office.crm.meetings()]
    assert Counter(there) == Counter(expected)
    hold_events(office, [one for one in ours if one.status in STANDING])
    hold_order(office)


def hold_events(office: Office, standing: list[Any]) -> None:
    """In each rep's calendar exactly the meetings that stand."""
    wanted = [(f"{one.rep}@acme.example", one.start_at, one.end_at) for one in standing]
    found: list[Event] = office.calendar.events()
    assert Counter((one.rep, one.start, one.end) for one in found) == Counter(wanted)


def hold_order(office: Office) -> None:
    """Activities and meetings of each lead are there once, and came in the order in which they were queued."""
    told = office.told()
    texts = Counter(email for email, _ in office.crm.activities())
    assert texts == Counter(email for email, what in told.items() for one in what if isinstance(one, str))
    if office.crm.name == "builtin":
        return
    for email, expected in told.items():
        came = office.history.of(email)
        assert len(came) == len(expected), (email, came, expected)
        for is_there, wanted in zip(came, expected, strict=True):
            assert wanted in is_there if isinstance(wanted, str) else wanted == is_there, (email, came, expected)


def _meetings(office: Office) -> list[Any]:
    with office.db.reading() as tx:
        rows = tx.execute(select(meetings_table).where(meetings_table.c.status.not_in(("held", "expired")))).all()
    return [row for row in rows if row.email]
