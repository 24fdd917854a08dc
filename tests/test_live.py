"""Frames travel between processes with the commit that they belong to, whole and in order, and a gap is noticed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.queues import Queue
from typing import Any

import psycopg
import pytest

from server import live
from server.db import Database
from tests.conftest import empty_postgres
from tests.processes import wait_until

fork = multiprocessing.get_context("fork")
END = {"t": "end"}


@pytest.fixture
def url(postgres_url: str, request: pytest.FixtureRequest) -> str:
    return empty_postgres(postgres_url, request)


@pytest.fixture
def heard(url: str) -> Iterator[Queue[Any]]:
    """What a process that listens to `room` gets; "missed" when it has been cut off meanwhile."""
    queue: Queue[Any] = fork.Queue()
    listener = fork.Process(target=_listen, args=(url, queue), daemon=True)
    listener.start()
    assert queue.get(timeout=20) == "ready"
    yield queue
    listener.kill()
    listener.join(10)


def test_frames_of_a_rolled_back_transaction_reach_nobody_and_committed_ones_arrive_whole_and_in_order(url, heard):
    long = {"t": "message", "text": "ü" * 30_000}
    _in_a_process(_say, url, [("lost", True), (long, False), ({"t": "message", "text": "short"}, False), (END, False)])
    assert [heard.get(timeout=20) for _ in range(3)] == [long, {"t": "message", "text": "short"}, END]


def test_a_listener_that_was_cut_off_is_told_so_and_hears_on(url, heard):
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as admin:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        wait_until(lambda: admin.execute(ended).fetchall(), what="the listener's connection")
    assert heard.get(timeout=20) == "missed"
    _in_a_process(_say, url, [(END, False)])
    assert heard.get(timeout=20) == END


def _in_a_process(do: Any, *arguments: Any) -> None:
    child = fork.Process(target=do, args=arguments, daemon=True)
    child.start()
    child.join(30)
    assert child.exitcode == 0


def _listen(url: str, queue: Queue[Any]) -> None:
    live.subscribe("room", lambda frame: queue.put(dict(frame)))
    live.share_between_processes(Database(url), missed=lambda: queue.put("missed"))
    queue.put("ready")
    fork.Event().wait()


def _say(url: str, frames: list[tuple[Any, bool]]) -> None:
    db = Database(url)
    live.share_between_processes(db)
    for frame, fails in frames:
        try:
            with db.transaction() as tx:
                live.share(tx, [("room", frame), ("elsewhere", frame)])
                if fails:
                    raise LookupError
        except LookupError:
            pass
