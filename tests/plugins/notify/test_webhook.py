"""Alerts to a program of the owner's, which verifies each and does it once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.wrappers import Request

from plugins.errors import ConfigError, PermissionDenied
from plugins.notify import Alert
from plugins.notify.webhook import Webhook
from plugins.signing import new_secret, verified
from plugins.testing import NotifyConformance
from plugins.testing.fakes import Fake, Fault, Refusal, on
from plugins.testing.table import Means

SECRET, OLD = new_secret(), new_secret()
HOT = Alert("Ada wants to talk", "How much?", facts={"Company": "Globex"}, thread_key="lead:1", urgent=True)


class Program(Fake):
    """Believes messages signed with `secret`; `alerts` came once each."""

    def __init__(self) -> None:
        super().__init__()
        self.secret, self.alerts, self.ids = SECRET, [], set()  # type: ignore[var-annotated]

    @on("POST", "/usher")
    def take(self, request: Request) -> Any:
        try:
            id = verified(dict(request.headers), request.get_data(), [self.secret], datetime.now(UTC))
        except PermissionDenied as error:
            raise Refusal(401, {"error": error.message}) from None
        message = json.loads(request.get_data())
        if message["type"] == "alert" and id not in self.ids:
            self.ids.add(id)
            self.alerts.append(message["data"])
        return None


class TestWebhook(NotifyConformance):
    adapter = Webhook
    error_in_200 = "a program answers with the status that fits"
    any_target = "the program decides who hears it"
    means = {("*", 404): Means(ConfigError, "nobody at the address takes messages: that is for the owner to mend")}

    @pytest.fixture
    def fake(self) -> Iterator[Program]:
        with Program() as self.program:
            yield self.program

    @pytest.fixture
    def config(self, fake: Program) -> dict[str, Any]:
        return {"url": f"{fake.url}/usher", "secret": SECRET}

    def received(self, config: dict[str, Any]) -> list[Any]:
        return self.program.alerts

    def thread_of(self, one: Any) -> Any:
        return one["thread_key"]

    def name_of(self, one: Any) -> Any:
        return one["thread_key"]

    def test_an_alert_arrives_whole_and_signed(self, subject: Any, fake: Program) -> None:
        subject.send(HOT, key="k1")
        [told] = fake.alerts
        assert (told["title"], told["facts"], told["thread_key"], told["urgent"]) == (
            "Ada wants to talk", [{"label": "Company", "value": "Globex"}], "lead:1", True,
        )  # fmt: skip

    @pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b""), (200, b"ok")])
    def test_what_flask_php_and_express_answer_by_themselves_is_an_answer(
        self, subject: Any, fake: Program, status: int, body: bytes
    ) -> None:
        fake.faults.add(Fault(status, body, "text/html; charset=utf-8", done=True))
        assert subject.check().ok
        assert subject.send(HOT, key="k1").id
        assert len(fake.alerts) == 1

    def test_while_secrets_are_changed_either_is_right(
        self, config: dict[str, Any], records: Any, fake: Program
    ) -> None:
        both = self.opened({**config, "secret": new_secret(), "old_secret": SECRET}, records)
        both.send(HOT, key="k1")
        assert len(fake.alerts) == 1

    @pytest.mark.parametrize("url", ["http://example.com/x", "https://user@example.com/x", "ftp://example.com"])
    def test_an_address_without_protection_is_refused(self, config: dict[str, Any], records: Any, url: str) -> None:
        with pytest.raises(ConfigError):
            self.opened({**config, "url": url}, records)
