"""Twilio's adapter against its Messages resource on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from plugins.errors import AmbiguousOutcome, AuthError, ConfigError, InvalidInput, PermissionDenied, RateLimited
from plugins.notify import Alert
from plugins.notify.twilio import Twilio
from plugins.testing import NotifyConformance
from plugins.testing.fakes import Fault
from plugins.testing.fakes.twilio import ACCOUNT, KEY, PATH, SECRET, TwilioFake

SPEC = Path(__file__).parents[3].parent / "shared" / "specs" / "twilio_messages_v2010.json"
HOT = Alert("Ada wants to talk", "Said: how much?", to="+1 415 555 2671", url="https://usher.example/c/1")


class TestTwilio(NotifyConformance):
    adapter = Twilio
    no_target = "no number at all"
    error_in_200 = "Twilio answers with the status that fits; what fails later is told by a callback"

    @pytest.fixture
    def fake(self) -> Iterator[TwilioFake]:
        with TwilioFake() as self.twilio:
            yield self.twilio

    @pytest.fixture
    def config(self, fake: TwilioFake) -> dict[str, Any]:
        number = {"sender": "+15005550006", "to": "+14155550100"}
        return {"account": ACCOUNT, "key": KEY, "secret": SECRET, "base_url": fake.url, **number}

    def received(self, config: dict[str, Any]) -> list[Any]:
        return self.twilio.sent

    def test_title_text_and_link_arrive_at_the_number(self, subject: Any, fake: TwilioFake) -> None:
        sent = subject.send(HOT, key="k1")
        [message] = fake.sent
        assert (message["to"], message["sid"]) == ("+14155552671", sent.id)
        assert message["body"] == "Ada wants to talk\nSaid: how much?\nhttps://usher.example/c/1"

    def test_a_long_text_keeps_title_and_link(self, subject: Any, fake: TwilioFake) -> None:
        subject.send(Alert("Title", "x" * 3000, to="+14155552671", url="https://usher.example/c/1"), key="k1")
        assert len(fake.sent[0]["body"]) == 459
        assert fake.sent[0]["body"].startswith("Title\n")
        assert fake.sent[0]["body"].endswith("…\nhttps://usher.example/c/1")

    def test_the_same_key_is_one_message_also_when_the_answer_was_lost(self, subject: Any, fake: TwilioFake) -> None:
        fake.prefix = "Sent from your Twilio trial account - "
        fake.faults.add(Fault(done=True, drop=True), on="POST", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        assert subject.send(HOT, key="k1") == subject.send(HOT, key="k1")
        assert len(fake.sent) == 1

    def test_the_same_words_under_another_key_are_another_message(self, subject: Any, fake: TwilioFake) -> None:
        for key in ("k1", "k2"):
            subject.send(HOT, key=key)
        assert len(fake.sent) == 2

    def test_an_alert_that_was_lost_is_not_taken_for_another_in_the_same_words(
        self, subject: Any, fake: TwilioFake
    ) -> None:
        fake.faults.add(Fault(status=503, drop=True), on="POST", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        second = subject.send(HOT, key="k2")
        first = subject.send(HOT, key="k1")
        assert [one["sid"] for one in fake.sent] == [second.id, first.id]

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            (21611, RateLimited),
            (21703, PermissionDenied),
            (21704, ConfigError),
            (21705, ConfigError),
            (30001, RateLimited),
        ],
    )
    def test_a_full_queue_is_waited_for_and_a_service_without_a_sender_is_the_owners_matter(
        self, subject: Any, fake: TwilioFake, code: int, error: type[Exception]
    ) -> None:
        fake.refused["+14155552671"] = code
        with pytest.raises(error) as caught:
            subject.send(HOT, key="k1")
        assert caught.type is error
        assert fake.sent == []

    @pytest.mark.parametrize("to", ["+15005550004", "+15005550009", "+15005550001", "ada", "030 123456"])
    def test_a_number_that_takes_no_messages_is_named(self, subject: Any, to: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            subject.send(Alert("a", "b", to=to), key="k1")
        assert caught.value.field == "to"

    def test_a_sender_of_somebody_else_is_the_owners_matter(self, subject: Any, fake: TwilioFake) -> None:
        fake.numbers.clear()
        with pytest.raises(ConfigError):
            subject.send(HOT, key="k1")

    def test_wrong_credentials_are_told_at_checking_and_raised_at_sending(self, subject: Any, fake: TwilioFake) -> None:
        assert subject.check().ok
        fake.faults.add(Fault(status=401, body=json.dumps({"code": 20003, "message": "Authenticate"}).encode()))
        assert subject.check().ok is False
        with pytest.raises(AuthError):
            subject.send(HOT, key="k1")

    @pytest.mark.skipif(not SPEC.exists(), reason="the published description is not on this machine")
    def test_what_is_sent_are_parameters_of_the_published_description(self, subject: Any, fake: TwilioFake) -> None:
        subject.send(HOT, key="k1")
        spec = json.loads(SPEC.read_text())["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]
        known = spec["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
        [post] = [one for one in fake.asked if (one.method, one.path) == ("POST", PATH)]
        assert set(parse_qs(post.body.decode())) <= set(known)
