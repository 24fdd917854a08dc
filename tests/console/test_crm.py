"""The CRM's pages: a mapping is edited as text is, tried without a word written, compared with what stands there."""

from __future__ import annotations

import html
import json
import re

import pytest

from plugins.crm.builtin import MEETING, BuiltinCRM
from server import events
from server.adapters import connections
from server.adapters.records import TableRecords
from server.booking.tables import meetings
from server.config import service as config
from server.leads import service as leads
from server.leads.values import FieldValue
from server.sync import service as sync
from server.sync.schema import Crm
from server.worker import Worker
from tests.console.conftest import Desk


def rows_of(desk: Desk) -> dict[str, str]:
    """The form as the page has it."""
    page = desk.text("/crm/acme")
    form = {
        name: html.unescape(value) for name, value in re.findall(r'name="((?:ours|theirs)-\d+)" value="([^"]*)"', page)
    }
    form |= words_in(page)
    for name, options in re.findall(r'<select class="input" name="([^"]+)".*?>(.*?)</select>', page, re.DOTALL):
        form[name] = re.search(r'value="([^"]*)" selected', options)[1] if "selected" in options else ""
    form |= {name: "on" for name in re.findall(r'name="((?:tell|match)-\w+)" checked', page)}
    form |= dict(re.findall(r'type="hidden" name="(seen|rows)" value="([^"]*)"', page))
    return {**form, "rest_minutes": "30"}


def words_in(page: str) -> dict[str, str]:
    """What stands in the boxes "Words there"."""
    found = re.findall(r'<textarea class="input" name="(values-\d+)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return {name: html.unescape(text) for name, text in found}


def mapping(db) -> Crm:
    return config.active(db, "acme").part(Crm)


def work(db) -> None:
    worker = Worker(db, timetable=())
    while worker.round():
        pass


def test_saving_what_is_there_keeps_nothing(desk, db):
    owner, before = desk("owner"), config.active(db, "acme")
    assert owner.post("/crm/acme", rows_of(owner)).status_code == 303
    assert "nothing was kept" in owner.said()
    assert config.active(db, "acme").id == before.id


def test_an_owner_adds_a_field_and_takes_one_away_and_it_is_a_version_like_any_other(desk, db):
    owner, form = desk("owner"), rows_of(desk("owner"))
    number = next(name.split("-")[1] for name, value in form.items() if value == "lead.rating")
    spare = int(form["rows"]) - 1
    added = {f"ours-{spare}": "utm.medium", f"theirs-{spare}": "utm_medium", f"values-{spare}": "mail = E-mail"}
    found = owner.post("/crm/acme", {**form, **added, f"gone-{number}": "on", "people-new": "never"})
    assert found.status_code == 303
    crm = mapping(db)
    by_name = {one.ours: one for one in crm.fields}
    assert (by_name["utm.medium"].theirs, by_name["utm.medium"].values) == ("utm_medium", {"mail": "E-mail"})
    assert "lead.rating" not in by_name
    assert (crm.people.new, crm.standard) == ("never", True)
    version = config.active(db, "acme")
    assert (version.number, version.author, version.note) == (2, "owner@acme.example", "CRM mapping")
    assert version.files["crm.yml"].startswith("# What the CRM hears")
    assert {
        name for name in version.files if version.files[name] != config.numbered(db, version.site_id, 1).files[name]
    } == {"crm.yml"}


def test_a_row_that_is_wrong_is_named_and_nothing_is_kept(desk, db):
    owner, form = desk("owner"), rows_of(desk("owner"))
    found = owner.post("/crm/acme", {**form, "ours-0": "lead.segmint"})
    assert found.status_code == 422
    assert "did you mean &#34;lead.segment&#34;?" in found.text
    assert "Nothing was kept: 1 row is not right yet." in found.text
    assert 'value="lead.segmint"' in found.text
    assert config.active(db, "acme").number == 1


def status_row(form: dict[str, str]) -> str:
    return next(name.partition("-")[2] for name, value in form.items() if value == "lead.status")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("disqualified=Unqualified, bad timing", {"disqualified": "Unqualified, bad timing"}),
        (
            "new = Open; assigned=Working, active\r\nlost = A=B",
            {"new": "Open", "assigned": "Working, active", "lost": "A=B"},
        ),
        ('new = "Open, assigned = Working"', {"new": "Open, assigned = Working"}),
    ],
)
def test_words_there_keep_their_commas(desk, db, typed, kept):
    owner, form = desk("owner"), rows_of(desk("owner"))
    assert owner.post("/crm/acme", {**form, f"values-{status_row(form)}": typed}).status_code == 303
    assert next(one.values for one in mapping(db).fields if one.ours == "lead.status") == kept


