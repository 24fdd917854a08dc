"""What every enrichment adapter must pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from plugins.enrichment import Capability, Facts
from plugins.errors import InvalidInput, QuotaExhausted
from plugins.testing.conformance import requires
from plugins.testing.deeds import Reading
from plugins.testing.errors import ErrorTable
from plugins.testing.fakes import Fake
from plugins.testing.guard import exempt
from plugins.testing.table import Row

PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1", "nonsense"]
NO_ADDRESS = ["", "ada", "ada@", "@globex.example", "a b@globex.example", "ada@globex..example"]
NOBODY = {
    "company_by_ip": "198.35.26.97",
    "company_by_domain": "nobody-knows-this-company.example",
    "person_by_email": "nobody@nobody-knows-this-company.example",
}
SAID = {"email", "email_valid", "email_type", "domain"}
"""What the question says by itself."""
TYPES: dict[str, Any] = {"employees": int, "revenue": int, "tech": (list, tuple), "email_valid": bool, "crawler": bool}
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


class EnrichmentConformance(ErrorTable):
    """The author gives `fake`, and samples it knows; "" where the service does not answer that question."""

    known_ip: ClassVar[str] = ""
    known_domain: ClassVar[str] = ""
    known_email: ClassVar[str] = ""

    @pytest.fixture
    def reading(self) -> Reading | None:
        question, sample = next(iter(self._samples()))
        return Reading(question, lambda subject: getattr(subject, question)(sample))

    def _samples(self) -> list[tuple[str, str]]:
        samples = [
            ("company_by_ip", self.known_ip),
            ("company_by_domain", self.known_domain),
            ("person_by_email", self.known_email),
        ]
        assert any(sample for _, sample in samples), "give at least one known sample"
        return [(question, sample) for question, sample in samples if sample]

    def test_every_fact_has_a_source_and_a_confidence(self, subject: Any) -> None:
        answers = [getattr(subject, question)(sample) for question, sample in self._samples()]
        for answer in answers:
            assert isinstance(answer, Facts)
            assert answer.facts
            for fact in answer.facts.values():
                assert 0 <= fact.confidence <= 1
                assert fact.source
                assert fact.value is not None

    def test_facts_are_of_the_type_that_their_name_promises(self, subject: Any) -> None:
        for question, sample in self._samples():
            for name, fact in getattr(subject, question)(sample).facts.items():
                kind = TYPES.get(name, str)
                assert isinstance(fact.value, kind), f"{name} is {fact.value!r}"
                assert not (kind is int and isinstance(fact.value, bool))
                if name == "country":
                    assert re.fullmatch("[A-Z]{2}", fact.value), "ISO 3166: two capital letters"
                if name == "domain":
                    assert fact.value == fact.value.strip().lower()

    @pytest.mark.parametrize(("question", "sample"), NOBODY.items())
    def test_what_nobody_knows_is_an_empty_answer_and_no_error(self, subject: Any, question: str, sample: str) -> None:
        if question not in self.adapter.capabilities:
            exempt(f"{self.adapter.name} does not declare {question}")
        found = getattr(subject, question)(sample)
        guesses = {name: fact for name, fact in found.facts.items() if name not in SAID}
        assert all(fact.confidence < 0.5 for fact in guesses.values()), "a guess about nobody is sold as knowledge"
        assert not found.pending

    @requires(Capability.COMPANY_BY_IP)
    def test_both_kinds_of_public_addresses_are_looked_up(self, subject: Any) -> None:
        for ip in ("198.35.26.96", "2001:67c:930::1", self.known_ip or "198.35.26.96"):
            assert isinstance(subject.company_by_ip(ip), Facts)

    @requires(Capability.COMPANY_BY_IP)
    @pytest.mark.parametrize("ip", PRIVATE)
    def test_private_addresses_are_never_looked_up(self, subject: Any, ip: str, request: pytest.FixtureRequest) -> None:
        with self._asking_nobody(request), pytest.raises(InvalidInput) as caught:
            subject.company_by_ip(ip)
        assert caught.value.field == "ip"

    @requires(Capability.COMPANY_BY_DOMAIN)
    @pytest.mark.parametrize("domain", ["gmail.com", "GMX.de", "mailinator.com", "co.uk", "", "127.0.0.1"])
    def test_mail_providers_and_what_is_no_domain_are_no_companies(self, subject: Any, domain: str) -> None:
        assert subject.company_by_domain(domain).facts == {}

    @requires(Capability.DEVICE)
    def test_a_browser_says_what_it_is_and_a_robot_is_known(self, subject: Any) -> None:
        phone, robot = subject.device(PHONE), subject.device(ROBOT)
        assert (phone.value("device"), bool(phone.value("crawler"))) == ("mobile", False)
        assert robot.value("crawler") is True
        assert isinstance(subject.device(""), Facts)

    def test_an_allowance_that_is_used_up_is_told_as_that(self, failing: Fake, subject: Any, reading: Reading) -> None:
        self._reads(failing, subject, reading, Row("402", (QuotaExhausted,), (QuotaExhausted,), 402))

    @requires(Capability.PERSON_BY_EMAIL)
    @pytest.mark.parametrize("email", NO_ADDRESS)
    def test_what_is_no_address_is_told_and_not_raised(self, subject: Any, email: str) -> None:
        assert subject.person_by_email(email).value("email_valid") is False

    @contextmanager
    def _asking_nobody(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """Inside it nothing may be asked of the service."""
        fake = None if self.no_http else request.getfixturevalue("fake")
        asked = len(fake.asked) if fake else 0
        yield
        assert not fake or len(fake.asked) == asked, "the service was asked"
