"""Callers that come while others are being served are served together; nobody is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from server.together import Together
from tests.processes import wait_until


def test_who_comes_while_one_is_served_is_served_in_one_group_in_the_order_of_coming() -> None:
    groups: list[list[int]] = []
    served, go_on = threading.Event(), threading.Event()

    def work(jobs: Sequence[int]) -> list[int]:
        groups.append(list(jobs))
        served.set()
        go_on.wait(10)
        return [job * 10 for job in jobs]

    company: Together[int, int] = Together(work, most=4)
    results: dict[int, int] = {}
    callers = [_started(lambda n=0: results.update({n: company.do(n)}))]
    assert served.wait(10)
    for n in range(1, 8):
        callers.append(_started(lambda n=n: results.update({n: company.do(n)})))  # type: ignore[misc]
        wait_until(lambda n=n: len(company) == n)  # type: ignore[misc]
    go_on.set()
    for caller in callers:
        caller.join(10)
    assert groups == [[0], [1, 2, 3, 4], [5, 6, 7]]
    assert results == {n: n * 10 for n in range(8)}


def test_a_worker_that_is_ended_leaves_the_group_to_the_next() -> None:
    fails = [True]

    def work(jobs: Sequence[str]) -> list[str]:
        if fails.pop():
            fails.append(False)
            raise KeyboardInterrupt
        fails.append(False)
        return [job.upper() for job in jobs]

    company: Together[str, str] = Together(work)
    with pytest.raises(KeyboardInterrupt):
        company.do("mine")
    assert company.do("yours") == "YOURS"
    assert len(company) == 0


def _started(do: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread
