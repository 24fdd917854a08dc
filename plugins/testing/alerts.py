"""What every notify adapter that sends alerts must pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from plugins.errors import InvalidInput
from plugins.notify import Alert, Capability
from plugins.testing.conformance import requires
from plugins.testing.errors import ErrorTable
from plugins.testing.guard import exempt, left_out

ALERT = Alert(
    "New lead",
    "Ada Löwe of Globex asks for a demo",
    url="https://chat.acme.example/c/1",
    facts={"Company": "Globex", "Employees": "800"},
)
UGLY = "<!channel> <@U1> @everyone <https://evil.example|click> & <b>x</b> [a](https://evil.example) \u2028 {{x}}"
"""What a visitor may write so that it calls everybody, links elsewhere or breaks the message."""


class AlertConformance(ErrorTable):
    """The author gives `received`. `shown(one)` is what a reader sees of one of them: with the service's escapes taken
    back, since by default it is all its texts as they were sent. `thread_of(one)` tells which thread it is in, None at
    the head of one; `name_of(one)` what answers to it name as their thread. `no_target` is a target that the service
    refuses, `any_target` why it refuses none."""

    no_target: ClassVar[str] = ""
    any_target: ClassVar[str] = ""

    def received(self, config: dict[str, Any]) -> list[Any]:
        pytest.fail("give received(): what arrived at the fake")

    def shown(self, one: Any) -> str:
        return "\n".join(_texts(one))

    def thread_of(self, one: Any) -> Any:
        left_out("the class does not say which thread an alert is in")

    def name_of(self, one: Any) -> Any:
        left_out("the class does not say what names an alert")

    @requires(Capability.ALERT)
    def test_an_alert_arrives_with_title_text_link_and_facts(self, subject: Any, config: dict[str, Any]) -> None:
        assert subject.send(ALERT, key="k1").id
        [one] = self.received(config)
        shown = self.shown(one)
        facts = [word for fact in ALERT.facts.items() for word in fact]
        assert [part for part in (ALERT.title, ALERT.text, ALERT.url, *facts) if part not in shown] == []

    @requires(Capability.ALERT)
    def test_what_looks_like_markup_is_shown_as_it_was_said(self, subject: Any, config: dict[str, Any]) -> None:
        subject.send(replace(ALERT, text=UGLY, facts={"Said": UGLY}), key="k1")
        [one] = self.received(config)
        assert _words(self.shown(one)).count(_words(UGLY)) >= 2

    @requires(Capability.ALERT)
    def test_a_text_that_is_too_long_is_shortened_and_title_and_link_stay(
        self, subject: Any, config: dict[str, Any]
    ) -> None:
        facts = {f"Fact {n}": "🦉" * 3000 for n in range(40)}
        subject.send(replace(ALERT, text="ä&<" * 20_000, facts=facts), key="k1")
        subject.send(replace(ALERT, title="t" * 5000), key="k2")
        first, second = self.received(config)
        assert ALERT.title in self.shown(first)
        assert ALERT.url in self.shown(first)
        assert "t" * 50 in self.shown(second)

    @requires(Capability.ALERT)
    def test_an_alert_without_text_link_or_facts_arrives(self, subject: Any, config: dict[str, Any]) -> None:
        subject.send(Alert("New lead", ""), key="k1")
        assert ["New lead" in self.shown(one) for one in self.received(config)] == [True]

    @requires(Capability.ALERT)
    def test_the_same_key_is_one_alert_and_another_key_is_a_second(self, subject: Any, config: dict[str, Any]) -> None:
        for key in ("k1", "k1", "k2"):
            subject.send(ALERT, key=key)
        assert len(self.received(config)) in ((2, 3) if self.no_keys else (2,))

    @requires(Capability.ALERT)
    def test_alerts_of_one_matter_are_in_one_thread(self, subject: Any, config: dict[str, Any]) -> None:
        if Capability.THREADS not in self.adapter.capabilities:
            exempt(f"{self.adapter.name} does not declare {Capability.THREADS}")
        for key, thread in (("k1", "lead:1"), ("k2", "lead:1"), ("k3", "lead:2"), ("k4", "")):
            subject.send(replace(ALERT, thread_key=thread), key=key)
        first, *others = self.received(config)
        assert self.thread_of(first) in (None, self.name_of(first))
        assert [self.thread_of(one) == self.name_of(first) for one in others] == [True, False, False]

    @requires(Capability.ALERT)
    def test_a_target_that_nobody_has_is_refused_by_field(self, subject: Any) -> None:
        if self.any_target:
            exempt(f"any target is taken: {self.any_target}")
        if not self.no_target:
            left_out("no_target: a target that the fake refuses")
        with pytest.raises(InvalidInput) as caught:
            subject.send(replace(ALERT, to=self.no_target), key="k1")
        assert caught.value.field == "to"


def _texts(one: Any) -> Iterator[str]:
    """All texts in a message, however deep."""
    if isinstance(one, str):
        yield one
    elif isinstance(one, bytes):
        yield one.decode("utf-8", "replace")
    elif isinstance(one, Mapping):
        for value in one.values():
            yield from _texts(value)
    elif isinstance(one, Sequence):
        for value in one:
            yield from _texts(value)


def _words(text: str) -> str:
    return " ".join(text.split())
