"""The built-in CRM keeps the contract, and what it keeps can be used for routing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from plugins.crm import CRM, Company, Kind, Owner, Person, Ref
from plugins.crm.builtin import BuiltinCRM
from plugins.testing import CRMConformance
from plugins.testing.crm import ADA, DEMO


class TestBuiltinCRM(CRMConformance):
    adapter = BuiltinCRM
    no_http = "keeps everything in Usher's own database"

    def count(self, subject: CRM, kind: Kind) -> int:
        return len(subject.records.list(f"crm.{kind}"))

    @pytest.fixture
    def edit(self, subject: Any) -> Any:
        return lambda ref, **values: subject.edit(ref, values)

    @pytest.fixture
    def remove(self, subject: Any) -> Any:
        return lambda ref: subject.erase(ref, key=f"remove {ref.id}")

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

    def test_a_person_is_read_as_it_is_now_with_the_fields_asked_for(self, subject: Any) -> None:
        ref = subject.upsert_person(replace(ADA, fields={"tier": "gold", "seats": 5}), key="k1")
        gone = Ref(Kind.PERSON, "per_gone")
        assert subject.people([ref, gone], fields=["tier"]) == {ref.id: replace(ADA, fields={"tier": "gold"})}

    def test_a_company_and_a_meeting_are_read_as_they_are_now(self, subject: Any) -> None:
        ref = subject.upsert_company(Company("globex.example", name="Globex", is_customer=False), key="k1")
        assert subject.companies([ref])[ref.id] == Company("globex.example", name="Globex", is_customer=False)
        logged = subject.log_meeting(subject.upsert_person(ADA, key="k2"), DEMO, key="m1")
        assert subject.meetings([logged]) == {logged.id: DEMO}

    def test_what_somebody_edits_by_hand_is_a_change_that_is_not_ours(self, subject: Any) -> None:
        ref = subject.upsert_person(ADA, key="k1")
        seen = subject.changes()
        assert [change.ours for change in seen.items] == [True]
        subject.edit(ref, {"title": "CEO", "tier": "gold"})
        (change,) = subject.changes(seen.cursor).items
        assert (change.ref, change.ours, change.values) == (ref, False, {"title": "CEO", "tier": "gold"})
        assert subject.people([ref], fields=["tier"])[ref.id] == replace(ADA, title="CEO", fields={"tier": "gold"})

    def test_a_field_that_was_made_by_writing_it_can_be_mapped_to(self, subject: Any) -> None:
        assert "seats" not in {field.name for field in subject.fields_of(Kind.PERSON)}
        subject.upsert_person(replace(ADA, fields={"seats": 5}), key="k1")
        fields = {field.name: field for field in subject.fields_of(Kind.PERSON)}
        assert fields["seats"].custom
        assert (fields["title"].ours, fields["score"].type) == ("title", "number")

    def test_companies_are_found_by_their_whole_name(self, subject: Any) -> None:
        ref = subject.upsert_company(Company("globex.example", name="Globex"), key="k1")
        subject.upsert_company(Company("globex-bank.example", name="Globex Bank"), key="k2")
        assert subject.companies_named(" globex") == [ref]
        assert subject.companies_named("") == []
