"""Booking requests that come twice, from two tabs, on two servers, too late or broken: one meeting, or a clear no and
nothing changed."""

from __future__ import annotations

import json
import string
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server.booking import service as booking
from server.booking.tables import meetings
from server.config import folder
from server.config import service as config
from server.db import Database, metadata, migrate
from server.events import Actor
from server.leads.tables import field_values
from server.sections import SECTIONS
from tests.booking import books
from tests.conftest import empty_postgres
from tests.processes import ROOT, free_port, running
from tests.web.conftest import ORIGIN
from tests.web.test_booking import PERSON, first_start, hold, meet, slots

JSON = "application/json"


@pytest.fixture
def db(app):
    return app.extensions["usher_db"]


def dump(db):
    """All that the database holds."""
    with db.reading() as tx:
        return {table.name: sorted(map(repr, tx.execute(select(table)))) for table in metadata.sorted_tables}


def only_meeting(db):
    with db.reading() as tx:
        (meeting,) = tx.execute(select(meetings)).all()
    return meeting


def test_a_hold_asked_for_again_is_the_same_hold_also_when_it_is_a_meeting_by_now(client, db):
    start = first_start(client)
    first = hold(client, start, key="one")
    again = hold(client, start, key="one")
    made = meet(client, first.json["hold"]["token"])
    late = hold(client, start, key="one")
    assert [one.status_code for one in (first, again, made, late)] == [201] * 4
    assert first.json == again.json == late.json
    assert only_meeting(db).status == booking.BOOKED


def test_a_meeting_asked_for_again_is_the_same_answer_with_a_key_and_without(client, db):
    token = hold(client, first_start(client)).json["hold"]["token"]
    answers = [meet(client, token), meet(client, token), meet(client, token, key="k"), meet(client, token)]
    assert [one.status_code for one in answers] == [201] * 4
    assert all(one.json == answers[0].json for one in answers)
    with db.reading() as tx:
        assert len(books.overlaps(db)) == 0
        assert tx.execute(select(meetings)).one()


def test_two_tabs_that_hold_and_book_the_same_time_have_one_meeting_however_often_they_ask(client, db):
    start = first_start(client)
    tokens = [hold(client, start).json["hold"]["token"] for _ in range(2)]
    assert tokens[0] != tokens[1]
    answers = [meet(client, token) for token in (*tokens, tokens[1], tokens[0])]
    assert [one.status_code for one in answers] == [201] * 4
    assert len({one.json["meeting"]["id"] for one in answers}) == 1
    assert ["instead" in one.json for one in answers] == [False, True, True, False]
    assert only_meeting(db).status == booking.BOOKED


def test_who_has_a_meeting_then_is_shown_that_one_in_place_of_one_of_another_type(client, db):
    start = first_start(client)
    first = meet(client, hold(client, start).json["hold"]["token"])
    intro = slots(client, meeting="intro").json["days"][0]["slots"]
    assert start in intro
    token = hold(client, start, meeting="intro").json["hold"]["token"]
    other = meet(client, token, email="ADA@globex.example", name="Mallory")
    assert other.json["meeting"].items() <= first.json["meeting"].items()
    assert other.json["instead"].endswith(".")
    assert "/m/" not in other.text
    assert "Grace" not in other.text
    with db.reading() as tx:
        assert "Mallory" not in {row.value for row in tx.execute(select(field_values))}
    assert only_meeting(db).type == "demo"


def test_a_hold_that_is_over_and_gone_is_answered_with_the_nearest_open_times(client, db, monday):
    start = first_start(client)
    token = hold(client, start).json["hold"]["token"]
    monday.advance(timedelta(minutes=6))
    with db.transaction() as tx:
        booking.release_expired(tx, monday.at)
    late = meet(client, token)
    assert (late.status_code, late.json["error"]["code"]) == (410, "hold_expired")
    assert late.json["error"]["alternatives"]


def test_a_key_is_no_way_to_somebody_elses_meeting(client, db):
    starts = slots(client).json["days"][0]["slots"]
    assert meet(client, hold(client, starts[0]).json["hold"]["token"], key="1").status_code == 201
    token = hold(client, starts[1]).json["hold"]["token"]
    before = dump(db)
    refused = meet(client, token, key="1", email="eve@evil.example")
    assert (refused.status_code, refused.json["error"]["field"]) == (409, "key")
    assert dump(db) == before


def test_a_cancelled_meetings_key_holds_nothing_and_its_token_says_so(client, db):
    start = first_start(client)
    token = hold(client, start, key="one").json["hold"]["token"]
    meet(client, token)
    with db.transaction() as tx:
        version = config.active(tx, "acme")
        booking.cancel(tx, version, only_meeting(db).id, by=Actor("visitor"))
    assert hold(client, start, key="one").status_code == 409
    assert meet(client, token).status_code == 410
    assert hold(client, start, key="two").status_code == 201


