"""A small company with four reps, on both databases, on a stopped Monday morning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins import registry
from plugins.records import MemoryRecords
from server.booking import service as booking
from server.booking.schema import Meetings, check_meetings
from server.config import service as config
from server.config.version import Section
from server.db import Database
from server.routing.checks import check_routing, check_segments, check_team
from server.routing.schema import Routing, Segments, Team
from tests.booking.wall import Wall, connected

SECTIONS = (
    Section(Team, check_team),
    Section(Meetings, check_meetings),
    Section(Segments, check_segments),
    Section(Routing, check_routing),
)
SITE = """\
key: acme
name: Acme Analytics
origins: [http://localhost:8010]
zone: Europe/Berlin
mail: {from_name: Acme, from_address: hello@acme.example}
"""
CONNECTED = SITE + "adapters: {calendar: wall}\n"
TEAM = """\
reps:
  - {id: grace, name: Grace Hopper, email: grace@acme.example, zone: Europe/Berlin,
     hours: &day [{days: [mon, tue, wed, thu, fri], start: "09:00", end: "12:00"}],
     location: {kind: video, url: "https://meet.example/grace"}}
  - {id: linus, name: Linus Pauling, email: linus@acme.example, zone: Europe/Berlin, hours: *day}
  - {id: margaret, name: Margaret Hamilton, email: margaret@acme.example, zone: Europe/Berlin, hours: *day}
  - {id: joan, name: Joan Clarke, email: joan@acme.example, zone: Europe/Berlin, limits: {per_day: 1}, hours: *day}
pools:
  - {id: sales, members: [grace, linus, margaret], zone: Europe/Berlin}
  - {id: pair, members: [grace, linus], zone: Europe/Berlin}
  - {id: late, members: [margaret], zone: Europe/Berlin, credit: {late_cancel_minutes: 1440, no_show: false}}
"""
MEETINGS = """\
meetings:
  - {id: demo, name: {en: Product demo, de: Produktvorführung}, duration_minutes: 30, buffer_after_minutes: 15, notice_minutes: 0, pool: sales,
     questions: [{id: goal, label: What would you like to see?, required: true}, {id: tools, label: Which tools?}], reminders_minutes: [1440, 60]}
  - {id: intro, name: Introduction, duration_minutes: 15, notice_minutes: 0, pool: sales, location: {kind: phone}}
  - {id: deep-dive, name: Deep dive, duration_minutes: 60, step_minutes: 30, notice_minutes: 0, pool: pair}
  - {id: board, name: Board meeting, duration_minutes: 60, notice_minutes: 0, pool: pair, assignment: collective}
  - {id: panel, name: Panel, duration_minutes: 60, notice_minutes: 0, pool: sales, hosts: 2}
"""  # noqa: E501
FILES = {"site.yml": SITE, "team.yml": TEAM, "meetings.yml": MEETINGS}
NINE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + timedelta(days=1)  # Tuesday, 09:00 in Berlin

ADA = {"name": "Ada Byron", "email": "Ada@Globex.example", "zone": "America/New_York", "locale": "en"}
GOAL = {"answers": {"goal": "Funnels"}}


@pytest.fixture
def version(db: Database, monday: Any) -> config.Version:
    return config.apply(db, FILES, author="test", sections=SECTIONS)


@pytest.fixture
def apply(db: Database, monday: Any) -> Callable[..., config.Version]:
    """Apply the folder with other texts in some files."""

    def change(**texts: str) -> config.Version:
        files = FILES | {f"{name}.yml": text for name, text in texts.items()}
        return config.apply(db, files, author="test", sections=SECTIONS)

    return change


@pytest.fixture
def wall() -> Iterator[Wall]:
    """A calendar service that `adapters: {calendar: wall}` connects."""
    with connected() as found:
        yield found


@pytest.fixture
def opened(wall: Wall) -> Callable[[], Any]:
    """Opens its adapter."""
    return lambda _=None: registry.open("calendar", "wall", {}, records=MemoryRecords())


@pytest.fixture
def book(db: Database, version: config.Version) -> Callable[..., booking.Meeting]:
    """Hold and confirm in one go."""

    def run(start: datetime = NINE, meeting: str = "demo", who: dict[str, Any] = ADA, **more: Any) -> booking.Meeting:
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting=meeting, start=start, **more)
            told = GOAL if meeting == "demo" else {}
            return booking.confirm(tx, version, held.id, **who, **told)

    return run
