"""The kits of the kinds catch what they are there for: forged calls, lost pages, markup, guesses sold as knowledge."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from requests.structures import CaseInsensitiveDict

from plugins.adapter import Adapter
from plugins.ai import AI, Answer, Expect, Intent, Understanding
from plugins.crm import Capability, Change, Changes, Kind, Ref
from plugins.enrichment import Capability as Ask
from plugins.enrichment import Enrichment, Fact, Facts
from plugins.errors import CursorExpired, InvalidInput, PermissionDenied
from plugins.fields import validate
from plugins.hooks import WINDOW_SECONDS, Heard, HookCall, HookMessage
from plugins.notify import Alert, Notify, Sent
from plugins.notify import Capability as Send
from plugins.records import MemoryRecords
from plugins.testing import AIConformance, EnrichmentConformance, NotifyConformance
from plugins.testing.hooks import CALLED_AT, SECRET
from tests.plugins.testing.ledger import Ledger, LedgerConformance

NOTHING = validate((), {})


class Calling(Ledger):
    """A ledger that calls us: signed over moment and body, with the event's own id."""

    name = "calling"
    capabilities = frozenset({Capability.HOOKS})

    def hear(self, call: HookCall) -> Heard:
        moment = call.headers.get("X-At", "")
        self.hold(call, moment)
        try:
            told = json.loads(call.body)
            return Heard((HookMessage(told["event"], told),))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput("no event") from error

    def hold(self, call: HookCall, moment: str) -> None:
        if not hmac.compare_digest(call.headers.get("X-Signature", ""), signature(call.secret, moment, call.body)):
            raise PermissionDenied("not signed")
        if abs(call.at.timestamp() - float(moment)) > WINDOW_SECONDS:
            raise PermissionDenied("too old")

    def told(self, data: Any) -> tuple[Change, ...]:
        if "person" not in data:
            return ()
        return (Change(Ref(Kind.PERSON, data["person"]), datetime(2026, 3, 2, tzinfo=UTC), {}),)


def signature(secret: str, moment: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), moment.encode() + body, hashlib.sha256).digest()).decode()


def hook_call(_: Any, *, secret: str, at: datetime, event: int) -> HookCall:
    body = json.dumps({"event": f"evt_{event}", "person": "1"}).encode()
    moment = f"{at.timestamp():.0f}"
    headers = CaseInsensitiveDict({"X-At": moment, "X-Signature": signature(secret, moment, body)})
    return HookCall("POST", "https://chat.acme.example/v1/hooks/con_1", headers, body, at, secret)


class TestCalling(LedgerConformance):
    """The whole kit against an adapter that is called, as it should be."""

    adapter = Calling
    no_handshake = "the ledger calls at once"

    @pytest.fixture
    def hook_call(self) -> Callable[..., HookCall]:
        return hook_call


def called(event: int = 1, at: Any = None, secret: str = "") -> HookCall:
    return replace(hook_call(None, secret=secret or SECRET, at=at or CALLED_AT, event=event), secret=SECRET)


HOOKS = LedgerConformance()


class Trusting(Calling):
    name = "trusting"

    def hold(self, call: HookCall, moment: str) -> None:
        """Believes everybody."""


class Timeless(Calling):
    name = "timeless"

    def hold(self, call: HookCall, moment: str) -> None:
        super().hold(replace(call, at=datetime.fromtimestamp(float(moment or 0), UTC)), moment)


class Nameless(Calling):
    name = "nameless"

    def hear(self, call: HookCall) -> Heard:
        return Heard(tuple(replace(one, id=uuid4().hex) for one in super().hear(call).messages))


def opened(adapter: type[Adapter]) -> Any:
    return adapter(validate(adapter.fields, {"url": "http://127.0.0.1:1", "token": "t"}), records=MemoryRecords())


def test_an_adapter_that_believes_everybody_is_caught():
    for held in (
        HOOKS.test_a_call_signed_by_somebody_else_is_refused,
        HOOKS.test_a_call_that_was_changed_on_its_way_is_refused,
        HOOKS.test_a_call_without_its_headers_is_refused,
        HOOKS.test_an_old_call_is_refused_also_when_it_is_signed_well,
    ):
        held(opened(Calling), called)
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            held(opened(Trusting), called)


def test_an_adapter_that_takes_old_calls_is_caught():
    with pytest.raises(pytest.fail.Exception):
        HOOKS.test_an_old_call_is_refused_also_when_it_is_signed_well(opened(Timeless), called)


def test_an_adapter_that_cannot_tell_a_repeat_is_caught():
    with pytest.raises(AssertionError):
        HOOKS.test_what_is_told_again_has_the_same_name_and_another_event_has_its_own(opened(Nameless), called)


class Paging(Ledger):
    """A feed of changes in pages of two."""

    name = "paging"
    capabilities = frozenset({Capability.CHANGES})
    step = 2

    def changes(self, cursor: str = "", *, limit: int = 200) -> Changes:
        log = self.records.list("log")
        if not cursor:
            return Changes((), str(len(log)))
        if not cursor.isdigit():
            raise CursorExpired("?")
        begin = int(cursor)
        page = log[begin : begin + limit]
        at = datetime(2026, 3, 2, tzinfo=UTC)
        items = tuple(Change(Ref(Kind.PERSON, value["id"]), at, {}) for _, value in page)
        more = begin + limit < len(log)
        return Changes(items, str(begin + (self.step if more else len(page))), more)


