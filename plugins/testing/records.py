"""What every implementation of `Records` must pass."""

from __future__ import annotations

import pytest

from plugins.records import Records, append, change
from plugins.testing.conformance import THREADS, at_once
from plugins.testing.guard import Guarded


class RecordsConformance(Guarded):
    """The author gives `records`, empty at first."""

    @pytest.fixture
    def records(self) -> Records:
        raise NotImplementedError

    def test_what_is_put_is_got_and_what_is_deleted_is_gone(self, records: Records) -> None:
        value = {"name": "Ada ✓", "tags": ["a", {"b": None}], "n": 1.5, "yes": True}
        assert records.put("person", "p1", value)
        assert records.get("person", "p1") == value
        assert records.get("company", "p1") is None
        assert records.delete("person", "p1")
        assert not records.delete("person", "p1")
        assert records.get("person", "p1") is None

    def test_changing_what_was_got_does_not_change_what_is_kept(self, records: Records) -> None:
        records.put("person", "p1", {"tags": ["a"]})
        got = records.get("person", "p1")
        assert got
        got["tags"].append("b")
        assert records.get("person", "p1") == {"tags": ["a"]}

    def test_a_new_record_does_not_overwrite_one(self, records: Records) -> None:
        assert records.put("person", "p1", {"n": 1}, new=True)
        assert not records.put("person", "p1", {"n": 2}, new=True)
        assert records.get("person", "p1") == {"n": 1}

    def test_an_expected_value_guards_the_write(self, records: Records) -> None:
        assert not records.put("person", "p1", {"n": 1}, expect={"n": 0})
        records.put("person", "p1", {"n": 1, "a": {"x": 1, "y": 2}})
        assert not records.put("person", "p1", {"n": 2}, expect={"n": 1})
        assert records.put("person", "p1", {"n": 2}, expect={"a": {"y": 2, "x": 1}, "n": 1})
        assert records.get("person", "p1") == {"n": 2}

    def test_find_compares_all_named_values_and_keeps_the_order_of_arrival(self, records: Records) -> None:
        for id, b in (("c", "x"), ("a", "y"), ("b", "x"), ("d", "z")):
            records.put("k", id, {"a": 1, "b": b, "id": id})
        records.put("k", "c", {"a": 1, "b": "x", "id": "c", "changed": True})
        assert [record["id"] for record in records.find("k", {"a": 1, "b": "x"})] == ["c", "b"]
        assert records.find("k", {"missing": None}) == []
        assert len(records.find("k", {})) == 4

    def test_list_goes_on_after_an_id(self, records: Records) -> None:
        for id in ("b", "a", "C", "c"):
            records.put("k", id, {"id": id})
        assert [id for id, _ in records.list("k")] == ["C", "a", "b", "c"]
        assert records.list("k", after="a", limit=1) == [("b", {"id": "b"})]
        assert records.list("k", after="c") == []

    def test_eight_changes_at_once_lose_none(self, records: Records) -> None:
        at_once(lambda _: change(records, "counter", "c", lambda there: {"n": (there or {"n": 0})["n"] + 1}))
        assert records.get("counter", "c") == {"n": THREADS}

    def test_eight_appended_at_once_are_numbered_without_gap(self, records: Records) -> None:
        ids = at_once(lambda n: append(records, "log", {"n": n}))
        assert sorted(ids) == [f"{n:012d}" for n in range(1, THREADS + 1)]
        assert [id for id, _ in records.list("log")] == sorted(ids)
