"""Apprise's adapter, with its JSON service as the one at the other end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses
from werkzeug.wrappers import Request

from plugins.errors import ConfigError, InvalidInput, Transient
from plugins.notify import Alert
from plugins.notify.apprise import Apprise
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing import NotifyConformance
from plugins.testing.fakes import Fake, Fault, on

HOT = Alert("Ada wants to talk", "How much?", facts={"Company": "Globex"}, url="https://usher.example/c/1", urgent=True)


class Receiver(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.got: list[dict[str, Any]] = []

    @on("POST", "/madeUpSecret")
    def take(self, request: Request) -> str:
        self.got.append(request.get_json())
        return "ok"


class TestApprise(NotifyConformance):
    adapter = Apprise
    no_http = "the library calls out by itself and says only whether it worked"
    no_target = "anybody"

    @pytest.fixture
    def fake(self) -> Iterator[Receiver]:
        with Receiver() as fake:
            yield fake

    @pytest.fixture(autouse=True)
    def _receiver(self, fake: Receiver) -> None:
        self.receiver = fake

    def received(self, config: dict[str, Any]) -> list[Any]:
        return self.receiver.got

    @pytest.fixture
    def config(self, fake: Receiver) -> dict[str, Any]:
        return {"url": fake.url.replace("http:", "json:") + "/madeUpSecret"}

    def test_an_alert_arrives_with_all_its_parts_and_the_same_key_once(self, subject: Any, fake: Receiver) -> None:
        for _ in range(2):
            subject.send(HOT, key="k1")
        [got] = fake.got
        assert (got["title"], got["type"]) == ("Ada wants to talk", "warning")
        assert got["message"] == "How much?\nCompany: Globex\nhttps://usher.example/c/1"

    def test_a_failure_is_tried_again_later_and_shows_no_secret(self, subject: Any, fake: Receiver) -> None:
        fake.faults.add(Fault(status=500), times=1)
        with pytest.raises(Transient) as caught:
            subject.send(HOT, key="k1")
        assert "madeUpSecret" not in f"{caught.value} {caught.value!r}"
        subject.send(HOT, key="k1")
        assert len(fake.got) == 1

    def test_a_redirect_is_not_followed(self, subject: Any, fake: Receiver) -> None:
        fake.faults.add(Fault(status=307, headers={"Location": f"{fake.url}/elsewhere"}), times=1)
        with pytest.raises(Transient):
            subject.send(HOT, key="k1")
        assert [one.path for one in fake.asked] == ["/madeUpSecret"]

    def test_an_alert_for_somebody_else_is_refused(self, subject: Any) -> None:
        with pytest.raises(InvalidInput):
            subject.send(Alert("a", "b", to="grace"), key="k1")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("ntfy://our-topic", "ntfy.sh"),
        ("ntfys://localhost/10.0.0.1?mode=cloud", "ntfy.sh"),
        ("matrixs://" + "0a" * 32, "webhooks.t2bot.io"),
        (f"lametric://{'QUJD' * 20}==@com.lametric.{'ab' * 16}", "developer.lametric.com"),
        (f"fluxer://{'1' * 12}/{'a' * 60}", "api.fluxer.app"),
        ("notica://abc123", "notica.us"),
        ("pushdeer://" + "a" * 20, "api2.pushdeer.com"),
    ],
)
@responses.activate
def test_the_cloud_of_a_service_is_reached_by_an_address_without_a_host(url: str, host: str) -> None:
    responses.add(responses.POST, re.compile(f"https?://{host}[:/].*"), json={})
    adapter = Registry(discover=list).open("notify", "apprise", {"url": url}, records=MemoryRecords())
    assert adapter.check().ok
    adapter.send(HOT, key="k1")
    assert {urlsplit(call.request.url or "").hostname for call in responses.calls} == {host}


@pytest.mark.parametrize(
    "url",
    [
        "nonsense", "json://10.0.0.1/x", "json://localhost/x", "syslog://", "mailto://a:b@c.example",
        "workflows://example.com/a/b/?template=/etc/hosts", "fcm://project/token?keyfile=/etc/hosts",
        "fcm://project/token?keyfile=http://127.0.0.1:1/k", "vapid://a@example.com/b?keyfile=http://127.0.0.1:1/k",
        "ntfy://127.0.0.1/topic", "ntfys://localhost/topic?mode=private", "matrix://user:word@10.0.0.1/%23room",
        "lametric://key@192.168.1.5", "notica://localhost/abc123", "pushdeer://localhost/" + "a" * 20,
    ],
)  # fmt: skip
def test_addresses_that_lead_into_our_network_or_nowhere_are_refused(url: str) -> None:
    adapter = Registry(discover=list).open("notify", "apprise", {"url": url}, records=MemoryRecords())
    assert adapter.check().ok is False
    with pytest.raises(ConfigError):
        adapter.send(HOT, key="k1")
