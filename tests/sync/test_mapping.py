"""crm.yml: what it allows, what holds where it is silent, and what it makes of our values."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from plugins.crm import Person, RemoteField
from server.config import service as config
from server.config.version import Section
from server.sync import mapping
from server.sync.ours import COMPANIES, PEOPLE
from server.sync.schema import USUAL, Crm, Mapped
from server.sync.values import Known, Value
from server.sync.writing import text_of, with_fields
from tests.booking.conftest import FILES, SECTIONS

ALL = (*SECTIONS, Section(Crm))
ADA = Known(
    "led_1", "sit_1", "ada@globex.example", "acc_1", "globex.example",
    {"lead.name": Value("Ada Byron", "form"), "lead.title": Value("CTO", "human"), "lead.status": Value("assigned"),
     "answers.need": Value(["grow", "save"], "conversation"), "utm.source": Value("google"),
     "account.employees": Value("800", "conversation"), "lead.fields.team": Value("Data", "form"),
     "account.is_customer": Value(True, "crm")},
)  # fmt: skip


def problems(text: str) -> list[str]:
    return [str(one) for one in config.check({**FILES, "crm.yml": text}, ALL)]


def test_without_the_file_the_usual_fields_are_told():
    crm = Crm()
    assert mapping.person(crm, ADA) == {
        "email": "ada@globex.example", "name": "Ada Byron", "title": "CTO", "status": "assigned",
        "company_ref": {"$link": ["account", "acc_1"]},
    }  # fmt: skip
    assert mapping.company(crm, ADA) == {"domain": "globex.example", "employees": 800}


def test_a_field_of_ours_goes_where_the_owner_says():
    crm = Crm.model_validate(
        {
            "fields": [
                {"ours": "answers.need", "theirs": "need__c"},
                {"ours": "utm.source", "theirs": "source"},
                {"ours": "lead.fields.team", "theirs": "Team"},
                {"ours": "account.employees", "theirs": "size", "record": "people"},
                {"ours": "lead.status", "theirs": "status", "values": {"assigned": "Working"}},
            ]
        }
    )
    person = mapping.person(crm, ADA)
    assert (person["source"], person["status"], person["name"]) == ("google", "Working", "Ada Byron")
    assert person["fields"] == {"need__c": ["grow", "save"], "Team": "Data", "size": "800"}


def test_the_usual_fields_can_be_left_out():
    crm = Crm.model_validate({"standard": False, "fields": [{"ours": "lead.name", "theirs": "name"}]})
    assert {name for name in mapping.person(crm, ADA)} == {"email", "name", "company_ref"}


def test_free_mail_files_nobody_under_a_company():
    free = Known("led_1", "sit_1", "ada@gmail.com", "", "", ADA.values)
    assert "company_ref" not in mapping.person(Crm(), free)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "fields: [{ours: lead.titel, theirs: title}]",
            'crm.yml:1: fields[0].ours: found "lead.titel", allowed one of our values, such as lead.title, '
            'account.industry or answers.need; did you mean "lead.title"?',
        ),
        (
            "fields:\n  - {ours: lead.score, theirs: score, direction: both}",
            "crm.yml:2: fields[0]: lead.score is worked out here and cannot come from the CRM; allowed direction: out",
        ),
        (
            "fields:\n  - {ours: lead.tier, theirs: x}\n  - {ours: lead.rating, theirs: x}",
            "crm.yml:1: fields[1].theirs: found x twice for people, allowed once",
        ),
        ("people: {new: maybe}", 'crm.yml:1: people.new: found "maybe", allowed "create" or "never"'),
        (
            "match: [domain, email]",
            "crm.yml:1: match: allowed email first, then domain, then name; domain and name may be left out",
        ),
        ("interactions: [chats]", 'crm.yml:1: interactions[0]: found "chats", allowed '),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text, expected):
    assert [problem for problem in problems(text) if problem.startswith(expected)], problems(text)


def test_what_comes_in_is_only_what_may_and_in_our_words():
    crm = Crm.model_validate(
        {
            "fields": [
                {"ours": "lead.status", "theirs": "status", "direction": "both", "values": {"assigned": "Working"}}
            ]
        }
    )
    there = mapping.there_in(PEOPLE, Person("ada@globex.example", title="CTO", status="Working", source="web"))
    assert dict(mapping.incoming(crm, PEOPLE, there)) == {"lead.title": "CTO", "lead.status": "assigned"}
    assert dict(mapping.incoming(Crm(), COMPANIES, {"is_customer": True, "employees": 12})) == {
        "account.is_customer": True,
        "account.employees": 12,
    }


def test_a_field_that_the_crm_does_not_have_is_refused_unless_it_makes_fields():
    crm = Crm.model_validate({"standard": False, "fields": [{"ours": "utm.source", "theirs": "origin__c"}]})
    known = {"name": RemoteField("name", "Name", ours="name")}
    about = {"there": None, "told": {}, "remote": known}
    (fate,) = mapping.fates_of(crm, PEOPLE, ADA.values, makes_fields=False, **about)
    assert (fate.what, fate.because) == ("refuse", "The CRM has no such field.")
    (fate,) = mapping.fates_of(crm, PEOPLE, ADA.values, makes_fields=True, **about)
    assert fate.what == "create"


def test_a_mapping_that_is_saved_keeps_the_owners_comments_and_says_no_more_than_it_must():
    before = "# ours\npeople: {new: never}  # sales adds people\nfields:\n  - {ours: utm.source, theirs: source}\n"
    crm = Crm.model_validate({"people": {"new": "never"}, "fields": [{"ours": "utm.source", "theirs": "source"}]})
    saved = with_fields(crm, [*crm.all_fields, Mapped(ours="answers.need", theirs="need__c", rule="fill")])
    text = text_of(before, saved)
    assert text.startswith("# ours\npeople: {new: never}  # sales adds people\n")
    assert "  - {ours: answers.need, theirs: need__c, rule: fill}" in text.splitlines() or "need__c" in text
    assert "lead.title" not in text
    assert Crm.model_validate(YAML(typ="safe").load(text)) == saved
    assert text_of(text, saved) == text


def test_a_usual_field_that_was_taken_out_stays_out():
    crm = Crm()
    rows = [one for one in crm.all_fields if one.ours != "lead.phone"]
    saved = with_fields(crm, rows)
    assert "phone" not in {one.theirs for one in saved.all_fields}
    assert with_fields(saved, list(saved.all_fields)) == saved
    assert with_fields(saved, list(crm.all_fields)) == crm


def test_a_usual_field_that_goes_elsewhere_takes_its_old_place_away():
    rows = [Mapped(ours="lead.title", theirs="Function__c") if one.ours == "lead.title" else one for one in USUAL]
    saved = with_fields(Crm(), rows)
    assert (saved.standard, [one.theirs for one in saved.fields]) == (True, ["Function__c"])
    assert "title" not in {one.theirs for one in saved.all_fields}
