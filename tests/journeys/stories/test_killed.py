"""kill -9 of the worker at any moment while leads arrive and the services are unwell: each record and event is there
once and in order, and nothing is lost. With USHER_SOAK=1 the long version, for every service."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import timedelta
from itertools import cycle

import pytest

from server.db import Database, migrate
from tests.journeys.stories.calendars import CALENDARS
from tests.journeys.stories.crms import CRMS
from tests.journeys.stories.crowd import Crowd, hold
from tests.journeys.stories.office import office_at
from tests.journeys.stories.site import REST
from tests.processes import ROOT

SOAK = bool(os.environ.get("USHER_SOAK"))
EVERY = [("salesforce", "google"), ("hubspot", "microsoft"), ("dynamics", "caldav"), ("webhook", "builtin")]
EVERY += [("builtin", "builtin")]
PAIRS = EVERY if SOAK else EVERY[:1]
KILLS, LEADS = (20, 50) if SOAK else (3, 6)
MOST_WORK_SECONDS = 2.5 if SOAK else 1.2
"""The first worker has all of it: what happened comes before what is told."""

pytestmark = pytest.mark.long


@pytest.fixture(params=PAIRS, ids="+".join)
def crowd(request, database_url, operator, tmp_path):
    if not SOAK and database_url.startswith("postgresql"):
        pytest.skip("on PostgreSQL in the long version")
    crm, calendar = request.param
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    db = Database(database_url)
    migrate.upgrade(db)
    with office_at(tmp_path, CRMS[crm](), CALENDARS[calendar](), db) as office:
        office.alone = False
        yield Crowd(office, LEADS, random.Random(seed))
    db.close()


@pytest.fixture
def workers(database_url, crowd):
    """What lets workers live for a while."""
    command = [sys.executable, "-m", "tests.journeys.stories.kills", database_url]
    command += [f"{one.kind}.{one.name}" for one in (crowd.office.crm, crowd.office.calendar)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.stdin.close()
        assert running.wait(10) == 0


def test_whenever_the_worker_is_killed_everything_is_told_once_and_in_order(crowd, workers):
    office = crowd.office
    away = [one for one in (office.crm, office.calendar) if one.name != "builtin"]
    troubles = cycle(["loses_answers", "is_well", "end_tokens", "is_down", "loses_answers"])
    crowd.arrive(0.3)
    before = office.crm.calls
    for number, trouble in zip(range(1, KILLS + 1), troubles, strict=False):
        for one in away:
            one.is_well()
            getattr(one, trouble)()
        seconds = crowd.chance.uniform(0.05, MOST_WORK_SECONDS) if number > 1 else MOST_WORK_SECONDS
        workers.stdin.write(f"{office.time.at.isoformat()} {seconds}\n")
        workers.stdin.flush()
        crowd.arrive(0.3 + 0.7 * number / KILLS)
        crowd.change_their_minds(moved=1, cancelled=number % 2)
        assert workers.stdout.readline() == "killed\n"
        office.time.advance(timedelta(minutes=2))
    assert office.crm.calls > before or not away, "the workers were killed before they did anything"
    for one in away:
        one.is_well()
    office.until_told()
    office.step(REST)
    office.until_told()
    print(dict(crowd.deeds), office.crm.calls, office.calendar.calls)
    hold(crowd)
