"""kill -9 between any two statements of a hold, a confirmation, a move, a cancellation, a hand-over, a release, and of
a worker: what is left is whole, and the next process goes on with it. With USHER_SOAK=1 the long version."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import select

from plugins.calendar import Window
from server import clock, settings
from server.adapters import service as adapters
from server.booking import service as booking
from server.booking.tables import meetings
from server.config import service as config
from server.outbox import service as outbox
from server.routing.schema import Team
from server.worker import Worker
from tests.booking import books, race
from tests.booking.conftest import SECTIONS
from tests.processes import ROOT

KILLS = 50 * 7 if os.environ.get("USHER_SOAK") == "1" else 2 * 7

pytestmark = pytest.mark.long


@pytest.fixture
def mailed(tmp_path, monkeypatch):
    """The folder of mails."""
    monkeypatch.setenv("USHER_MAIL_TO", "mailbox")
    monkeypatch.setenv("USHER_MAILBOX_DIR", str(tmp_path / "mails"))
    settings.get.cache_clear()
    yield tmp_path / "mails"
    settings.get.cache_clear()


def work(db):
    """What a new worker does, until nothing is due."""
    worker = Worker(db)
    while worker.round():
        pass
    with db.reading() as tx:
        assert "leased" not in outbox.counts(tx)


def test_whatever_is_killed_whenever_leaves_whole_books_and_everybody_is_told(db, database_url, mailed):
    version = config.apply(db, race.FILES, author="test", sections=SECTIONS)
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    arguments = ["-m", "tests.booking.kills", database_url, str(KILLS), str(seed)]
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)
    books.check(db)
    work(db)
    with clock.stopped_at(clock.now() + booking.HOLD_FOR + timedelta(seconds=1)):
        work(db)
        assert books.check(db) > 0
        with db.reading() as tx:
            found = tx.execute(select(meetings)).all()
            due = [row for row in outbox.latest(tx, limit=100_000) if row.not_before <= clock.now()]
    assert {row.state for row in due} == {"done"}
    assert booking.HELD not in {one.status for one in found}
    assert in_calendars(db, version) == sorted(
        (one.uid, one.rep, one.start_at) for one in found if one.status != booking.CANCELLED
    )
    mails = [path.read_bytes() for path in mailed.iterdir()]
    assert all(any(meeting.email.encode() in mail for mail in mails) for meeting in found)


def in_calendars(db, version):
    """What stands in the calendars of the reps: which meeting, whose, when."""
    calendar, found = adapters.opened(db, version, "calendar"), []
    around = Window(race.FIRST - timedelta(days=1), race.FIRST + timedelta(days=9))
    for rep in version.part(Team).reps:
        events = calendar.events(rep.calendar_id, around)
        found += [(draft.uid, rep.id, draft.start) for _, draft in events]
    return sorted(found)
