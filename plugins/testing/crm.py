"""What every CRM adapter must pass."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from plugins.crm import CRM, Capability, Company, Kind, MeetingStatus, Person, Ref
from plugins.errors import InvalidInput, NotFound
from plugins.testing.conformance import at_once, requires
from plugins.testing.crm_samples import ADA, CHAT, DEMO, NOON
from plugins.testing.crm_sides import CRMSides
from plugins.testing.deeds import Reading, Writing
from plugins.testing.guard import exempt

__all__ = ["ADA", "CHAT", "DEMO", "NOON", "CRMConformance"]
READINGS = {
    Capability.FIND: Reading("find_by_email", lambda crm: crm.find_by_email(ADA.email)),
    Capability.ACCOUNT: Reading("account_by_domain", lambda crm: crm.account_by_domain("globex.example")),
    Capability.OWNER: Reading("owner_of", lambda crm: crm.owner_of(ADA.email)),
}


class CRMConformance(CRMSides):
    """The author gives `fake` and `count`. Tests of a capability that is not declared are skipped.

    `unknown_id` is shaped like an id of the service and nobody's. `no_unique_email`: why two who write one e-mail at
    the same moment may make two records there. Usher itself tells of a lead in order.
    """

    unknown_id: ClassVar[str] = "999999"
    no_unique_email: ClassVar[str] = ""

    @pytest.fixture
    def reading(self) -> Reading | None:
        return next((READINGS[one] for one in READINGS if one in self.adapter.capabilities), None)

    @pytest.fixture
    def writing(self) -> Writing | None:
        def upsert(crm: CRM, n: int, key: str) -> Ref:
            return crm.upsert_person(replace(ADA, email=f"ada{n}@globex.example"), key=key)

        return Writing("upsert_person", upsert, lambda crm, n: self.count(crm, Kind.PERSON))

    def test_check_names_the_account_by_an_id_that_stays(self, subject: Any) -> None:
        assert subject.check().account_id
        assert subject.check().account_id == subject.check().account_id

    def test_upserting_a_person_twice_keeps_one_record(self, subject: Any) -> None:
        first, second = subject.upsert_person(ADA, key="k1"), subject.upsert_person(ADA, key="k2")
        assert first == second
        assert (first.created, second.created) == (True, False)
        assert self.count(subject, Kind.PERSON) == 1

    def test_eight_at_once_with_one_email_make_one_person(self, subject: Any) -> None:
        if self.no_unique_email:
            exempt(f"e-mails are not unique there: {self.no_unique_email}")
        refs = at_once(lambda n: subject.upsert_person(replace(ADA, title=f"CTO {n}"), key=f"k{n}"))
        assert len(set(refs)) == 1
        assert sum(ref.created for ref in refs) == 1
        assert self.count(subject, Kind.PERSON) == 1

    @pytest.mark.parametrize("other", ["ADA@Globex.Example", " ada@globex.example ", "Ada@GLOBEX.example"])
    def test_case_and_blanks_do_not_make_another_person(self, subject: Any, other: str) -> None:
        assert subject.upsert_person(ADA, key="k1") == subject.upsert_person(replace(ADA, email=other), key="k2")

    def test_an_email_in_either_unicode_form_is_one_person(self, subject: Any) -> None:
        composed, decomposed = (unicodedata.normalize(form, "jürgen@bücher.example") for form in ("NFC", "NFD"))
        one = subject.upsert_person(replace(ADA, email=composed), key="k1")
        assert subject.upsert_person(replace(ADA, email=decomposed), key="k2") == one
        assert subject.upsert_person(replace(ADA, email="jürgen@xn--bcher-kva.example"), key="k3") == one

    def test_what_is_no_email_is_refused_by_field(self, subject: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            subject.upsert_person(replace(ADA, email="ada"), key="k1")
        assert caught.value.field == "email"

    @requires(Capability.FIND)
    def test_a_person_is_found_by_email_in_any_case(self, subject: Any) -> None:
        ref = subject.upsert_person(ADA, key="k1")
        assert subject.find_by_email("ADA@globex.EXAMPLE") == [ref]
        assert subject.find_by_email("grace@globex.example") == []

    @requires(Capability.OWNER)
    def test_nobody_owns_an_unknown_person(self, subject: Any) -> None:
        assert subject.owner_of("nobody@globex.example") is None

    @requires(Capability.ACCOUNT)
    def test_a_company_is_found_by_domain_and_kept_values_stay(self, subject: Any) -> None:
        subject.upsert_company(Company("globex.example", name="Globex", employees=800), key="k1")
        subject.upsert_company(Company("Globex.example", industry="Energy"), key="k2")
        account = subject.account_by_domain("GLOBEX.example")
        assert (account.name, account.employees, account.industry) == ("Globex", 800, "Energy")
        assert account.is_customer is None
        assert self.count(subject, Kind.COMPANY) == 1

    @requires(Capability.ACCOUNT)
    def test_an_unknown_domain_is_no_account(self, subject: Any) -> None:
        assert subject.account_by_domain("initech.example") is None

    @requires(Capability.ACTIVITY)
    def test_the_same_key_logs_one_activity_and_another_key_a_second(self, subject: Any) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        assert subject.log_activity(ada, CHAT, key="k2") == subject.log_activity(ada, CHAT, key="k2")
        assert self.count(subject, Kind.ACTIVITY) == 1
        subject.log_activity(ada, CHAT, key="k3")
        assert self.count(subject, Kind.ACTIVITY) == 2

    @requires(Capability.ACTIVITY)
    def test_nothing_is_logged_for_a_person_who_is_gone(self, subject: Any) -> None:
        with pytest.raises(NotFound):
            subject.log_activity(Ref(Kind.PERSON, self.unknown_id), CHAT, key="k1")

    @requires(Capability.MEETING)
    def test_a_meeting_keeps_one_record_from_booking_to_no_show(self, subject: Any) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        booked = subject.log_meeting(ada, DEMO, key="m1")
        later = replace(DEMO, start=NOON + timedelta(days=1), end=NOON + timedelta(days=1, minutes=30))
        moved = replace(later, status=MeetingStatus.RESCHEDULED)
        assert subject.log_meeting(ada, moved, key="m2") == booked
        assert subject.log_meeting(ada, replace(later, status=MeetingStatus.NO_SHOW), key="m3") == booked
        assert self.count(subject, Kind.MEETING) == 1

    @requires(Capability.CONVERT)
    def test_converting_twice_makes_one_opportunity(self, subject: Any) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        first = subject.convert(ada, key="c1", opportunity="Globex: 800 seats")
        assert subject.convert(ada, key="c1", opportunity="Globex: 800 seats") == first
        assert self.count(subject, Kind.OPPORTUNITY) == 1

    @requires(Capability.CHANGES)
    def test_changes_continue_where_the_cursor_stood(self, subject: Any) -> None:
        start = subject.changes().cursor
        ada = subject.upsert_person(ADA, key="k1")
        seen = subject.changes(start)
        assert ada in [change.ref for change in seen.items]
        assert subject.changes(seen.cursor).items == ()

    @requires(Capability.ERASE)
    def test_an_erased_person_is_gone_with_their_history_and_others_stay(self, subject: Any) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        grace = subject.upsert_person(Person("grace@globex.example", name="Grace Hopper"), key="k2")
        if Capability.ACTIVITY in subject.capabilities:
            subject.log_activity(ada, CHAT, key="k3")
        subject.erase(ada, key="e1")
        subject.erase(ada, key="e1")
        assert self.count(subject, Kind.PERSON) == 1
        assert self.count(subject, Kind.ACTIVITY) == 0
        if Capability.FIND in subject.capabilities:
            assert subject.find_by_email(ADA.email) == []
            assert subject.find_by_email("grace@globex.example") == [grace]
