"""`usher crm`: a dry run prints what would happen and writes nothing; comparing ends with 1 while something differs."""

from __future__ import annotations

import pytest

from server import events, settings
from server.adapters.records import TableRecords
from server.config import folder
from server.config import service as config
from server.db import Database, migrate
from server.leads import service as leads
from server.leads.values import FieldValue
from server.worker import Worker
from tests.cli.test_commands import usher  # noqa: F401
from tests.processes import ROOT


@pytest.fixture
def db(usher):  # noqa: F811 - the fixture that stands above
    found = Database(settings.get().database_url)
    migrate.upgrade(found)
    version = config.apply(found, folder.load(ROOT / "server" / "sample"), author="tests")
    with found.transaction() as tx:
        lead, _ = leads.meet(tx, version.site_id, email="ada@globex.example", source="chat", actor=events.BOT)
        told = [FieldValue("email", "ada@globex.example", "form"), FieldValue("name", "Ada Byron", "form")]
        leads.learn(tx, lead, told)
    yield found
    found.close()


def people(db):
    (site,) = config.sites(db)
    return TableRecords(db, site.id).list("crm.person")


def test_a_dry_run_prints_each_field_and_writes_nothing(usher, db):  # noqa: F811 - the fixture that stands above
    ended = usher("crm", "dry-run", "--made-up")
    assert ended.code == 0
    assert "Ada Byron" in ended.out
    assert "lead.name → name" in ended.out
    assert "Ada Sample (made up)" in ended.out
    assert "Built-in CRM: 3 records looked at" in ended.out
    assert "nothing was written" in ended.out
    assert people(db) == []


def test_a_value_of_somebody_else_is_shown_and_not_obeyed(usher, db):  # noqa: F811 - the fixture that stands above
    (site,) = config.sites(db)
    with db.transaction() as tx:
        lead, _ = leads.meet(tx, site.id, email="mal@globex.example", source="chat", actor=events.BOT)
        leads.learn(
            tx,
            lead,
            [FieldValue("email", "mal@globex.example", "form"), FieldValue("name", "CTO [/red] \x1b[31m", "form")],
        )
    ended = usher("crm", "dry-run", "--all")
    assert ended.code == 0
    assert "CTO [/red] [31m" in ended.out
    assert "\x1b" not in ended.out


def test_a_comparison_ends_with_1_until_all_is_told(usher, db):  # noqa: F811 - the fixture that stands above
    ended = usher("crm", "reconcile", "--repair")
    assert (ended.code, "1 record is told again" in ended.out) == (1, True)
    worker = Worker(db, timetable=())
    while worker.round():
        pass
    assert len(people(db)) == 1
    assert usher("crm", "reconcile").code == 0


def test_an_unknown_site_is_one_sentence(usher, db):  # noqa: F811 - the fixture that stands above
    ended = usher("crm", "dry-run", "--site", "nowhere")
    assert (ended.code, ended.err) == (1, "There is no site nowhere.\n")
