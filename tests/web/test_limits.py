"""One address may ask much, and not everything: what is over the rate is told to wait, others go on."""

from __future__ import annotations

import json

import pytest
from simple_websocket import ConnectionClosed

from server import settings
from server.web import booking
from server.web.chat import Talk
from server.web.limits import Buckets, Rate
from tests.web.conftest import ORIGIN
from tests.web.test_protocol import Link, hello, say


@pytest.fixture
def limited(app, monkeypatch):
    """The app with its rates on; each test asks from addresses of its own."""
    monkeypatch.setenv("USHER_RATE_LIMITS", "true")
    settings.get.cache_clear()
    return app


def test_too_many_requests_are_told_when_to_come_back(limited):
    client = limited.test_client()
    path, mine = "/v1/slots?site=acme&meeting=demo", {"REMOTE_ADDR": "10.0.0.8"}
    answers = [client.get(path, environ_base=mine) for _ in range(booking.READS.burst + 5)]
    assert answers[0].status_code == 200
    refused = answers[-1]
    assert (refused.status_code, refused.json["error"]["code"]) == (429, "too_many")
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.get(path, environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200


def test_a_visitor_who_writes_too_fast_is_told_so_and_nothing_is_lost_silently(limited):
    link = Link()
    link.waiting = [json.dumps(hello()), *(json.dumps(say(n, f"message {n}")) for n in range(20))]
    with pytest.raises(ConnectionClosed):
        Talk(link, limited.extensions["usher_db"], ORIGIN, "10.0.0.1").run()
    told = {frame["id"]: frame["t"] for frame in link.sent if frame["t"] in ("ack", "refused")}
    assert len(told) == 20
    assert list(told.values()).count("ack") >= 12
    codes = {frame["code"] for frame in link.sent if frame["t"] == "refused"}
    assert codes == {"too_many"}


def test_a_socket_that_sends_nothing_but_rubbish_is_ended(limited):
    link = Link()
    link.waiting = [json.dumps(hello()), *["rubbish"] * 100]
    with pytest.raises(ConnectionClosed):
        Talk(link, limited.extensions["usher_db"], ORIGIN, "10.0.0.2").run()
    assert link.ended
    assert link.ended[0] == 4429


def test_a_bucket_fills_again():
    now = [0.0]
    buckets = Buckets(seconds=lambda: now[0])
    rate = Rate(2, 0.5)
    assert [buckets.take("x", "a", rate) for _ in range(2)] == [0.0, 0.0]
    assert buckets.take("x", "a", rate) == 2.0
    assert buckets.take("x", "b", rate) == 0.0
    now[0] = 2.0
    assert buckets.take("x", "a", rate) == 0.0
