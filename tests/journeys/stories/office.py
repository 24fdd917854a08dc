"""Usher with a CRM and a calendar that its owner has connected in the console, a back room that works in steps of the
stopped clock, and visitors who must not notice how the services are."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from server import clock
from server.adapters import connections
from server.app import create_app
from server.booking import service as booking
from server.booking.invitations import links
from server.config.service import Version
from server.db import Database
from server.outbox.tables import deliveries
from server.people import service as people
from server.schedule import TIMETABLE
from server.worker import Worker
from tests.console.conftest import Desk
from tests.console.story import PASSWORD
from tests.journeys.stories.history import History, told
from tests.journeys.stories.service import CALLBACK, GRACE, LINUS, CalendarService, CrmService, Service
from tests.journeys.stories.site import UTM, site
from tests.playbooks.chat import Chat, applied

MORNING = datetime.fromisoformat("2026-03-02T09:00:00+00:00")  # a Monday, 10:00 in Berlin
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OWNER = "olga@acme.example"
FAR = 400
"""More steps than any story needs."""
RESTS = timedelta(seconds=20)
"""So long the story waits for what is due and is not taken up: its service is left alone for a while."""


class Office:
    """`work()` is the back room until nothing is due; `step()` lets time pass and works."""

    def __init__(self, db: Database, crm: CrmService, calendar: CalendarService, time: clock.StoppedClock) -> None:
        self.db, self.crm, self.calendar, self.time = db, crm, calendar, time
        self.version: Version = applied(db, site(crm, calendar))
        self.app = create_app(db)
        self.site_id = self.version.site_id
        people.add(db, email=OWNER, name="Olga", role="owner", password=PASSWORD)
        for rep in (GRACE, LINUS):
            name = rep.split("@")[0]
            people.add(db, email=rep, name=name.title(), role="rep", rep=name, password=PASSWORD)
        self.history = History(crm)
        self.alone = True  # nobody else works at the same time
        for service in (crm, calendar):
            service.at(db, self.site_id)
        self.worker = Worker(db, [replace(job, aside=False) for job in TIMETABLE])

    # What the owner does

    def desk(self, email: str = OWNER) -> Desk:
        return Desk(self.app, email)

    def connect(self) -> None:
        """Olga connects both services at the console."""
        for service in (self.crm, self.calendar):
            if service.name != "builtin":
                owner = self.desk()
                new = f"/connections/new/{service.kind}/{service.name}"
                made = owner.post(new, {"site": "acme", **service.form()})
                self._signed_in(owner, service, made)

    def connect_again(self, service: Service) -> None:
        """She has read that it is broken, and does what its page asks for."""
        owner, one = self.desk(), self.connection(service)
        assert one.state == "broken"
        page = f"/connections/{one.id}"
        assert html.escape(one.problem, quote=False)[:20] in html.unescape(owner.text(page)).replace("&#39;", "'")
        entered = service.let_in()
        form = {**service.form(), **entered}
        self._signed_in(owner, service, owner.post(page if entered else f"{page}/sign-in", form if entered else {}))
        assert self.connection(service).state == "working"

    def _signed_in(self, owner: Desk, service: Service, answer: Any) -> None:
        if service.in_browser:
            assert answer.status_code == 200, answer.text
            leaving = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
            assert leaving is not None, answer.text
            back = service.agree(html.unescape(leaving[1]))
            assert back.startswith(CALLBACK)
            answer = owner.get(back.removeprefix("http://127.0.0.1:8000"))
        assert answer.status_code == 303, re.sub(r"<[^>]+>|\s+", " ", answer.text)
        page = owner.text(answer.location)
        assert " is connected as " in page, re.sub(r"<[^>]+>|\s+", " ", page)

    def connection(self, service: Service) -> Any:
        with self.db.reading() as tx:
            (one,) = connections.all_of(tx, self.site_id, service.kind)
        return one

    # What visitors and reps do

    @contextmanager
    def untroubled(self, calls: int = 0) -> Iterator[None]:
        """Inside, a visitor is served; the CRM is not asked for it, and the calendar no more often than said."""
        before = self.crm.calls, self.calendar.calls
        yield
        if not self.alone:
            return
        assert self.crm.calls == before[0], "the visitor waited for the CRM"
        assert self.calendar.calls - before[1] <= calls, "the visitor waited for the calendar"

    def visit(self, email: str) -> Chat:
        """Somebody comes to the page, answers, and says who they are."""
        with self.untroubled():
            chat = Chat(self.db, page={"utm": UTM}).open()
            assert chat.texts == ["Hello", "What do you need?"]
            chat.say("Dashboards")
            chat.say("80")
            chat.say(email)
        return chat

    def has_times(self, chat: Chat) -> bool:
        return any(part["kind"] == "slots" for part in chat.parts)

    def book(self, chat: Chat, name: str, email: str, number: int = 1) -> Any:
        """They choose one of the times on offer; the meeting, or None when nobody could be booked after all."""
        with self.untroubled(calls=8):  # the rep's calendar is looked at once more
            chat.choose(number)
            if chat.state == "closed" or not [part for part in chat.parts if part["kind"] == "form"]:
                return None
            chat.fill(name=name, email=email)
        return self.meeting(chat.memory.meeting) if chat.memory.meeting else None

    def meeting(self, id: str) -> Any:
        with self.db.reading() as tx:
            return booking.get(tx, id)

    def move(self, meeting: Any, number: int = 0) -> Any:
        """The visitor opens the link of the invitation and takes another time; None when there is none."""
        client, path = self.app.test_client(), f"/m/{links.token_of(meeting.id)}"
        with self.untroubled(calls=8):
            page = client.get(f"{path}/reschedule")
            assert page.status_code == 200
            starts = re.findall(r'name="start" value="([^"]+)"', page.text)
            if not starts:
                return None
            seen = re.search(r'name="seen" value="(\d+)"', page.text)
            form = {"start": starts[number % len(starts)], **({"seen": seen[1]} if seen else {})}
            answer = client.post(f"{path}/reschedule", data=form)
        assert answer.status_code in (303, 409), answer.text
        return self.meeting(meeting.id) if answer.status_code == 303 else None

    def cancel(self, meeting: Any) -> None:
        with self.untroubled(calls=8):
            answer = self.app.test_client().post(f"/m/{links.token_of(meeting.id)}/cancel", data={"reason": "ill"})
        assert answer.status_code == 303, answer.text

    def missed(self, meeting: Any) -> None:
        """The rep says at the desk that nobody came."""
        answer = self.desk(f"{meeting.rep}@acme.example").post(f"/meetings/{meeting.id}/end", {"result": "no_show"})
        assert answer.status_code == 303, answer.text

    # What the back room does

    def work(self) -> None:
        for _ in range(FAR):
            if not self.worker.round():
                return
        raise AssertionError("the worker finds no end")

    def step(self, by: timedelta = MINUTE) -> None:
        """So much time passes; what is due meanwhile is done when it is due."""
        until = self.time.at + by
        while self.time.at < until:
            soonest = self._soonest() or until
            self.time.at = min(until, soonest if soonest > self.time.at else self.time.at + RESTS)
            self.work()

    def until_told(self) -> None:
        """Time passes until the outside has heard everything."""
        for _ in range(FAR):
            self.step(2 * MINUTE)
            if not self.left():
                return
        raise AssertionError(f"never told: {self.left()}")

    def left(self) -> list[tuple[str, str, str]]:
        """What the services have not heard."""
        with self.db.reading() as tx:
            rows = tx.execute(select(deliveries).where(deliveries.c.kind.in_(("crm", "calendar")))).all()
        return [(row.state, row.operation, row.problem) for row in rows if row.state not in ("done", "withdrawn")]

    def _soonest(self) -> datetime | None:
        found = select(func.min(deliveries.c.not_before)).where(
            deliveries.c.state == "waiting", deliveries.c.kind.in_(("crm", "calendar")), ~deliveries.c.behind
        )
        with self.db.reading() as tx:
            return tx.execute(found).scalar()

    def told(self) -> dict[str, list[Any]]:
        """See history.py."""
        return told(self.db, self.site_id, self.crm)

    def told_twice(self) -> set[str]:
        """Operations of which one at least had to be tried again."""
        with self.db.reading() as tx:
            found = select(deliveries.c.operation).where(deliveries.c.attempts > 0, deliveries.c.state == "done")
            return set(tx.execute(found).scalars())

    def states(self) -> set[str]:
        """Of all deliveries to the services."""
        with self.db.reading() as tx:
            found = select(deliveries.c.state).where(deliveries.c.kind.in_(("crm", "calendar"))).distinct()
            return set(tx.execute(found).scalars())


@contextmanager
def office_at(folder: Path, crm: CrmService, calendar: CalendarService, db: Database) -> Iterator[Office]:
    """Everything is there and connected, on a Monday morning."""
    with ExitStack() as ends, clock.stopped_at(MORNING) as time:
        ends.enter_context(crm.opened(folder))
        ends.enter_context(calendar.opened(folder))
        office = Office(db, crm, calendar, time)
        office.connect()
        office.history.begin()
        office.work()
        yield office
