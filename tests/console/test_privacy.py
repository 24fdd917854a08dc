"""Owners give out and erase one person's data; nobody else does."""

from __future__ import annotations

import json

import pytest

from server.leads import service as leads

ADA = "ada@globex.example"


def test_an_owner_sees_how_much_is_held_and_the_lead_leads_there(desk, story):
    owner = desk("owner")
    assert f'href="/leads/{story.ada}/data"' in owner.text(f"/leads/{story.ada}")
    page = owner.text(f"/leads/{story.ada}/data")
    assert "Data about Ada Lovelace" in page
    assert "Messages and answers" in page
    assert "One meeting lies ahead" in page


@pytest.mark.parametrize("name", ["marketing", "supervisor", "grace"])
def test_others_see_no_way_to_it_and_are_refused(desk, db, story, name):
    person = desk(name)
    if name == "grace":
        assert "Personal data" not in person.text(f"/leads/{story.ada}")
    assert person.get(f"/leads/{story.ada}/data").status_code == 403
    assert person.get("/erasures").status_code == 403
    assert person.post(f"/leads/{story.ada}/data/export").status_code == 403
    assert person.post(f"/leads/{story.ada}/data/erase", {"typed": ADA, "cancel_meetings": "on"}).status_code == 403
    with db.reading() as tx:
        assert leads.get(tx, story.ada).email_key == ADA


def test_the_export_is_a_file(desk, story):
    answer = desk("owner").post(f"/leads/{story.ada}/data/export")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{story.ada}.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    given = json.loads(answer.data)
    assert given["person"] == ADA
    assert "We are 800 people" in json.dumps(given["sites"]["acme"]["messages"])


def test_a_request_without_the_pages_token_erases_nobody(desk, db, story):
    owner = desk("owner")
    form = {"typed": ADA, "cancel_meetings": "on"}
    assert owner.client.post(f"/leads/{story.ada}/data/erase", data=form).status_code == 400
    with db.reading() as tx:
        assert leads.get(tx, story.ada)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"typed": "ada@globex"}, "something else; nothing was erased"),
        ({"typed": ADA}, "A meeting lies ahead"),
    ],
)
def test_a_slip_or_a_meeting_ahead_erases_nobody(desk, db, story, form, why):
    answer = desk("owner").post(f"/leads/{story.ada}/data/erase", form)
    assert why in answer.text
    assert answer.status_code in (409, 422)
    with db.reading() as tx:
        assert leads.get(tx, story.ada)


def test_an_erased_person_is_gone_from_every_page_and_the_fact_stays(desk, story):
    owner = desk("owner")
    answer = owner.post(f"/leads/{story.ada}/data/erase", {"typed": "Ada@Globex.example ", "cancel_meetings": "on"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/erasures")
    page = owner.text("/erasures")
    assert "The person is erased." in page
    assert "mailboxes of those who were written to" not in page  # nothing had been mailed yet
    for path in ("/", "/leads", "/conversations", "/meetings", "/deliveries", f"/meetings/{story.meeting}"):
        assert "lovelace" not in owner.text(path).lower()
    assert owner.get(f"/leads/{story.ada}").status_code == 404
    assert owner.get(f"/conversations/{story.with_ada}").status_code == 404
    assert owner.get(f"/leads/{story.zoe}").status_code == 200


def test_a_lead_without_an_address_is_erased_by_a_word(desk, db, story):
    with db.transaction() as tx:
        tx.exec_driver_sql(f"UPDATE leads SET email_key = NULL WHERE id = '{story.zoe}'")
        tx.exec_driver_sql(f"DELETE FROM field_values WHERE field = 'email' AND subject_id = '{story.zoe}'")
    owner = desk("owner")
    assert "Type <strong" in owner.text(f"/leads/{story.zoe}/data")
    assert owner.post(f"/leads/{story.zoe}/data/erase", {"typed": "erase"}).status_code == 303
    assert owner.get(f"/leads/{story.zoe}").status_code == 404
    assert owner.get(f"/leads/{story.ada}").status_code == 200