@pytest.mark.parametrize("typed", ["hot: Heiss; warm: Warm", "new = Open\nassigned", "new =", "new = A\nnew = B"])
def test_words_there_that_are_no_pairs_are_refused_and_stay_in_the_form(desk, db, typed):
    owner, form = desk("owner"), rows_of(desk("owner"))
    box = f"values-{status_row(form)}"
    for path in ("/crm/acme", "/crm/acme/try"):
        found = owner.post(path, {**form, box: typed})
        assert found.status_code == 422
        assert words_in(found.text)[box] == typed
        row = found.text[found.text.index(f'name="{box}"') :].split("</td>")[0]
        assert 'aria-invalid="true"' in row
        assert re.search(r"is no pair; write one on each line|stands there twice", row)
    assert config.active(db, "acme").number == 1


def test_words_there_that_a_file_holds_are_saved_as_they_are_shown(desk, db):
    values = {
        "new": "Open, to do; or so",
        "a=b": "x = y",
        "VP, Sales": 'say "VP", x = 1',
        '"q': "",
        " edge ": "two\nlines",
    }
    files = config.export(config.active(db, "acme"))
    files["crm.yml"] = json.dumps({"fields": [{"ours": "lead.status", "theirs": "status", "values": values}]})
    config.apply(db, files, author="owner@acme.example", note="by hand")
    owner = desk("owner")
    assert owner.post("/crm/acme", rows_of(owner)).status_code == 303
    assert "nothing was kept" in owner.said()
    form = rows_of(owner)
    owner.post("/crm/acme", {**form, "people-new": "never"})
    assert mapping(db).people.new == "never"
    assert mapping(db).fields[0].values == values


def test_who_saves_an_older_page_is_told_keeps_what_they_typed_and_loses_nothing_of_the_others(desk, db):
    owner, form = desk("owner"), rows_of(desk("owner"))
    owner.post("/crm/acme", {**form, "people-new": "never"})
    found = owner.post("/crm/acme", {**form, "people-known": "never", f"values-{status_row(form)}": "new = Typed"})
    assert found.status_code == 409
    assert "Another version was applied" in found.text
    assert words_in(found.text)[f"values-{status_row(form)}"] == "new = Typed"
    assert re.search(r'name="people-known".*?<option value="never" selected', found.text, re.DOTALL)
    assert (mapping(db).people.new, mapping(db).people.known) == ("never", "update")


def test_who_tries_an_older_page_that_is_wrong_is_told_before_saving_over_the_others(desk):
    owner, form = desk("owner"), rows_of(desk("owner"))
    owner.post("/crm/acme", {**form, "people-new": "never"})
    found = owner.post("/crm/acme/try", {**form, "ours-0": "lead.segmint"})
    assert found.status_code == 422
    assert "Another version was applied" in found.text


def test_fields_of_the_crm_are_offered_with_their_names(desk):
    page = desk("owner").text("/crm/acme")
    people = re.search(r'<datalist id="theirs-people">(.*?)</datalist>', page, re.DOTALL)[1]
    assert '<option value="title" label="Job title">' in people
    assert '<option value="score" label="Score (custom) · number">' in people
    assert 'value="email"' not in people


