"""What every enrichment adapter must pass."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from plugins.enrichment import Capability, Facts
from plugins.errors import InvalidInput
from plugins.testing.conformance import Conformance, requires

PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1", "nonsense"]
NO_ADDRESS = ["", "ada", "ada@", "@globex.example", "a b@globex.example", "ada@globex..example"]


class EnrichmentConformance(Conformance):
    """The author gives samples the fake knows; "" where the service does not answer that question."""

    known_ip: ClassVar[str] = ""
    known_domain: ClassVar[str] = ""
    known_email: ClassVar[str] = ""

    def test_every_fact_has_a_source_and_a_confidence(self, subject: Any) -> None:
        answers = [
            getattr(subject, question)(sample)
            for question, sample in (
                ("company_by_ip", self.known_ip),
                ("company_by_domain", self.known_domain),
                ("person_by_email", self.known_email),
            )
            if sample
        ]
        assert answers, "give at least one known sample"
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
