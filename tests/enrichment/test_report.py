"""Samples whose truth is known show how right each source is; nothing is written, and credits are kept to."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import text

from server.enrichment import report, standing
from server.errors import Invalid
from server.leads import service as leads
from server.leads.values import FieldValue
from tests.enrichment.conftest import Place, placed
from tests.enrichment.test_leads import met

SAMPLES = """email,domain,ip,name,title,employees,industry
ada@globex.com,,,ADA  Lovelace,Head of Sales,,
,globex.com,,Globex,,1000,energy
,,8.8.4.4,Globex,,,
nobody@globex.com,,,Nobody,,,
"""


def test_a_report_says_by_source_and_field_what_was_right_wrong_and_missing_and_what_it_cost(place: Place):
    told = report.run(place.db, place.version, report.read(SAMPLES))
    by = {(of.source, of.asked_by): of for of in told.sources}
    person, company = by["People Data Labs", "email"], by["People Data Labs", "domain"]
    assert (person.asked, person.matches, person.match_rate, person.credits) == (2, 1, 50, 1)
    assert {name: (s.right, s.wrong, s.missing) for name, s in person.fields.items()} == {
        "name": (1, 0, 1), "title": (0, 1, 0),
    }  # fmt: skip
    assert {name: s.right for name, s in company.fields.items()} == {"name": 1, "employees": 1, "industry": 1}
    assert by["People Data Labs", "ip"].match_rate == 100
    assert by["Built-in enrichment", "domain"].fields["industry"].missing == 1


def test_a_report_writes_nothing_to_leads_and_pays_no_second_time(place: Place):
    lead_id = met(place)
    before = _everything(place)
    first = report.run(place.db, place.version, report.read(SAMPLES))
    asked = len(place.asked)
    again = report.run(place.db, place.version, report.read(SAMPLES))
    assert _everything(place) == before
    assert (len(place.asked), sum(of.credits for of in again.sources)) == (asked, 0)
    assert [of.fields for of in again.sources] == [of.fields for of in first.sources]
    assert place.known(lead_id).lead.get("title") is None


def test_a_report_stops_at_the_credits_of_the_day_and_says_so(place: Place):
    place = placed(place.db, place.fake, "enrichment: {credits: {pdl: 1}}")
    told = report.run(place.db, place.version, report.read(SAMPLES))
    failed = [of for of in told.sources if of.failed]
    assert failed
    assert all("credits" in of.problem for of in failed)
    assert place.paths() == ["/ip/enrich"]
    with place.db.reading() as tx:
        of_pdl = next(one for one in standing.today(tx, place.version) if one.source.name == "pdl")
    assert (of_pdl.credits, of_pdl.limit, of_pdl.refused) == (1, 1, True)


def test_past_leads_are_samples_by_what_people_and_the_crm_said(place: Place):
    lead_id = met(place)
    with place.db.transaction() as tx:
        lead = leads.get(tx, lead_id)
        leads.learn(tx, lead, [FieldValue("title", "Head of Engines", "crm"), FieldValue("name", "Typed", "form")])
        leads.learn_account(tx, lead.account_id, [FieldValue("employees", 880, "human")])
        found = report.of_leads(tx, place.version, 10)
    assert [(one.question.value, dict(one.truth)) for one in found] == [
        ("ada@globex.com", {"title": "Head of Engines"}),
        ("globex.com", {"employees": 880}),
    ]
    told = report.run(place.db, place.version, found)
    assert {line["verdict"] for line in told.lines if line["source"] == "People Data Labs"} == {"right"}


def test_leads_who_did_not_agree_are_no_samples(place: Place):
    place = placed(place.db, place.fake, "consent: external")
    opened = place.hello()
    place.say(opened, "pumps")
    place.say(opened, "ada@globex.com")
    with place.db.transaction() as tx:
        ((lead, _),) = leads.latest(tx, [place.version.site_id])
        leads.learn(tx, lead, [FieldValue("title", "Head of Engines", "crm")])
        assert report.of_leads(tx, place.version, 10) == []


def test_every_value_can_be_downloaded_and_harms_no_spreadsheet(place: Place):
    place.fake.people["ada@globex.com"]["data"] = {"full_name": "=cmd()"}
    told = report.run(place.db, place.version, report.read(SAMPLES))
    lines = list(csv.DictReader(io.StringIO(told.as_csv())))
    name = next(one for one in lines if (one["source"], one["value"]) == ("People Data Labs", "ada@globex.com"))
    assert (name["told"], name["expected"], name["verdict"]) == ("'=Cmd()", "ADA  Lovelace", "wrong")


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ("", "There is no sample"),
        ("email,shoe_size\na@b.com,43\n", "There is no column shoe_size"),
        ("name,title\nAda,CTO\n", "Line 2 has neither ip nor domain nor email."),
        ("email,title\na@b.com,\n", "Line 2 says nothing"),
        ("email,title\na@b.com,CTO,what\n", "Line 2 has not as many cells"),
        ("email,title\n" + "a@b.com,CTO\n" * 201, "201 samples are too many"),
    ],
)
def test_samples_that_cannot_be_read_are_refused_with_their_line(samples: str, said: str):
    with pytest.raises(Invalid, match=said):
        report.read(samples)


def _everything(place: Place) -> list[str]:
    with place.db.reading() as tx:
        tables = ("leads", "accounts", "field_values", "events")
        return [str(tx.execute(text(f"SELECT * FROM {table}")).all()) for table in tables]  # noqa: S608 - ours
