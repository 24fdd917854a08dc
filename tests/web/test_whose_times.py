"""`GET /v1/slots?with=`: more times of the same people whom the chat offers, and nobody else's by guessing."""

from __future__ import annotations

import pytest

from server import ids
from server.config import service as config
from server.playbooks.whose import Whose
from tests.web.test_booking import first_start, hold, meet, slots


@pytest.fixture
def database(app):
    return app.extensions["usher_db"]


def token(database, party, **more):
    return Whose((party,), **more).token(config.active(database, "acme").site_id)


def flat(answer):
    return [start for day in answer.json["days"] for start in day["slots"]]


def test_times_of_one_person_are_told_to_whom_the_chat_has_offered_them(client, database):
    everybody, grace = slots(client), slots(client, **{"with": token(database, ("rep", "grace"))})
    assert grace.status_code == 200
    assert flat(grace)
    assert set(flat(grace)) != set(flat(everybody))  # the demo's own pool is another


@pytest.mark.parametrize("given", ["grace", "W10.xyz", "x" * 400])
def test_a_token_that_the_chat_has_not_given_is_refused(client, given):
    refused = slots(client, **{"with": given})
    assert (refused.status_code, refused.json["error"]["field"]) == (422, "with")


def test_a_token_of_another_site_is_refused(client):
    kept = {"parties": [["rep", "grace"]], "passed_over": "", "moves": ""}
    assert slots(client, **{"with": ids.sign("whose-times", ["sit_other", kept])}).status_code == 422


def test_a_meeting_that_is_moved_does_not_stand_in_its_own_way(client, database):
    start = first_start(client)
    made = meet(client, hold(client, start, pool="enterprise").json["hold"]["token"]).json["meeting"]
    rep = next(one for one in ("grace", "linus", "margaret", "dennis", "joan") if one in made["rep"]["name"].lower())
    taken = slots(client, **{"with": token(database, ("rep", rep))})
    moving = slots(client, **{"with": token(database, ("rep", rep), moves=made["id"])})
    assert start not in flat(taken)
    assert start in flat(moving)
