"""Slack's two adapters against a workspace on loopback."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from plugins.errors import AmbiguousOutcome, AuthError, ConfigError, InvalidInput, PermissionDenied, RateLimited
from plugins.notify import Alert
from plugins.notify.slack import Slack
from plugins.notify.slack_webhook import SlackWebhook
from plugins.testing import NotifyConformance
from plugins.testing.fakes import Fault
from plugins.testing.fakes.slack import SlackFake

HOT = Alert(
    "Ada Lovelace wants to talk", "She said: <b> & more", url="https://usher.example/c/1",
    facts={"Company": "Globex", "Employees": "800"}, thread_key="lead:1", urgent=True,
)  # fmt: skip


class TestSlack(NotifyConformance):
    adapter = Slack
    error_in_200 = Fault(status=200, body=b'{"ok": false, "error": "token_revoked"}')
    no_target = "C404"

    @pytest.fixture
    def fake(self) -> Iterator[SlackFake]:
        with SlackFake() as self.slack:
            self.slack.clock = time.time()
            yield self.slack

    def received(self, config: dict[str, Any]) -> list[Any]:
        return self.slack.messages["C1"]

    def shown(self, one: Any) -> str:
        return html.unescape(super().shown(one))

    def thread_of(self, one: Any) -> Any:
        return one.get("thread_ts")

    def name_of(self, one: Any) -> Any:
        return one["ts"]

    @pytest.fixture
    def config(self, fake: SlackFake) -> dict[str, Any]:
        return {"token": fake.token, "channel": "C1", "base_url": fake.url}

    def test_an_alert_has_head_text_facts_and_a_button_and_mentions_nobody(self, subject: Any, fake: SlackFake) -> None:
        sent = subject.send(HOT, key="k1")
        [message] = fake.messages["C1"]
        assert sent.id == f"C1/{message['ts']}"
        head, text, facts, actions = message["blocks"]
        assert head["text"]["text"] == "🔔 Ada Lovelace wants to talk"
        assert text["text"]["text"] == "She said: &lt;b&gt; &amp; more"
        assert [one["text"] for one in facts["fields"]] == ["*Company*\nGlobex", "*Employees*\n800"]
        assert actions["elements"][0]["url"] == HOT.url
        assert "<" not in message["text"]

    def test_later_alerts_of_a_matter_are_in_its_thread_and_those_of_others_are_not(
        self, subject: Any, fake: SlackFake
    ) -> None:
        for key in ("k1", "k2"):
            subject.send(HOT, key=key)
        subject.send(Alert("Other", "x", thread_key="lead:2"), key="k3")
        first, second, other = fake.messages["C1"]
        assert second["thread_ts"] == first["ts"]
        assert "thread_ts" not in other

    def test_the_same_key_is_posted_once(self, subject: Any, fake: SlackFake) -> None:
        assert subject.send(HOT, key="k1") == subject.send(HOT, key="k1")
        assert len(fake.messages["C1"]) == 1

    def test_what_was_posted_before_the_line_broke_is_found_and_not_posted_again(
        self, subject: Any, fake: SlackFake
    ) -> None:
        fake.faults.add(Fault(done=True, drop=True), on="chat.postMessage", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        sent = subject.send(HOT, key="k1")
        assert [f"C1/{one['ts']}" for one in fake.messages["C1"]] == [sent.id]

    def test_an_answer_in_a_thread_that_was_posted_before_the_line_broke_is_found_there(
        self, subject: Any, fake: SlackFake
    ) -> None:
        quiet = replace(HOT, urgent=False)  # an urgent one is shown in the channel as well
        subject.send(quiet, key="k1")
        fake.faults.add(Fault(done=True, drop=True), on="chat.postMessage", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(quiet, key="k2")
        sent = subject.send(quiet, key="k2")
        assert [f"C1/{one['ts']}" for one in fake.messages["C1"]][1:] == [sent.id]

    def test_later_alerts_go_below_a_first_one_whose_answer_was_lost(self, subject: Any, fake: SlackFake) -> None:
        fake.faults.add(Fault(done=True, drop=True), on="chat.postMessage", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        for key in ("k1", "k2"):
            subject.send(HOT, key=key)
        first, second = fake.messages["C1"]
        assert second["thread_ts"] == first["ts"]

    def test_an_alert_lost_before_its_matter_had_a_thread_is_found_in_the_channel(
        self, subject: Any, fake: SlackFake
    ) -> None:
        fake.faults.add(Fault(done=True, drop=True), on="chat.postMessage", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        for key in ("k2", "k1"):
            subject.send(HOT, key=key)
        assert len(fake.messages["C1"]) == 2

    @pytest.mark.parametrize("code", ["thread_not_found", "invalid_arguments", "unknown_method", "missing_scope"])
    def test_an_alert_that_cannot_be_looked_for_is_posted(self, subject: Any, fake: SlackFake, code: str) -> None:
        fake.faults.add(Fault(drop=True, status=503), on="chat.postMessage", times=1)
        fake.faults.add(fake.error(code), on="conversations")
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        assert subject.send(HOT, key="k1").id
        assert len(fake.messages["C1"]) == 1

    @pytest.mark.parametrize(("code", "error"), [("ratelimited", RateLimited), ("invalid_auth", AuthError)])
    def test_an_alert_waits_when_it_can_be_looked_for_later(
        self, subject: Any, fake: SlackFake, code: str, error: type[Exception]
    ) -> None:
        fake.faults.add(Fault(done=True, drop=True), on="chat.postMessage", times=1)
        fake.faults.add(fake.error(code), on="conversations", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        with pytest.raises(error):
            subject.send(HOT, key="k1")
        subject.send(HOT, key="k1")
        assert len(fake.messages["C1"]) == 1

    def test_without_the_scope_to_read_it_rather_comes_twice_than_never(self, subject: Any, fake: SlackFake) -> None:
        fake.scopes = ["chat:write"]
        fake.faults.add(Fault(drop=True, status=503), on="chat.postMessage", times=1)
        with pytest.raises(AmbiguousOutcome):
            subject.send(HOT, key="k1")
        subject.send(HOT, key="k1")
        assert len(fake.messages["C1"]) == 1
        assert "channels:history" in subject.check().warnings[0]

    def test_the_text_too_long_for_slack_is_shortened(self, subject: Any, fake: SlackFake) -> None:
        subject.send(Alert("t" * 300, "&" * 4000, facts={f"f{n}": "x" * 3000 for n in range(12)}), key="k1")
        [message] = fake.messages["C1"]
        assert len(message["blocks"][0]["text"]["text"]) == 150
        assert message["blocks"][1]["text"]["text"].endswith("&amp;…")

    @pytest.mark.parametrize(
        ("code", "error"),
        [("token_revoked", AuthError), ("restricted_action", PermissionDenied), ("internal_error", AmbiguousOutcome)],
    )
    def test_a_refusal_inside_a_good_answer_is_an_error(
        self, subject: Any, fake: SlackFake, code: str, error: type[Exception]
    ) -> None:
        fake.faults.add(fake.error(code), on="chat.postMessage", times=1)
        with pytest.raises(error):
            subject.send(HOT, key="k1")

    def test_a_channel_that_is_not_there_is_the_owners_or_the_givers_matter(
        self, subject: Any, fake: SlackFake
    ) -> None:
        for to in ("#sales", "C404"):
            with pytest.raises(InvalidInput) as caught:
                subject.send(Alert("a", "b", to=to), key="k1")
            assert caught.value.field == "to"
        fake.archived.add("C1")
        with pytest.raises(ConfigError) as wrong:
            subject.send(Alert("a", "b"), key="k2")
        assert wrong.value.problems[0][0] == "channel"

    def test_slack_may_ask_for_a_pause(self, subject: Any, fake: SlackFake) -> None:
        fake.faults.add(Fault(status=429, headers={"Retry-After": "30"}), times=1)
        with pytest.raises(RateLimited) as caught:
            subject.send(HOT, key="k1")
        assert caught.value.retry_after is not None

    def test_a_token_without_the_scope_to_post_is_told_at_checking(self, subject: Any, fake: SlackFake) -> None:
        assert subject.check().account == "Acme as usher"
        fake.scopes = ["users:read"]
        assert subject.check().missing == ("chat:write",)
        fake.token = "xoxb-another"  # noqa: S105 - made up
        assert subject.check().ok is False


class TestSlackWebhook(NotifyConformance):
    adapter = SlackWebhook
    error_in_200 = "an incoming webhook answers with the status that fits"
    no_keys = "Slack shows nobody what came through an incoming webhook"
    no_target = "C2"

    @pytest.fixture
    def fake(self) -> Iterator[SlackFake]:
        with SlackFake() as self.slack:
            yield self.slack

    def received(self, config: dict[str, Any]) -> list[Any]:
        return self.slack.hooked

    def shown(self, one: Any) -> str:
        return html.unescape(super().shown(one))

    @pytest.fixture
    def config(self, fake: SlackFake) -> dict[str, Any]:
        return {"url": fake.webhook}

    def test_an_alert_arrives_and_the_same_key_once(self, subject: Any, fake: SlackFake) -> None:
        for _ in range(2):
            subject.send(HOT, key="k1")
        assert [one["blocks"][0]["text"]["text"] for one in fake.hooked] == ["🔔 Ada Lovelace wants to talk"]

    def test_an_alert_of_which_nobody_knows_may_come_twice(self, subject: Any, fake: SlackFake) -> None:
        fake.faults.add(Fault(done=True, drop=True), times=1)
        with pytest.raises(AmbiguousOutcome) as caught:
            subject.send(HOT, key="k1")
        assert caught.value.doubles

    def test_checking_posts_nothing(self, subject: Any, fake: SlackFake) -> None:
        assert subject.check().ok
        assert fake.hooked == []

    @pytest.mark.parametrize(
        ("status", "code"),
        [(404, b"no_service"), (404, b"no_active_hooks"), (404, b"no_service_id"), (403, b"team_disabled")],
    )
    def test_an_address_that_leads_nowhere_is_told_without_showing_it(
        self, subject: Any, fake: SlackFake, status: int, code: bytes
    ) -> None:
        fake.faults.add(Fault(status=status, body=code, content_type="text/html"))
        assert subject.check().ok is False
        with pytest.raises(ConfigError) as caught:
            subject.send(HOT, key="k1")
        assert "madeUpSecret" not in f"{caught.value!r} {caught.value} {caught.value.user_message}"
        assert caught.value.problems[0][0] == "url"
