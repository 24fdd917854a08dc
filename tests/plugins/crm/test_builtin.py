"""The built-in CRM keeps the contract, and what it keeps can be used for routing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plugins.crm import CRM, Company, Kind, Owner, Person
from plugins.crm.builtin import BuiltinCRM
from plugins.testing import CRMConformance
from plugins.testing.crm import ADA


class TestBuiltinCRM(CRMConformance):
    adapter = BuiltinCRM

    def count(self, subject: CRM, kind: Kind) -> int:
        return len(subject.records.list(f"crm.{kind}"))

    def test_a_late_repeat_of_an_old_write_does_not_undo_a_newer_one(self, subject: Any) -> None:
        subject.upsert_person(replace(ADA, title="CTO"), key="k1")
        subject.upsert_person(replace(ADA, title="CEO"), key="k2")
        ref = subject.upsert_person(replace(ADA, title="CTO"), key="k1")
        assert subject.records.get("crm.person", ref.id)["title"] == "CEO"

    def test_none_leaves_and_empty_clears(self, subject: Any) -> None:
        ref = subject.upsert_person(replace(ADA, fields={"tier": "gold", "seats": 5}), key="k1")
        subject.upsert_person(Person(ADA.email, phone="", fields={"seats": 6}), key="k2")
        kept = subject.records.get("crm.person", ref.id)
        assert (kept["name"], kept["phone"], kept["fields"]) == ("Ada Lovelace", "", {"tier": "gold", "seats": 6})

    def test_the_rep_who_got_the_person_owns_it(self, subject: Any) -> None:
        subject.upsert_person(replace(ADA, owner_email="grace@acme.example"), key="k1")
        assert subject.owner_of("ADA@globex.example") == Owner("grace@acme.example", "grace@acme.example")

    def test_an_account_tells_owner_csm_and_flags(self, subject: Any) -> None:
        people = {"owner_email": "grace@acme.example", "csm_email": "joan@acme.example"}
        subject.upsert_company(Company("globex.example", is_customer=True, **people), key="k1")
        account = subject.account_by_domain("globex.example")
        assert (account.owner.email, account.csm.email) == ("grace@acme.example", "joan@acme.example")
        assert (account.is_customer, account.is_target) == (True, None)

    @pytest.mark.parametrize("domain", ["", "globex"])
    def test_a_company_without_a_domain_is_refused(self, subject: Any, domain: str) -> None:
        with pytest.raises(Exception, match="domain") as caught:
            subject.upsert_company(Company(domain), key="k1")
        assert caught.value.field == "domain"
