"""A visitor, an address and a site each have their share: who takes more is told to wait, and the others go on."""

from __future__ import annotations

import contextlib
import json

import pytest
from simple_websocket import ConnectionClosed

from server import settings
from server.web import limits
from server.web.chat import Talk
from server.web.frames import FRAMES
from server.web.limits import STARTS, Buckets, Rate, network
from tests.web.conftest import ORIGIN, from_page
from tests.web.test_protocol import Link, hello, say


@pytest.fixture
def limited(app, monkeypatch):
    """The app with its rates on, for few visitors an address; nothing fills again while a slow machine asks."""
    monkeypatch.setattr(limits, "_buckets", Buckets(seconds=lambda: 0.0))
    monkeypatch.setenv("USHER_RATE_LIMITS", "true")
    monkeypatch.setenv("USHER_VISITORS_PER_ADDRESS", "3")
    settings.get.cache_clear()
    return app


@pytest.fixture
def talk(limited):
    """`talk(address, frames…)`: a socket of a new visitor, or of the one with the token; what came back."""

    def run(address, *frames, token=None, seed="s"):
        link = Link()
        link.waiting = [json.dumps(frame) for frame in (hello(token=token, seed=seed), *frames)]
        with contextlib.suppress(ConnectionClosed):
            Talk(link, limited.extensions["usher_db"], ORIGIN, address).run()
        return link

    return run


def kinds(link):
    return [frame["t"] for frame in link.sent if frame["t"] in ("ack", "refused")]


def test_too_many_requests_are_told_when_to_come_back(limited):
    client = from_page(limited)
    path, mine = "/v1/slots?site=acme&meeting=demo", {"REMOTE_ADDR": "10.0.0.8"}
    most = int(limits.REQUESTS["slots"].burst) * 3
    answers = [client.get(path, environ_base=mine) for _ in range(most + 5)]
    assert answers[0].status_code == 200
    refused = answers[-1]
    assert (refused.status_code, refused.json["error"]["code"]) == (429, "too_many")
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.get(path, environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200


def test_a_visitor_who_writes_too_fast_is_told_so_and_nothing_is_lost_silently(talk):
    link = talk("10.0.0.1", *(say(n, f"message {n}") for n in range(20)))
    told = {frame["id"]: frame["t"] for frame in link.sent if frame["t"] in ("ack", "refused")}
    assert len(told) == 20
    assert list(told.values()).count("ack") >= 12
    assert {frame["code"] for frame in link.sent if frame["t"] == "refused"} == {"too_many"}


def test_more_sockets_give_a_visitor_no_more_messages(talk):
    first = talk("10.0.1.1", *(say(n, "250") for n in range(12)))
    token = first.sent[0]["token"]
    second = talk("10.0.1.2", *(say(100 + n, "250") for n in range(12)), token=token)
    assert kinds(first) == ["ack"] * 12
    assert kinds(second).count("ack") < 12
    assert "refused" in kinds(second)


def test_more_visitors_give_an_address_no_more_messages_and_other_addresses_lose_none(talk):
    mine = [talk("10.0.2.1", *(say(n, "250") for n in range(12)), seed=f"v{v}") for v in range(4)]
    assert [one for link in mine for one in kinds(link)].count("refused") > 0
    assert kinds(talk("10.0.2.2", *(say(n, "250") for n in range(12)))) == ["ack"] * 12


def test_a_flood_on_one_site_leaves_other_sites_alone(limited, monkeypatch):
    monkeypatch.setenv("USHER_VISITORS_PER_SITE", "5")
    settings.get.cache_clear()
    flood = [limits.take("say", visitor=f"v{n}", address=f"10.1.0.{n}", site="flooded") for n in range(100)]
    assert flood[0] == 0
    assert flood[-1] > 0
    assert limits.take("say", visitor="w", address="10.1.1.1", site="quiet") == 0


def test_one_kind_of_frame_takes_nothing_from_another(limited):
    while not limits.take("typing", visitor="typist", address="10.2.0.1", site="s"):
        pass
    assert limits.take("say", visitor="typist", address="10.2.0.1", site="s") == 0


def test_one_address_makes_only_so_many_conversations_and_those_it_has_go_on(talk):
    token = talk("10.0.3.1").sent[0]["token"]
    for n in range(int(STARTS.burst) - 1):
        limits.started("10.0.3.1", f"a site of test {n}")
    refused = talk("10.0.3.1")
    assert refused.sent == []
    assert refused.ended
    assert refused.ended[0] == 4429
    assert talk("10.0.3.1", token="x" * 43).sent == []
    assert talk("10.0.3.1", token=token).sent[0]["t"] == "welcome"
    assert talk("10.0.3.2").sent[0]["t"] == "welcome"


def test_a_socket_that_sends_nothing_but_rubbish_is_ended(limited):
    link = Link()
    link.waiting = [json.dumps(hello()), *["rubbish"] * 100]
    with pytest.raises(ConnectionClosed):
        Talk(link, limited.extensions["usher_db"], ORIGIN, "10.0.0.2").run()
    assert link.ended
    assert link.ended[0] == 4429


def test_every_kind_of_frame_has_a_rate():
    assert set(FRAMES) <= set(limits.FRAMES)


def test_a_bucket_fills_again():
    now = [0.0]
    buckets = Buckets(seconds=lambda: now[0])
    rate = Rate(2, 0.5)
    assert [buckets.take(("a", rate)) for _ in range(2)] == [0.0, 0.0]
    assert buckets.take(("a", rate)) == 2.0
    assert buckets.take(("b", rate)) == 0.0
    now[0] = 2.0
    assert buckets.take(("a", rate)) == 0.0


def test_who_is_refused_by_one_bucket_takes_nothing_of_the_others():
    buckets = Buckets(seconds=lambda: 0.0)
    small, big = ("visitor", Rate(1, 1)), ("site", Rate(3, 1))
    assert buckets.take(small, big) == 0
    assert all(buckets.take(small, big) > 0 for _ in range(10))
    assert [buckets.take(big) for _ in range(3)] == [0, 0, 1]


def test_buckets_are_forgotten_when_they_are_full_again_and_when_there_are_too_many():
    now = [0.0]
    buckets = Buckets(seconds=lambda: now[0], most=100)
    for n in range(1000):
        buckets.take((f"flood {n}", Rate(2, 1)))
    assert len(buckets) == 100
    now[0] = 10.0
    for _ in range(100):
        buckets.take(("one", Rate(1000, 1)))
    assert len(buckets) == 1


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_is_one_however_many_addresses_they_use(address, whose):
    assert network(address) == whose