HOLD = {"site": "acme", "meeting": "demo", "start": "2026-03-03T09:00:00Z"}
BROKEN = {
    "past": {"start": "2026-03-01T09:00:00Z"},
    "now": {"start": "2026-03-02T08:00:00Z"},
    "not offered": {"start": "2026-03-03T09:07:00Z"},
    "night": {"start": "2026-03-03T02:00:00Z"},
    "Sunday": {"start": "2026-03-08T10:00:00Z"},
    "no zone": {"start": "2026-03-03T09:00:00"},
    "a date": {"start": "2026-03-03"},
    "a zone in words": {"start": "2026-03-29T02:30:00[Europe/Berlin]"},
    "a moment in the gap of a clock change": {"start": "2026-03-29T02:30:00+01:00"},
    "leap second": {"start": "2026-06-30T23:59:60Z"},
    "hour 24": {"start": "2026-03-03T24:00:00Z"},
    "offset of a day": {"start": "2026-03-03T09:00:00+24:00"},
    "offset with seconds": {"start": "2026-03-03T09:00:00+00:00:30"},
    "fraction": {"start": "2026-03-03T09:00:00.5Z"},
    "year 9999": {"start": "9999-12-31T23:59:59-23:59"},
    "year 1": {"start": "0001-01-01T00:00:00+23:59"},
    "in three years": {"start": "2029-03-05T09:00:00Z"},
    "number": {"start": 1772528400},
    "list": {"start": ["2026-03-03T09:00:00Z"]},
    "null": {"start": None},
    "empty": {"start": ""},
    "huge": {"start": "2" * 100_000},
    "NUL": {"start": "2026-03-03T09:00:00Z\x00"},
    "half a surrogate pair": {"key": "\udc00"},
    "digits of another script": {"start": "٢٠٢٦-03-03T09:00:00Z"},
    "unknown site": {"site": "globex"},
    "unknown meeting": {"meeting": "dance"},
    "unknown pool": {"pool": "nobody"},
    "site of another type": {"site": {"key": "acme"}},
    "SQL": {"meeting": "demo' OR '1'='1"},
    "a field of another request": {"email": "ada@globex.example"},
    "true": {"key": True},
    "long key": {"key": "k" * 151},
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_hold_is_refused_in_the_one_error_shape_and_nothing_changes(client, db, case):
    before = dump(db)
    check_refusal(client.post("/v1/holds", data=json.dumps(HOLD | BROKEN[case]), content_type=JSON))
    assert dump(db) == before


WRONG_PERSON = {
    "no address": {"email": "ada"},
    "two addresses": {"email": "ada@globex.example, eve@evil.example"},
    "header injection": {"email": "ada@globex.example\r\nBcc: eve@evil.example"},
    "no name": {"name": " "},
    "long name": {"name": "a" * 201},
    "huge name": {"name": "a" * 200_000},
    "NUL": {"name": "Ada\x00"},
    "half a surrogate pair": {"answers": {"goal": ["\ud800"]}},
    "unknown zone": {"zone": "Mars/Olympus"},
    "a path as zone": {"zone": "../../etc/passwd"},
    "a folder as zone": {"zone": "Europe"},
    "guests of another type": {"guests": [1]},
    "a guest without address": {"guests": ["bob"]},
    "too many guests": {"guests": [f"g{n}@globex.example" for n in range(11)]},
    "answers as a list": {"answers": []},
    "unknown place": {"place": "the moon"},
    "long phone": {"phone": "1" * 61},
    "no hold": {"hold": ""},
    "another's token": {"hold": "Im10Z18wMSI.AAAA"},
    "a number": {"hold": 5},
    "an unknown field": {"rep": "grace"},
    "deep": {"answers": json.loads("[" * 90 + "]" * 90)},
}


@pytest.mark.parametrize("case", WRONG_PERSON)
def test_a_broken_meeting_is_refused_in_the_one_error_shape_and_the_hold_stays(client, db, case):
    token = hold(client, first_start(client)).json["hold"]["token"]
    before = dump(db)
    body = {"site": "acme", "hold": token, **PERSON} | WRONG_PERSON[case]
    check_refusal(client.post("/v1/meetings", data=json.dumps(body), content_type=JSON))
    assert dump(db) == before


WHOLE = json.dumps(HOLD)
WRONG_BODIES = {
    "a key twice": (WHOLE[:-1] + ', "start": "2026-03-04T09:00:00Z"}', JSON, 422),
    "text": (WHOLE, "text/plain", 415),
    "a form": (WHOLE, "application/x-www-form-urlencoded", 415),
    "no type": (WHOLE, None, 415),
    "not UTF-8": (WHOLE.encode()[:-1] + b"\xff}", JSON, 422),
    "NaN": (WHOLE[:-1] + ', "key": NaN}', JSON, 422),
    "cut": (WHOLE[:-1], JSON, 422),
    "two": (WHOLE * 2, JSON, 422),
    "half a megabyte": (" " * 500_000 + WHOLE, JSON, 413),
    "deep": ('{"a":' * 20_000, JSON, 422),
    "a number without end": ('{"key": ' + "9" * 5000 + "}", JSON, 422),
}


@pytest.mark.parametrize("case", WRONG_BODIES)
def test_what_is_no_json_object_with_each_key_once_is_refused(client, db, case):
    raw, kind, status = WRONG_BODIES[case]
    before = dump(db)
    answer = client.post("/v1/holds", data=raw, content_type=kind)
    check_refusal(answer)
    assert answer.status_code == status
    assert dump(db) == before


def check_refusal(answer):
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json["error"]
    assert set(error) <= {"code", "message", "field", "alternatives", "reason"}
    assert error["message"].endswith((".", "?"))
    assert len(error["message"]) < 400
    assert "Traceback" not in answer.text


scraps = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.text(string.printable, max_size=30),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    st.datetimes().map(str), st.sampled_from([HOLD["start"], "acme", "demo", "intro", "smb", "Europe/Berlin"]),
)  # fmt: skip
fields = st.sampled_from(
    ["site", "meeting", "start", "pool", "key", "hold", "name", "email", "phone", "zone", "guests", "answers", "place"]
)
changes = st.dictionaries(st.one_of(fields, fields, fields, st.text(max_size=10)), scraps, max_size=3)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(path=st.sampled_from(["holds", "meetings"]), change=changes, left_out=st.sets(fields, max_size=1))
def test_whatever_is_sent_is_answered_and_a_refusal_changes_nothing(client, db, path, change, left_out):
    token = booking.token_of("mtg_0")
    with db.reading() as tx:
        held = tx.execute(select(meetings.c.id).where(meetings.c.status == booking.HELD)).scalar()
    whole = HOLD if path == "holds" else {"site": "acme", "hold": booking.token_of(held) if held else token, **PERSON}
    body = {name: value for name, value in (whole | change).items() if name not in left_out}
    before = dump(db)
    answer = client.post(f"/v1/{path}", data=json.dumps(body), content_type=JSON)
    if answer.status_code != 201:
        check_refusal(answer)
        assert dump(db) == before
    assert books.overlaps(db) == []


