"""What every enrichment adapter must pass."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from plugins.enrichment import Capability, Facts
from plugins.errors import InvalidInput
from plugins.testing.conformance import requires
from plugins.testing.deeds import Reading
from plugins.testing.errors import ErrorTable

PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1", "nonsense"]
NO_ADDRESS = ["", "ada", "ada@", "@globex.example", "a b@globex.example", "ada@globex..example"]


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

    @requires(Capability.COMPANY_BY_IP)
    @pytest.mark.parametrize("ip", PRIVATE)
    def test_private_addresses_are_never_looked_up(self, subject: Any, ip: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            subject.company_by_ip(ip)
        assert caught.value.field == "ip"

    @requires(Capability.COMPANY_BY_DOMAIN)
    @pytest.mark.parametrize("domain", ["gmail.com", "GMX.de", "mailinator.com", "co.uk", "", "127.0.0.1"])
    def test_mail_providers_and_what_is_no_domain_are_no_companies(self, subject: Any, domain: str) -> None:
        assert subject.company_by_domain(domain).facts == {}

    @requires(Capability.PERSON_BY_EMAIL)
    @pytest.mark.parametrize("email", NO_ADDRESS)
    def test_what_is_no_address_is_told_and_not_raised(self, subject: Any, email: str) -> None:
        assert subject.person_by_email(email).value("email_valid") is False
