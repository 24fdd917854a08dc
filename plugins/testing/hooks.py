"""What every adapter that is called by its service must make of such calls: signature, age, repeats, handshakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import pytest
from requests.structures import CaseInsensitiveDict

from plugins.errors import InvalidInput, PermissionDenied
from plugins.hooks import WINDOW_SECONDS, Heard, HookCall
from plugins.testing.conformance import Conformance
from plugins.testing.guard import exempt

HookCalls = Callable[..., HookCall]
CALLED_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = "the word that only the service and we know"  # noqa: S105 - made up


class HookConformance(Conformance):
    """For adapters that declare `hears`. The author gives `hook_call`, and may say what is special:

    `hook_secret`: what the service signs with, where that is a setting. `no_age`: why a call carries no moment, so that
    an old one cannot be told. `no_signature`: why what a call says is not covered by its proof (it carries a word).
    `no_handshake`: why the service does not try the address.
    """

    hears: ClassVar[StrEnum]
    hook_secret: ClassVar[str] = SECRET
    no_age: ClassVar[str] = ""
    no_signature: ClassVar[str] = ""
    no_handshake: ClassVar[str] = ""

    @pytest.fixture
    def hook_call(self) -> HookCalls:
        """`hook_call(subject, secret=…, at=…, event=n)`: what the service sends of its event number n, signed with the
        secret at that moment, which is also the call's `at`. The same n is the same event, told again."""
        pytest.fail("give a fixture `hook_call`: what the service sends when something has changed")

    @pytest.fixture
    def handshake(self) -> tuple[HookCall, str]:
        """The call with which the service tries the address, signed at CALLED_AT where it is signed, and the text that
        it wants to read in the answer."""
        pytest.fail("give a fixture `handshake`, or say in `no_handshake` why the service does not try the address")

    @pytest.fixture
    def called(self, subject: Any, hook_call: HookCalls) -> HookCalls:
        """`hook_call` with all that is not said being as it should be."""

        def call(event: int = 1, at: datetime = CALLED_AT, secret: str = "") -> HookCall:
            made = hook_call(subject, secret=secret or self.hook_secret, at=at, event=event)
            return replace(made, secret=self.hook_secret)

        return call

    @pytest.fixture(autouse=True)
    def _hearing(self, request: pytest.FixtureRequest) -> None:
        if "called" in request.fixturenames and self.hears not in self.adapter.capabilities:
            exempt(f"{self.adapter.name} does not declare {self.hears}")

    def test_a_call_is_heard_at_once_and_what_it_says_can_be_kept(
        self, subject: Any, called: Any, request: pytest.FixtureRequest
    ) -> None:
        call = called()
        fake = None if getattr(self, "no_http", "") else request.getfixturevalue("fake")
        asked = len(fake.asked) if fake else 0
        heard: Heard = subject.hear(call)
        assert heard.messages
        assert 200 <= heard.status < 300
        assert all(message.id for message in heard.messages)
        assert [json.loads(json.dumps(dict(one.data))) == dict(one.data) for one in heard.messages]
        assert not fake or len(fake.asked) == asked, "hear() asked the service back; `told` has the time for that"

    def test_a_call_signed_by_somebody_else_is_refused(self, subject: Any, called: Any) -> None:
        for forged in ("another word", self.hook_secret.swapcase()):
            with pytest.raises(PermissionDenied):
                subject.hear(called(secret=forged))

    def test_a_call_without_its_headers_is_refused(self, subject: Any, called: Any) -> None:
        self._refused(subject, replace(called(), headers=CaseInsensitiveDict()))

    def test_a_call_that_was_changed_on_its_way_is_refused(self, subject: Any, called: Any) -> None:
        if self.no_signature:
            exempt(f"calls are not signed: {self.no_signature}")
        call = called()
        self._refused(subject, replace(call, body=call.body + b" "))
        self._refused(subject, replace(call, body=call.body.replace(b"1", b"2")))

    def test_an_old_call_is_refused_also_when_it_is_signed_well(self, subject: Any, called: Any) -> None:
        if self.no_age:
            exempt(f"a call carries no moment: {self.no_age}")
        late = timedelta(seconds=2 * WINDOW_SECONDS)
        with pytest.raises(PermissionDenied):
            subject.hear(replace(called(), at=CALLED_AT + late))
        with pytest.raises(PermissionDenied):
            subject.hear(replace(called(), at=CALLED_AT - late))

    def test_what_is_told_again_has_the_same_name_and_another_event_has_its_own(
        self, subject: Any, called: Any
    ) -> None:
        def names(call: HookCall) -> list[str]:
            return [message.id for message in subject.hear(call).messages]

        once, again = names(called()), names(called(at=CALLED_AT + timedelta(seconds=30)))
        assert once == again
        assert len(set(once)) == len(once)
        assert not set(once) & set(names(called(event=2)))

    def test_a_body_that_nobody_can_read_is_refused_and_breaks_nothing(self, subject: Any, called: Any) -> None:
        for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"<html></html>"):
            self._refused(subject, replace(called(), body=body))

    def test_the_service_may_try_the_address(self, subject: Any, request: pytest.FixtureRequest) -> None:
        if self.hears not in self.adapter.capabilities:
            exempt(f"{self.adapter.name} does not declare {self.hears}")
        if self.no_handshake:
            exempt(f"no handshake: {self.no_handshake}")
        call, wanted = request.getfixturevalue("handshake")
        heard = subject.hear(call)
        assert 200 <= heard.status < 300
        assert wanted in heard.body
        assert heard.messages == ()

    def _refused(self, subject: Any, call: HookCall) -> None:
        """Fail when the call was believed, unless what was spoilt proves nothing at this service."""
        try:
            heard = subject.hear(call)
        except (PermissionDenied, InvalidInput):
            return
        assert self.no_signature or not heard.messages, "the call was believed"