def test_a_field_that_the_crm_lacks_is_marked_at_once(desk, monkeypatch):
    owner, form = desk("owner"), rows_of(desk("owner"))
    number = int(form["rows"]) - 1
    added = {f"ours-{number}": "lead.intent", f"theirs-{number}": "no_such_field_there", f"rule-{number}": "update"}
    owner.post("/crm/acme", {**form, **added})
    owner.said()
    assert "no such field" not in owner.text("/crm/acme"), "the built-in one makes them"
    monkeypatch.setattr(BuiltinCRM, "makes_fields", False)
    page = owner.text("/crm/acme")
    assert page.count("The CRM has no such field.") == 1
    assert re.search(r'value="no_such_field_there"[^>]*><span[^>]*>The CRM has no such field', page)
    assert "1 field of this mapping is not in the CRM" in page


def test_trying_writes_nothing_and_shows_what_would_happen(desk, db, story):
    owner = desk("owner")
    records = TableRecords(db, story.site_id)
    before = {kind: records.list(f"crm.{kind}") for kind in ("person", "company", "activity", "log")}
    found = owner.post("/crm/acme/try", {"lead": story.ada, "made_up": "yes"})
    assert found.status_code == 200
    assert "and wrote nothing" in found.text
    assert "Nobody there has ada@globex.example." in found.text
    assert "Ada Sample" in found.text
    assert {kind: records.list(f"crm.{kind}") for kind in before} == before


def test_a_mapping_can_be_tried_before_it_is_saved(desk, db):
    owner, form = desk("owner"), rows_of(desk("owner"))
    found = owner.post("/crm/acme/try", {**form, "theirs-0": "made_for_this"})
    assert found.status_code == 200
    assert "made_for_this" in found.text
    assert "which is not saved" in found.text
    assert config.active(db, "acme").number == 1


def test_a_comparison_that_was_asked_for_is_shown_and_repaired_row_by_row(desk, db, story):
    work(db)
    crm = connections.open_built_in(db, story.site_id, "crm")
    crm.erase(crm.ref_of("ada@globex.example"), key="by hand")
    owner = desk("owner")
    assert owner.post("/crm/acme/compare").status_code == 303
    page = owner.text("/crm/acme/compare")
    assert "A comparison is under way" in page
    sync.compare_asked(db)
    page = owner.text("/crm/acme/compare?kind=missing")
    assert "Ada Lovelace" in page
    report, number = re.search(r"/compare/(crp_\w+)/repair.*?name=\"number\" value=\"(\d+)\"", page, re.DOTALL).groups()
    assert owner.post(f"/crm/acme/compare/{report}/repair", {"number": number}).status_code == 303
    work(db)
    assert crm.find_by_email("ada@globex.example")
    assert "told again" in owner.text("/crm/acme/compare?kind=missing")
    with db.reading() as tx:
        assert len(events.latest(tx, story.site_id, [events.CRM_REPAIRED])) == 1


@pytest.mark.parametrize("path", ["/crm/nosuch", "/crm/nosuch/try", "/crm/nosuch/compare"])
def test_an_unknown_site_has_no_crm(desk, path):
    assert desk("owner").get(path).status_code == 404


def test_companies_in_a_comparison_have_their_names(desk, db, story):
    page = desk("owner").text("/crm/acme/compare")
    assert re.search(r'<span class="capped">globex\.example</span>', page)
    with db.transaction() as tx:
        account = leads.get(tx, story.ada).account_id
        leads.learn_account(tx, account, [FieldValue("name", "Globex Inc", "conversation")])
    assert '<span class="capped">Globex Inc</span>' in desk("owner").text("/crm/acme/compare")


def test_meetings_in_a_comparison_are_called_what_they_are(desk, db, story):
    work(db)
    records = TableRecords(db, story.site_id)
    assert [records.delete(MEETING, record_id) for record_id, _ in records.list(MEETING)]
    sync.compare(db, story.site_id)
    owner = desk("owner")
    missing = owner.text("/crm/acme/compare?kind=missing")
    assert re.search(rf'/meetings/{story.meeting}"><span class="capped">[^<]+ with Ada Lovelace, Mon 2 Mar', missing)
    with db.transaction() as tx:
        tx.execute(meetings.delete().where(meetings.c.id == story.meeting))
    assert f'/meetings/{story.meeting}"><span class="capped">A meeting<' in owner.text("/crm/acme/compare?kind=missing")
