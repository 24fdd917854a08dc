"""The table of errors: an adapter that keeps the rules passes, and each sin against them is caught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from plugins.adapter import CheckResult
from plugins.crm import Kind, Person, Ref
from plugins.errors import AmbiguousOutcome, NotFound, PluginError, RateLimited, Transient
from plugins.records import MemoryRecords
from plugins.testing import Means
from plugins.testing.fakes import Fault
from plugins.testing.guard import Exempt
from plugins.testing.table import BOTH, WRITE_ONLY
from tests.plugins.testing.ledger import TOKEN, FakeLedger, Ledger, LedgerConformance

ROWS = {row.name: row for row in BOTH + WRITE_ONLY}


class TestLedger(LedgerConformance):
    """The whole kit against the adapter as it should be."""


class Held:
    """One class of the kit in the hands of a test: `subject` is the adapter that it holds to the table."""

    def __init__(self, fake: FakeLedger, adapter: type[Ledger], **said: Any) -> None:
        self.fake = fake
        self.kit = type("Kit", (LedgerConformance,), {"adapter": adapter, **said})()
        self.kit.service = fake
        self.config = {"url": fake.url, "token": TOKEN}
        self.subject = self.kit.opened(self.config, MemoryRecords())
        self.reading = LedgerConformance.reading.__wrapped__(self.kit)  # type: ignore[attr-defined]
        self.writing = LedgerConformance.writing.__wrapped__(self.kit)  # type: ignore[attr-defined]

    def read(self, row: str) -> None:
        self.kit.test_reading_from_a_service_that_fails_says_what_to_do(
            self.fake, self.subject, self.reading, ROWS[row]
        )

    def write(self, row: str) -> None:
        self.kit.test_writing_to_a_service_that_fails_says_what_to_do_and_is_done_once_when_tried_again(
            self.fake, self.subject, self.writing, ROWS[row]
        )


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeLedger]:
    with FakeLedger() as fake:
        yield fake


class Stubborn(Ledger):
    """Tries again by itself."""

    name = "stubborn"

    def ask(self, *arguments: Any, **request: Any) -> Any:
        try:
            return super().ask(*arguments, **request)
        except Transient:
            return super().ask(*arguments, **request)


class Soothing(Ledger):
    """Takes every failure for "nothing found"."""

    name = "soothing"

    def find_by_email(self, email: str) -> list[Ref]:
        try:
            return super().find_by_email(email)
        except PluginError:
            return []


class Hasty(Ledger):
    """Knows that it was too fast, and not until when."""

    name = "hasty"

    def ask(self, *arguments: Any, **request: Any) -> Any:
        try:
            return super().ask(*arguments, **request)
        except RateLimited as error:
            raise RateLimited("slow down", http_status=429) from error


class Forgetful(Ledger):
    """Makes a new person each time it is asked, and finds none."""

    name = "forgetful"

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        told = self.ask("upsert_person", "POST", "/people", json={"name": person.name})
        return Ref(Kind.PERSON, told["id"], created=True)


class Talkative(Ledger):
    """Says all it knows when something fails."""

    name = "talkative"

    def ask(self, *arguments: Any, **request: Any) -> Any:
        try:
            return super().ask(*arguments, **request)
        except PluginError as error:
            raise Transient(f"it failed with {self.config.secret('token')}") from error


class Patient(Ledger):
    """Waits as long as it takes."""

    name = "patient"

    def ask(self, operation: str, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = self.config.text("url") + path
        told = self.http.call(operation, method, url, headers=headers, seconds=30, **request).json()
        return {"found": [], "id": "1", "created": True, **told}


class Credulous(Ledger):
    """Does not look at what it is answered."""

    name = "credulous"

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.config.text('url')}/people/{person.email}"
        self.http.call("upsert_person", "PUT", url, json={}, headers=headers, repeatable=True)
        return Ref(Kind.PERSON, person.email)


class Loose(Ledger):
    """Lets an error out that is none of ours."""

    name = "loose"

    def find_by_email(self, email: str) -> list[Ref]:
        try:
            return super().find_by_email(email)
        except NotFound as error:
            raise KeyError(email) from error


class Unasked(Ledger):
    name = "unasked"

    def check(self) -> CheckResult:
        return CheckResult(ok=True)


def test_an_adapter_that_tries_again_by_itself_is_caught(fake):
    with pytest.raises(AssertionError, match="asked again by the adapter itself"):
        Held(fake, Stubborn).read("503")


def test_an_adapter_that_takes_failure_for_an_empty_answer_is_caught(fake):
    for row in ("500", "401", "half an answer", "page of HTML"):
        with pytest.raises(AssertionError, match="raised None"):
            Held(fake, Soothing).read(row)
    Held(fake, Soothing).read("404")


def test_an_adapter_that_does_not_read_when_to_come_back_is_caught(fake):
    for row in ("429 in seconds", "429 until a date"):
        with pytest.raises(AssertionError, match="Retry-After was not read"):
            Held(fake, Hasty).write(row)


def test_an_adapter_that_makes_two_after_a_lost_answer_is_caught(fake):
    held = Held(fake, Forgetful)
    with pytest.raises(AssertionError):
        held.kit.test_whichever_answer_to_a_writing_is_lost_the_same_key_makes_one(fake, held.subject, held.writing)
    fake.faults.clear()
    told = Held(fake, Forgetful, no_keys="it makes a new one each time")
    told.kit.test_whichever_answer_to_a_writing_is_lost_the_same_key_makes_one(fake, told.subject, told.writing)


class Looking(Forgetful):
    """Makes a new person where it finds none."""

    name = "looking"

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        return next(iter(self.find_by_email(person.email)), None) or super().upsert_person(person, key=key)


def test_a_service_without_unique_emails_needs_no_lock_and_says_why(fake):
    crowd = LedgerConformance.test_eight_at_once_with_one_email_make_one_person
    held = Held(fake, Looking)
    with pytest.raises(AssertionError):
        crowd(held.kit, held.subject)
    with pytest.raises(Exempt, match="two may share an address"):
        crowd(Held(fake, Looking, no_unique_email="two may share an address").kit, held.subject)


class Careless(Looking):
    """… and says that nothing was done when nobody knows."""

    name = "careless"

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        try:
            return super().upsert_person(person, key=key)
        except AmbiguousOutcome as error:
            raise Transient("try again") from error


def test_without_keys_the_lost_answer_to_a_look_up_is_no_doubt_and_that_to_the_making_is(fake):
    no_keys = "it makes a new one each time"
    lost = LedgerConformance.test_whichever_answer_to_a_writing_is_lost_the_same_key_makes_one
    told = Held(fake, Looking, no_keys=no_keys)
    lost(told.kit, fake, told.subject, told.writing)
    careless = Held(fake, Careless, no_keys=no_keys)
    with pytest.raises(AssertionError, match="call 2 unanswered"):
        lost(careless.kit, fake, careless.subject, careless.writing)
    fake.faults.clear()


def test_an_adapter_that_says_a_secret_is_caught(fake, caplog):
    held = Held(fake, Talkative)
    with pytest.raises(AssertionError):
        held.kit.test_no_secret_is_seen_when_the_service_says_it_back(
            fake, held.subject, held.reading, held.writing, [TOKEN], caplog
        )
    fake.faults.clear()


def test_an_adapter_that_waits_for_ever_is_caught(fake):
    held = Held(fake, Patient)
    impatient = held.kit.opened(held.config, MemoryRecords(), seconds=0.3)
    slow = held.kit.test_a_slow_answer_is_not_waited_for_and_what_was_done_meanwhile_is_not_done_twice
    with pytest.raises((AssertionError, KeyError)):
        slow(fake, held.subject, impatient, held.reading, None)
    fake.faults.clear()


def test_an_adapter_that_believes_every_200_is_caught(fake):
    held = Held(fake, Credulous)
    with pytest.raises(AssertionError, match="raised None"):
        held.write("page of HTML")
    with pytest.raises(AssertionError, match="raised None"):
        held.kit.test_an_error_in_an_answer_of_200_is_an_error(fake, held.subject, None, held.writing)
    silent = Held(fake, Ledger, error_in_200="")
    with pytest.raises(AssertionError, match="give error_in_200"):
        silent.kit.test_an_error_in_an_answer_of_200_is_an_error(fake, silent.subject, silent.reading, None)


def test_an_error_that_is_none_of_ours_is_caught(fake):
    with pytest.raises(KeyError):
        Held(fake, Loose).read("404")
    fake.faults.clear()


def test_a_check_that_asks_nothing_is_caught(fake):
    held = Held(fake, Unasked)
    with pytest.raises(AssertionError, match="asks the service nothing"):
        held.kit.test_a_check_with_refused_credentials_says_no_and_raises_nothing(fake, held.subject)
    fake.faults.clear()


def test_a_check_that_blames_the_settings_for_an_outage_is_caught(fake):
    class Blaming(Ledger):
        name = "blaming"

        def check(self) -> CheckResult:
            try:
                return super().check()
            except PluginError as error:
                return CheckResult(ok=False, message=error.user_message)

    for adapter in (Ledger, Blaming):
        held = Held(fake, adapter)
        check = held.kit.test_a_check_while_the_service_is_away_says_nothing_about_the_settings
        if adapter is Ledger:
            check(fake, held.subject)
            continue
        with pytest.raises(pytest.fail.Exception):
            check(fake, held.subject)
        fake.faults.clear()


def test_an_answer_may_mean_something_else_for_a_reason_and_only_with_one(fake):
    because = "a hidden person is told as 403 there"
    Held(fake, Soothing, means={("find_by_email", 403): Means(None, because)}).read("403")
    with pytest.raises(AssertionError, match="not NotFound"):
        Held(fake, Ledger, means={("*", 403): Means(NotFound, because)}).read("403")
    with pytest.raises(AssertionError, match="say why"):
        Held(fake, Soothing, means={("find_by_email", 403): Means(None, "")}).read("403")


def test_the_vendors_own_words_reach_the_adapter(fake):
    seen = []

    class Listening(Ledger):
        name = "listening"

        def ask(self, *arguments: Any, **request: Any) -> Any:
            try:
                return super().ask(*arguments, **request)
            except PluginError as error:
                seen.append(error.message)
                raise

    def error(self: Any, status: int) -> Fault:
        return replace(Fault(status), body=b'{"code": "E17"}', headers={"X-Vendor": "1"})

    Held(fake, Listening, error=error).read("429 in seconds")
    assert "E17" in seen[0]


def test_an_adapter_without_a_fake_fails(pytester_of_kit):
    done = pytester_of_kit(
        """
        from plugins.testing import CRMConformance
        from tests.plugins.testing.ledger import Ledger

        class TestBare(CRMConformance):
            adapter = Ledger
        """,
        "-k",
        "credentials",
    )
    assert done.returncode == 1
    assert "give a fixture `fake`" in done.stdout