@pytest.fixture
def two_servers(postgres_url, request, tmp_path):
    """Addresses of two servers on one PostgreSQL, and the database."""
    url = empty_postgres(postgres_url, request)
    db = Database(url)
    migrate.upgrade(db)
    config.apply(db, folder.load(ROOT / "server" / "sample"), author="tests", sections=SECTIONS)
    environment = {"USHER_DATABASE_URL": url, "USHER_RATE_LIMITS": "false", "USHER_SECRET_KEY": "a key for tests only"}
    environment |= {"USHER_PUBLIC_URL": "http://usher.test", "USHER_EMBEDDED_WORKER": "false"}
    ports = [free_port(), free_port()]
    with ExitStack() as ends:
        for port in ports:
            serve = ("-m", "server.serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
            ends.enter_context(running(*serve, port=port, environment=environment))
        yield [f"http://127.0.0.1:{port}" for port in ports], db
    db.close()


def ask(address, path, body=None):
    """Status and JSON of a request by a page of the site."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(address + path, data, {"Content-Type": JSON, "Origin": ORIGIN})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def test_twenty_at_once_on_two_servers_make_one_hold_and_one_meeting(two_servers):
    servers, db = two_servers
    start = ask(servers[0], "/v1/slots?site=acme&meeting=demo&days=14")[1]["days"][0]["slots"][0]
    wanted = {"site": "acme", "meeting": "demo", "start": start, "key": "one"}

    def all_at_once(path, body):
        with ThreadPoolExecutor(20) as crowd:
            return list(crowd.map(lambda n: ask(servers[n % 2], path, body(n)), range(20)))

    holds = all_at_once("/v1/holds", lambda n: wanted)
    assert holds == [(201, holds[0][1])] * 20
    token = holds[0][1]["hold"]["token"]
    made = all_at_once("/v1/meetings", lambda n: {"site": "acme", "hold": token, **PERSON})
    assert made == [(201, made[0][1])] * 20
    slots = ask(servers[0], "/v1/slots?site=acme&meeting=demo&days=14")[1]["days"][1]["slots"]
    later = slots[len(slots) // 2]  # at noon several are there
    tabs = [ask(servers[n], "/v1/holds", wanted | {"start": later, "key": f"tab{n}"})[1] for n in range(2)]
    own = all_at_once("/v1/meetings", lambda n: {"site": "acme", "hold": tabs[n % 2]["hold"]["token"], **PERSON})
    assert {(status, answer["meeting"]["id"]) for status, answer in own} == {(201, own[0][1]["meeting"]["id"])}
    with db.reading() as tx:
        assert len(tx.execute(select(meetings)).all()) == 2
    books.check(db)
