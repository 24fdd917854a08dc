"""What a CRM adapter is: people, companies, owners, activities and meetings at the service where sales works.

None in a value we send means "leave it as it is", "" means "clear it". Every write carries `key`, the delivery's own:
the same call with the same key leaves one record, however often it comes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from plugins.adapter import Adapter, needs
from plugins.crm.shapes import (
    Account,
    Activity,
    ActivityKind,
    Change,
    Changes,
    Company,
    Conversion,
    Kind,
    Meeting,
    MeetingStatus,
    Owner,
    Person,
    Ref,
    RemoteField,
)

__all__ = [
    "Account",
    "Activity",
    "ActivityKind",
    "CRM",
    "Capability",
    "Change",
    "Changes",
    "Company",
    "Conversion",
    "Kind",
    "Meeting",
    "MeetingStatus",
    "Owner",
    "Person",
    "Ref",
    "RemoteField",
]


class Capability(StrEnum):
    """What a CRM may be able to do beyond `upsert_person`."""

    FIND = "find"
    COMPANY = "company"
    OWNER = "owner"
    ACCOUNT = "account"
    ACTIVITY = "activity"
    MEETING = "meeting"
    CONVERT = "convert"
    CHANGES = "changes"
    ERASE = "erase"
    FIELDS = "fields"
    READ = "read"
    HOOKS = "hooks"
    NAMES = "names"


class CRM(Adapter, ABC):
    """Knows one CRM's API. Raises `plugins.errors` and nothing else."""

    kind: ClassVar[str] = "crm"
    makes_fields: ClassVar[bool] = False
    """True: a field that `fields_of` does not list is made when it is first written."""

    @abstractmethod
    def upsert_person(self, person: Person, *, key: str) -> Ref:
        """Create the person, or change the one with this e-mail. InvalidInput names our field of a refused value."""

    @needs(Capability.FIND)
    def find_by_email(self, email: str) -> list[Ref]:
        """Everybody with this e-mail, without regard to case, the oldest first; duplicates are a fact of life."""
        raise NotImplementedError

    @needs(Capability.COMPANY)
    def upsert_company(self, company: Company, *, key: str) -> Ref:
        """Create the company, or change the one with this domain."""
        raise NotImplementedError

    @needs(Capability.OWNER)
    def owner_of(self, email: str) -> Owner | None:
        """Who owns the person with this e-mail; None when the person is unknown or nobody's."""
        raise NotImplementedError

    @needs(Capability.ACCOUNT)
    def account_by_domain(self, domain: str) -> Account | None:
        """The company of this registrable domain with its owner and flags, or None."""
        raise NotImplementedError

    @needs(Capability.NAMES)
    def companies_named(self, name: str) -> list[Ref]:
        """Companies of exactly this name, without regard to case and outer blanks, the oldest first."""
        raise NotImplementedError

    @needs(Capability.ACTIVITY)
    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        """Add to the person's history. NotFound when the person is gone."""
        raise NotImplementedError

    @needs(Capability.MEETING)
    def log_meeting(self, person: Ref, meeting: Meeting, *, key: str) -> Ref:
        """Add the meeting, or bring the one with this uid up to date. NotFound when the person is gone."""
        raise NotImplementedError

    @needs(Capability.CONVERT)
    def convert(self, person: Ref, *, key: str, company: Ref | None = None, opportunity: str = "") -> Conversion:
        """Make a lead a contact of `company`, with an opportunity of that name unless "". Twice is once."""
        raise NotImplementedError

    @needs(Capability.ERASE)
    def erase(self, person: Ref, *, key: str) -> None:
        """Delete the person with all that is filed under them, for good. One who is gone already is a success."""
        raise NotImplementedError

    @needs(Capability.FIELDS)
    def fields_of(self, kind: Kind) -> list[RemoteField]:
        """The fields of people or companies, to map ours to. In the service's order."""
        raise NotImplementedError

    @needs(Capability.READ)
    def people(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Person]:
        """What the service holds of these people now, by id; who is gone is left out. `fields`: the service's names of
        further values wanted. None in a Person: the service has no value there."""
        raise NotImplementedError

    @needs(Capability.READ)
    def companies(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Company]:
        """What the service holds of these companies now, by id; which is gone is left out."""
        raise NotImplementedError

    @needs(Capability.READ)
    def meetings(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        """What the service holds of these meetings now, by id; which is gone is left out."""
        raise NotImplementedError

    @needs(Capability.HOOKS)
    def told(self, data: Mapping[str, Any]) -> tuple[Change, ...]:
        """What a message that `hear` took says. May ask the service for what the message leaves out."""
        raise NotImplementedError

    @needs(Capability.CHANGES)
    def changes(self, cursor: str = "", *, limit: int = 200) -> Changes:
        """What changed since `cursor`; "" starts from now for services with history, else from the beginning.
        CursorExpired when the service forgot the place."""
        raise NotImplementedError
