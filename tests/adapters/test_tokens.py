"""Refresh tokens that are good once: however many want new tokens at a time, one asks, and nobody loses the grant."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from plugins.errors import AuthError, Transient
from plugins.testing.fakes import Fault
from server import clock
from server.adapters import connections, store
from server.adapters.tokens import RowTokens, seal_tokens
from server.settings import ROOT
from tests.adapters.conftest import OLGA
from tests.adapters.renewing import renewed


def together(deed, number=8):
    start, answers = threading.Barrier(number), []

    def go():
        start.wait()
        try:
            answers.append(deed())
        except Exception as problem:  # noqa: BLE001 - whatever goes wrong is an answer
            answers.append(problem)

    threads = [threading.Thread(target=go) for _ in range(number)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return answers


def test_eight_threads_that_find_the_token_ended_ask_once(db, people):
    made = people.signed_in()
    people.service.expire()
    answers = together(lambda: connections.open(db, made).check())
    assert [answer.ok for answer in answers] == [True] * 8
    assert people.service.refreshes == 1
    assert not people.service.grants[0].ended


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite_db", *(["db"] if os.environ.get("USHER_SOAK") else [])])
def test_two_processes_that_renew_again_and_again_keep_the_grant(request, people_of, kind):
    db = request.getfixturevalue(kind)
    people = people_of(db)
    made = people.signed_in()
    address = db.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.adapters.renewing", address, made.id, "3"]
    people.service.faults.add(Fault(drip_seconds=0.1), on="POST /token")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    running = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]
    assert [one.stdout.readline() for one in running] == ["ready\n"] * 2
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [(one.communicate(timeout=60)[0], one.returncode) for one in running]
    assert told == [("", 0), ("", 0)]
    assert not people.service.grants[0].ended, "no refresh token was used twice"
    assert 3 <= people.service.refreshes <= 6


def test_who_waits_gets_what_another_process_was_given(sqlite_db, people_of):
    made = people_of(sqlite_db).signed_in()
    here = connections.open(sqlite_db, made)
    seen, answers = here.tokens.load(), []
    waiting = threading.Thread(target=lambda: answers.append(RowTokens(sqlite_db, made).renewed(seen, _fails)))
    with sqlite_db.transaction() as tx:
        sealed, until = store.get(tx, made.id).tokens, clock.now() + timedelta(seconds=30)
        assert store.take_renewal(tx, made.id, sealed, clock.now(), until)
        assert not store.take_renewal(tx, made.id, sealed, clock.now(), until)
    waiting.start()
    fresh = renewed(here, seen)
    with sqlite_db.transaction() as tx:
        assert store.end_renewal(tx, made.id, sealed, until, {"tokens": seal_tokens(fresh)})
    waiting.join(10)
    assert answers == [fresh]


def test_a_process_that_died_while_asking_is_waited_for_only_so_long(people_of, sqlite_db, monday):
    people = people_of(sqlite_db)
    made = people.signed_in()
    with sqlite_db.transaction() as tx:
        row = store.get(tx, made.id)
        assert store.take_renewal(tx, made.id, row.tokens, clock.now(), clock.now() + timedelta(seconds=45))
    monday.advance(timedelta(seconds=45))
    people.service.expire()
    assert connections.open(sqlite_db, made).check().ok


def test_a_service_that_is_down_costs_nothing_but_the_call(people_of, sqlite_db):
    people = people_of(sqlite_db)
    made = people.signed_in()
    people.service.expire()
    people.service.faults.add(Fault(status=503), on="POST /token", times=1)
    with pytest.raises(Transient):
        connections.open(sqlite_db, made).check()
    assert connections.open(sqlite_db, made).check().ok


def test_a_renewal_that_ends_after_the_disconnection_brings_nothing_back(people_of, sqlite_db):
    people = people_of(sqlite_db)
    made = people.signed_in()
    tokens = RowTokens(sqlite_db, made)

    def renew(old):
        connections.disconnect(sqlite_db, made.id, actor=OLGA)
        return {"access_token": "late"}

    with pytest.raises(AuthError):
        tokens.renewed(tokens.load(), renew)
    assert people.found(made.id).tokens == ""


def _fails(_old):
    raise AssertionError("somebody else is asking")
