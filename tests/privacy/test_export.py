"""What is held about one person is given out whole, and no table is forgotten."""

from __future__ import annotations

import json

import pytest

from server.db import metadata
from server.errors import NotFound
from server.privacy import service as privacy
from server.privacy.holdings import IMPERSONAL, PERSONAL
from server.privacy.service import Who
from tests.conftest import import_all_tables
from tests.privacy.conftest import ADA, BOB, OWNER, Town


def test_every_table_is_given_out_and_erased_or_says_why_not():
    import_all_tables()
    known = {*PERSONAL, *IMPERSONAL}
    assert {name for name in metadata.tables if name not in known} == set(), "handle it in server/privacy/holdings.py"
    assert not set(PERSONAL) & set(IMPERSONAL)


def test_everything_of_a_person_is_in_the_export(town: Town):
    given = privacy.export(town.db, Who("ada@WONKA.example"), by=OWNER)
    tables = given["sites"]["acme"]
    assert {name for name in PERSONAL if not tables.get(name)} == set()
    whole = json.dumps(given, ensure_ascii=False)
    for trace in ("purple elephant", "Lovelace", "+49301234567", "/pricing", "wonka.example", "Product demo"):
        assert trace in whole
    mine = {row["id"] for row in tables["conversations"]}
    assert mine == {town.ada.id}
    assert {row["conversation_id"] for row in tables["messages"]} == mine
    assert [row["email"] for row in tables["meetings"]] == [ADA.replace("Wonka", "wonka")]
    assert [row["start_at"] for row in tables["invited_to"]] == ["2026-03-03T10:00:00+00:00"]  # Bob's


def test_the_export_holds_no_secret_and_nothing_of_others_talks(town: Town):
    (visitor,) = privacy.export(town.db, town.who, by=OWNER)["sites"]["acme"]["visitors"]
    assert not {"token_digest", "seed"} & set(visitor)
    whole = json.dumps(privacy.export(town.db, town.who, by=OWNER))
    assert "Dashboards" not in whole
    assert "7654321" not in whole
    assert BOB not in whole


def test_that_it_was_given_out_is_noted_without_a_name(town: Town):
    privacy.export(town.db, town.who, by=OWNER)
    (line,) = [row for row in town.rows("events") if row["name"] == "person.exported"]
    assert line["actor_name"] == "Olga Owner"
    assert "wonka" not in json.dumps(line, default=str).lower()


def test_nobody_is_a_sentence(town: Town):
    with pytest.raises(NotFound, match="Nothing is held about eve@example"):
        privacy.export(town.db, Who("eve@example.com"), by=OWNER)
    with pytest.raises(NotFound, match="no site other"):
        privacy.look(town.db, Who(ADA, "other"))
