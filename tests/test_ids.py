"""Ids tell the order in which they were made; signed texts cannot be forged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from server import ids


def test_what_is_made_later_sorts_later_even_within_a_millisecond():
    made = [ids.new_id("event") for _ in range(5_000)]
    assert made == sorted(set(made))


def test_threads_never_make_the_same_id():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new_id("event"), range(5_000)))
    assert len(set(made)) == len(made)
