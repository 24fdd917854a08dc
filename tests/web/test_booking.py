"""Open times, holds and meetings as requests."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.web.conftest import ORIGIN

PERSON = {"name": "Ada Lovelace", "email": "ada@globex.example"}


def slots(client, **asked):
    wanted = {"site": "acme", "meeting": "demo", "zone": "Europe/Berlin", **asked}
    return client.get("/v1/slots", query_string=wanted)


def first_start(client):
    return slots(client).json["days"][0]["slots"][0]


def hold(client, start, **more):
    return client.post("/v1/holds", json={"site": "acme", "meeting": "demo", "start": start, **more})


def meet(client, token, **more):
    return client.post("/v1/meetings", json={"site": "acme", "hold": token, **PERSON, **more})


def test_open_times_come_by_the_visitors_own_days(client):
    berlin, tokyo = slots(client).json, slots(client, zone="Asia/Tokyo").json
    flat = [[start for day in answer["days"] for start in day["slots"]] for answer in (berlin, tokyo)]
    assert flat[0] == flat[1]
    assert [day["date"] for day in berlin["days"]] != [day["date"] for day in tokyo["days"]]


def test_more_days_can_be_asked_for_from_where_the_last_answer_ended(client):
    first = slots(client, days=1).json
    more = slots(client, days=2, **{"from": first["next_from"]}).json
    assert more["days"][0]["date"] == first["next_from"]


def test_a_time_is_held_then_a_meeting_and_no_longer_open(client):
    start = first_start(client)
    held = hold(client, start, pool="smb")
    assert held.status_code == 201
    made = meet(client, held.json["hold"]["token"])
    assert made.status_code == 201
    meeting = made.json["meeting"]
    assert (meeting["start"], meeting["status"], meeting["rep"]) == (start, "booked", held.json["hold"]["rep"])


def test_the_same_request_twice_is_one_meeting(client):
    start = first_start(client)
    tokens = [hold(client, start, key="one").json["hold"]["token"] for _ in range(2)]
    made = [meet(client, token, key="one").json["meeting"]["id"] for token in tokens]
    assert len(set(made)) == 1


def test_a_taken_time_is_refused_with_the_nearest_open_ones(client):
    start = first_start(client)
    answers = [hold(client, start, pool="enterprise") for _ in range(4)]
    refused = answers[-1]
    assert refused.status_code == 409
    assert refused.json["error"]["code"] == "slot_taken"
    assert refused.json["error"]["alternatives"]
    assert start not in refused.json["error"]["alternatives"]


def test_a_hold_ends_after_five_minutes(client, monday):
    token = hold(client, first_start(client)).json["hold"]["token"]
    monday.advance(timedelta(minutes=5, seconds=1))
    late = meet(client, token)
    assert (late.status_code, late.json["error"]["code"]) == (410, "hold_expired")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"start": "soon"}, "start"),
        ({"start": "2026-03-02T09:00:00"}, "start"),
        ({"start": "9999-12-31T23:59:59Z"}, "start"),
        ({"start": 5}, "start"),
        ({"pool": "nobody"}, None),
        ({"meeting": "dance"}, None),
        ({"colour": "red"}, "colour"),
        ({"site": ""}, "site"),
        ({"key": "k" * 200}, "key"),
    ],
)
def test_what_cannot_be_held_is_refused_in_the_one_error_shape(client, body, field):
    wanted = {"site": "acme", "meeting": "demo", "start": "2026-03-02T10:00:00Z", **body}
    answer = client.post("/v1/holds", json=wanted)
    assert 400 <= answer.status_code < 500
    error = answer.json["error"]
    assert error["message"].endswith(".")
    assert error.get("field") == field or field is None


@pytest.mark.parametrize("bad", ["\x00", "\ud800"])
def test_what_no_database_can_store_is_refused_and_the_hold_stays(client, bad):
    token = hold(client, first_start(client)).json["hold"]["token"]
    for more in ({"locale": bad}, {"key": bad}, {"hold": bad}, {"guests": [bad]}, {"answers": {"goal": bad}}):
        raw = json.dumps({"site": "acme", "hold": token, **PERSON, **more})
        assert client.post("/v1/meetings", data=raw, content_type="application/json").status_code == 422
    assert meet(client, token).status_code == 201


@pytest.mark.parametrize("path", ["/v1/holds", "/v1/meetings"])
@pytest.mark.parametrize("raw", ["", "[]", "nothing", '{"a":' * 3000, "null"])
def test_what_is_no_json_object_is_refused(client, path, raw):
    answer = client.post(path, data=raw, content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid")


def test_a_past_time_cannot_be_held(client):
    answer = hold(client, "2026-03-01T09:00:00Z")
    assert (answer.status_code, answer.json["error"]["message"]) == (409, "This time has passed.")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe", "", "\x00"])
def test_an_unknown_zone_is_refused_or_the_sites_own(client, zone):
    answer = slots(client, zone=zone)
    assert answer.status_code == (200 if zone == "" else 422)


@pytest.mark.parametrize(
    "asked",
    [
        {"days": "0"}, {"days": "99"}, {"days": "x"}, {"days": "1" * 5000},
        {"from": "yesterday"}, {"from": "0001-01-01"}, {"from": "1111-11-11"}, {"from": "9999-12-31"},
    ],
)  # fmt: skip
def test_odd_ranges_are_refused_by_name(client, asked):
    answer = slots(client, **asked)
    assert answer.status_code == 422
    assert answer.json["error"]["field"] in asked


def test_a_page_of_a_foreign_origin_gets_nothing(client):
    for origin in ("https://evil.example", "null"):
        answer = client.get("/v1/slots?site=acme&meeting=demo", headers={"Origin": origin})
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_on_the_sites_list_may_read_the_answer(client):
    answer = client.get("/v1/slots?site=acme&meeting=demo", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    asked = client.options("/v1/holds", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert "Content-Type" in asked.headers["Access-Control-Allow-Headers"]


def test_a_token_that_was_changed_opens_nothing(client):
    token = hold(client, first_start(client)).json["hold"]["token"]
    for wrong in (token[:-2], token + "x", token.swapcase(), "x"):
        assert meet(client, wrong).status_code == 404
