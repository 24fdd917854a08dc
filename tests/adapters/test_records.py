"""The table keeps records as the adapters' contract says, also when two writers meet."""

from __future__ import annotations

import threading

import pytest

from plugins.records import MemoryRecords
from server.adapters.records import TableRecords


@pytest.fixture(params=["table", "memory"])
def records(request, db):
    return MemoryRecords() if request.param == "memory" else TableRecords(db, "sit_1")


def test_what_is_put_can_be_got_and_is_a_copy(records):
    assert records.put("crm.person", "ada", {"name": "Ada"})
    records.get("crm.person", "ada")["name"] = "changed outside"
    assert records.get("crm.person", "ada") == {"name": "Ada"}


def test_new_is_refused_where_something_is(records):
    records.put("k", "a", {"n": 1})
    assert not records.put("k", "a", {"n": 2}, new=True)
    assert records.get("k", "a") == {"n": 1}


def test_a_change_that_expects_another_state_is_refused(records):
    records.put("k", "a", {"n": 1})
    assert not records.put("k", "a", {"n": 3}, expect={"n": 2})
    assert records.put("k", "a", {"n": 2}, expect={"n": 1})


def test_found_by_values_oldest_first_and_listed_by_id(records):
    records.put("k", "b", {"of": "x", "n": 1})
    records.put("k", "a", {"of": "x", "n": 2})
    records.put("k", "c", {"of": "y", "n": 3})
    assert [one["n"] for one in records.find("k", {"of": "x"})] == [1, 2]
    assert [id for id, _ in records.list("k", after="a")] == ["b", "c"]
    assert records.delete("k", "a")
    assert not records.delete("k", "a")


def test_of_eight_writers_who_expect_the_same_one_wins(records):
    records.put("k", "a", {"n": 0})
    start, wins = threading.Barrier(8), []

    def write(n):
        start.wait()
        wins.append(records.put("k", "a", {"n": n}, expect={"n": 0}))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(1, 9)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert wins.count(True) == 1


def test_sites_do_not_see_each_other(db):
    TableRecords(db, "sit_1").put("k", "a", {"n": 1})
    assert TableRecords(db, "sit_2").get("k", "a") is None
