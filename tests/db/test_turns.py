"""Turns are given in the order in which people came."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from server.db.turns import Turns
from tests.processes import wait_until


def test_who_comes_again_at_once_does_not_overtake_those_who_wait():
    turns, order = Turns(1), []

    def stand(name: str) -> None:
        assert turns.take(30)
        order.append(name)
        turns.give_back()

    assert turns.take(0)
    with ThreadPoolExecutor(3) as crowd:
        for number, name in enumerate("abc", 1):
            crowd.submit(stand, name)
            wait_until(lambda number=number: turns.waiting == number, what="the queue")
        turns.give_back()
        assert turns.take(30)
        assert order == ["a", "b", "c"]
        turns.give_back()


def test_a_turn_that_nobody_took_in_time_is_there_for_the_next():
    turns = Turns(1)
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give_back()
    assert turns.take(0)
    assert not turns.take(0)