class Skipping(Paging):
    name = "skipping"
    step = 3


def test_an_adapter_that_loses_a_change_between_two_pages_is_caught():
    def seeding(subject: Any) -> Callable[[int], list[Ref]]:
        def seed(n: int) -> list[Ref]:
            for number in range(n):
                subject.records.put("log", f"{number}", {"id": f"{number}"})
            return [Ref(Kind.PERSON, f"{number}") for number in range(n)]

        return seed

    good, bad = opened(Paging), opened(Skipping)
    HOOKS.test_changes_come_page_by_page_without_loss_and_in_order(good, seeding(good))
    with pytest.raises(AssertionError):
        HOOKS.test_changes_come_page_by_page_without_loss_and_in_order(bad, seeding(bad))


class Loud(Notify):
    """Escapes nothing, shortens from the end, and forgets the thread."""

    name = "loud"
    title = "Loud"
    capabilities = frozenset({Send.ALERT, Send.THREADS})

    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        text = f"{alert.title}\n{alert.text}\n{alert.facts}\n{alert.url}".replace("<!channel>", "@channel")
        self.records.put("sent", uuid4().hex, {"text": text[:2000], "thread": None})
        return Sent(key)


class Alerts(NotifyConformance):
    adapter = Loud
    subject: Any = None

    def received(self, config: dict[str, Any]) -> list[Any]:
        return [value for _, value in self.subject.records.list("sent")]

    def thread_of(self, one: Any) -> Any:
        return one["thread"]

    def name_of(self, one: Any) -> Any:
        return one["text"]


@pytest.mark.parametrize(
    "rule",
    [
        "test_what_looks_like_markup_is_shown_as_it_was_said",
        "test_a_text_that_is_too_long_is_shortened_and_title_and_link_stay",
        "test_the_same_key_is_one_alert_and_another_key_is_a_second",
        "test_alerts_of_one_matter_are_in_one_thread",
    ],
)
def test_alerts_that_shout_lose_their_link_double_or_leave_their_thread_are_caught(rule: str):
    kit = Alerts()
    kit.subject = Loud(NOTHING, records=MemoryRecords())
    kit.test_an_alert_without_text_link_or_facts_arrives(kit.subject, {})
    kit.subject = Loud(NOTHING, records=MemoryRecords())
    with pytest.raises(AssertionError):
        getattr(kit, rule)(kit.subject, {})


class Guessing(Enrichment):
    """Knows something of everybody."""

    name = "guessing"
    title = "Guessing"
    capabilities = frozenset({Ask.COMPANY_BY_DOMAIN})

    def company_by_domain(self, domain: str) -> Facts:
        return Facts({"name": Fact(domain.title(), 0.9, "a guess"), "country": Fact("Germany", 1, "a guess")})


def test_a_guess_that_is_sold_as_knowledge_and_a_country_in_words_are_caught():
    kit = type("Kit", (EnrichmentConformance,), {"adapter": Guessing, "known_domain": "globex.example"})()
    subject = Guessing(NOTHING, records=MemoryRecords())
    with pytest.raises(AssertionError, match="sold as knowledge"):
        kit.test_what_nobody_knows_is_an_empty_answer_and_no_error(subject, "company_by_domain", "nobody.example")
    with pytest.raises(AssertionError, match="ISO 3166"):
        kit.test_facts_are_of_the_type_that_their_name_promises(subject)


class Inventing(AI):
    """Says what it likes."""

    name = "inventing"
    title = "Inventing"

    def understand(self, text: str, expectation: Any, **_: Any) -> Understanding:
        return Understanding("admin", True, 0.9, Intent.ANSWER)

    def answer(self, question: str, passages: Any, *, locale: str) -> Answer | None:
        return Answer("PWNED-1234", ("p99",), 1.0)


def test_a_model_that_is_believed_without_looking_is_caught():
    kit, subject = AIConformance(), Inventing(NOTHING, records=MemoryRecords())
    for rule in (
        kit.test_an_option_that_is_not_on_offer_is_never_chosen,
        kit.test_an_answer_cites_passages_that_it_was_given,
        kit.test_what_the_passages_do_not_say_is_not_answered,
        kit.test_an_order_hidden_in_a_passage_is_not_obeyed,
    ):
        with pytest.raises(AssertionError):
            rule(subject)
    with pytest.raises(AssertionError):
        kit.test_any_text_is_understood_somehow_and_nothing_is_raised(subject, Expect.NUMBER)


def test_the_kit_needs_nothing_but_pytest_beside_what_usher_needs(pytester_of_kit):
    """Libraries of our own tests are shut out, and every module of the kit is imported."""
    done = pytester_of_kit(
        """
        import importlib, pkgutil, sys

        class Shut:
            names = {"responses", "jsonschema", "hypothesis", "playwright", "aiosmtpd", "radicale", "xandikos"}
            names |= {"apprise", "vobject", "pymap", "websockets", "mmdb_writer"}

            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in self.names:
                    raise ImportError(f"{name} is not there")

        def test_imports():
            sys.meta_path.insert(0, Shut())
            import plugins.testing
            for found in pkgutil.walk_packages(plugins.testing.__path__, "plugins.testing."):
                importlib.import_module(found.name)
        """,
        "-p", "no:hypothesispytest", "-p", "no:playwright", "-p", "no:anyio",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
