"""What CRM adapters must pass beyond people and companies: reading back, fields, changes, calls, lost answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from plugins.crm import CRM, Capability, Change, Company, Kind, Person, Ref
from plugins.emails import fold
from plugins.errors import CursorExpired, PluginError
from plugins.testing.conformance import requires
from plugins.testing.crm_samples import ADA, DEMO, WRITINGS
from plugins.testing.deeds import Writing, fresh
from plugins.testing.errors import ErrorTable
from plugins.testing.fakes import Fake
from plugins.testing.guard import exempt, left_out
from plugins.testing.hooks import HookCalls, HookConformance

FIELD_TYPES = {"text", "number", "boolean", "date", "moment", "choice", "choices"}
Edit = Callable[..., Any]


class CRMSides(HookConformance, ErrorTable):
    """`edit(ref, **values)` changes a person at the fake as another user does, by the names of `Person`; `remove(ref)`
    deletes one. `seed(n)` makes n people there, and gives their refs; `many` of them are more than one page."""

    hears = Capability.HOOKS
    many: ClassVar[int] = 12

    def count(self, subject: CRM, kind: Kind) -> int:
        """How many records of this kind the service holds."""
        raise NotImplementedError

    @pytest.fixture
    def edit(self) -> Edit:
        left_out("the fake changes nothing as another user would")

    @pytest.fixture
    def remove(self) -> Edit:
        left_out("the fake deletes nothing as another user would")

    @pytest.fixture
    def seed(self, subject: Any) -> Callable[[int], list[Ref]]:
        def made(n: int) -> Ref:
            ref: Ref = subject.upsert_person(replace(ADA, email=f"ada{n}@globex.example"), key=f"seed {n}")
            return ref

        return lambda times: [made(fresh()) for _ in range(times)]

    @requires(Capability.FIELDS)
    @pytest.mark.parametrize("kind", [Kind.PERSON, Kind.COMPANY])
    def test_the_fields_of_the_service_are_told_with_type_and_choices(self, subject: Any, kind: Kind) -> None:
        fields = subject.fields_of(kind)
        names = [field.name for field in fields]
        assert fields
        assert len(names) == len(set(names))
        assert {field.type for field in fields} <= FIELD_TYPES
        assert all(field.name and field.title for field in fields)
        assert all(field.choices for field in fields if field.type in ("choice", "choices") and field.writable)
        ours = [field.ours for field in fields if field.ours]
        assert len(ours) == len(set(ours)), "two fields of theirs are one of ours"

    @requires(Capability.READ)
    def test_what_was_written_of_people_is_read_back(self, subject: Any) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        bob = subject.upsert_person(Person("bob@globex.example", name="Bob Noyce"), key="k2")
        found = subject.people([ada, bob])
        assert set(found) == {ada.id, bob.id}
        assert fold(found[ada.id].email) == ADA.email
        assert _name_of(found[ada.id]) == ADA.name
        assert (found[ada.id].title, found[bob.id].title) == (ADA.title, None)
        assert subject.people([]) == {}

    @requires(Capability.READ)
    def test_who_is_gone_is_left_out_of_what_is_read(self, subject: Any, remove: Edit) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        bob = subject.upsert_person(Person("bob@globex.example", name="Bob Noyce"), key="k2")
        remove(bob)
        assert set(subject.people([ada, bob])) == {ada.id}

    @requires(Capability.READ)
    def test_people_are_read_also_when_they_are_more_than_one_page(
        self, subject: Any, seed: Callable[[int], list[Ref]]
    ) -> None:
        refs = seed(self.many)
        assert set(subject.people(refs)) == {ref.id for ref in refs}

    @requires(Capability.READ)
    def test_what_was_written_of_companies_is_read_back(self, subject: Any) -> None:
        if Capability.COMPANY not in self.adapter.capabilities:
            exempt("it writes no companies")
        ref = subject.upsert_company(Company("globex.example", name="Globex", employees=800), key="k1")
        found = subject.companies([ref])[ref.id]
        assert (found.domain, found.name, found.employees) == ("globex.example", "Globex", 800)

    @requires(Capability.READ)
    def test_what_was_written_of_meetings_is_read_back(self, subject: Any) -> None:
        if Capability.MEETING not in self.adapter.capabilities:
            exempt("it writes no meetings")
        ref = subject.log_meeting(subject.upsert_person(ADA, key="k1"), DEMO, key="m1")
        found = subject.meetings([ref])[ref.id]
        assert (found.start, found.end, found.title) == (DEMO.start, DEMO.end, DEMO.title)

    @requires(Capability.CHANGES)
    def test_changes_by_others_are_told_by_our_names_and_are_not_ours(self, subject: Any, edit: Edit) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        start = self._up_to_now(subject)
        edit(ada, title="CEO")
        told = [change for change in self._since(subject, start) if change.ref == ada and change.values.get("title")]
        assert [(change.values["title"], change.ours, change.deleted) for change in told] == [("CEO", False, False)]
        assert all(change.at.tzinfo for change in told)

    @requires(Capability.CHANGES)
    def test_a_person_who_was_deleted_is_told_as_deleted(self, subject: Any, remove: Edit) -> None:
        ada = subject.upsert_person(ADA, key="k1")
        start = self._up_to_now(subject)
        remove(ada)
        assert [change.ref.id for change in self._since(subject, start) if change.deleted] == [ada.id]

    @requires(Capability.CHANGES)
    def test_changes_come_page_by_page_without_loss_and_in_order(
        self, subject: Any, seed: Callable[[int], list[Ref]]
    ) -> None:
        start = self._up_to_now(subject)
        refs = seed(5)
        told, cursor, more = [], start, True
        while more:
            page = subject.changes(cursor, limit=2)
            assert len(page.items) <= 2
            assert page.items or not page.more
            told += page.items
            cursor, more = page.cursor, page.more
        assert {ref.id for ref in refs} <= {change.ref.id for change in told}
        assert [change.at for change in told] == sorted(change.at for change in told)

    @requires(Capability.CHANGES)
    def test_a_cursor_nobody_gave_asks_for_a_new_start(self, subject: Any) -> None:
        with pytest.raises(CursorExpired):
            subject.changes("no such place")

    def test_what_the_service_tells_by_calling_us_is_a_change_of_a_record(
        self, subject: Any, called: HookCalls
    ) -> None:
        changes = [change for message in subject.hear(called()).messages for change in subject.told(message.data)]
        assert changes
        assert all(isinstance(change, Change) and change.ref.id and change.at.tzinfo for change in changes)

    def test_a_message_of_something_else_tells_nothing(self, subject: Any, called: HookCalls) -> None:
        assert called().url
        with suppress(PluginError):
            assert subject.told({"something": "else"}) == ()

    @pytest.mark.parametrize("deed", ["upsert_company", "log_activity", "log_meeting", "convert"])
    def test_whichever_answer_is_lost_the_same_key_makes_one_record_of_each_kind(
        self, failing: Fake, subject: Any, deed: str
    ) -> None:
        capability = WRITINGS[deed][0]
        if capability not in self.adapter.capabilities:
            exempt(f"{self.adapter.name} does not declare {capability}")
        self._loses_each(failing, subject, self._writing(deed))

    @pytest.fixture
    def writings(self) -> list[Writing]:
        return self._writings()

    def _writings(self) -> list[Writing]:
        return [self._writing(deed) for deed, (needs, *_) in WRITINGS.items() if needs in self.adapter.capabilities]

    def _writing(self, deed: str) -> Writing:
        _, prepare, run, kind = WRITINGS[deed]
        sign = -1 if deed == "erase" else 1
        return Writing(deed, run, lambda crm, n: sign * self.count(crm, kind), prepare=prepare)

    def _up_to_now(self, subject: Any) -> str:
        page = subject.changes()
        while page.more:
            page = subject.changes(page.cursor)
        return str(page.cursor)

    def _since(self, subject: Any, cursor: str) -> list[Change]:
        told, more = [], True
        while more:
            page = subject.changes(cursor)
            told += page.items
            cursor, more = page.cursor, page.more
        return told


def _name_of(person: Person) -> str:
    return person.name or " ".join(filter(None, (person.first_name, person.last_name)))
