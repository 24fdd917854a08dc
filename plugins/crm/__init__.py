"""What a CRM adapter is: people, companies, owners, activities and meetings at the service where sales works.

None in a value we send means "leave it as it is", "" means "clear it". Every write carries `key`, the delivery's own:
the same call with the same key leaves one record, however often it comes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from plugins.adapter import Adapter, needs


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


class Kind(StrEnum):
    """What a reference leads to."""

    PERSON = "person"
    COMPANY = "company"
    ACTIVITY = "activity"
    MEETING = "meeting"
    OPPORTUNITY = "opportunity"


@dataclass(frozen=True, slots=True)
class Ref:
    """A record at the service. `url` opens it for a person, `created` tells that this call made it."""

    kind: Kind
    id: str
    url: str = ""
    created: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Person:
    """A lead or contact, found by e-mail without regard to case. `fields`: further values by the service's own names.

    `owner_email` is the rep who owns the person. `opted_out` True means: never write to this person again.
    """

    email: str
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    title: str | None = None
    company: str | None = None
    company_ref: Ref | None = None
    country: str | None = None
    locale: str | None = None
    status: str | None = None
    source: str | None = None
    owner_email: str | None = None
    opted_out: bool | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Company:
    """An account, found by its registrable domain. `employees` is a head count; owner and csm are reps' e-mails."""

    domain: str
    name: str | None = None
    industry: str | None = None
    employees: int | None = None
    country: str | None = None
    phone: str | None = None
    is_customer: bool | None = None
    is_target: bool | None = None
    owner_email: str | None = None
    csm_email: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owner:
    """A user of the service who owns records. `active` False: left or away for good."""

    id: str
    email: str
    name: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """What the service knows of a company. None is "not known", which is not "no"."""

    ref: Ref
    domain: str
    name: str = ""
    industry: str | None = None
    employees: int | None = None
    country: str | None = None
    is_customer: bool | None = None
    is_target: bool | None = None
    owner: Owner | None = None
    csm: Owner | None = None


class ActivityKind(StrEnum):
    """What happened; a service without the kind stores a note."""

    NOTE = "note"
    CHAT = "chat"
    EMAIL = "email"
    CALL = "call"
    PAGE = "page"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that happened with a person, at an aware moment. `body` is plain text, `url` leads back to us."""

    kind: ActivityKind
    at: datetime
    subject: str
    body: str = ""
    url: str = ""


class MeetingStatus(StrEnum):
    """Where a meeting stands; RESCHEDULED carries the new times."""

    BOOKED = "booked"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    HELD = "held"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting over its whole life. `start` and `end` are aware, `zone` is the visitor's IANA zone.

    `uid` names the meeting at our side and stays: log_meeting with a known uid updates that record.
    `owner_email` is the rep who meets.
    """

    uid: str
    start: datetime
    end: datetime
    zone: str
    title: str
    status: MeetingStatus = MeetingStatus.BOOKED
    description: str = ""
    location: str = ""
    url: str = ""
    owner_email: str = ""
    guests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a lead became."""

    person: Ref
    company: Ref | None = None
    opportunity: Ref | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A record that changed there. `values` by our names where there is one (those of Person and Company), else by the
    service's. `ours`: the service says that it was this connection who changed it."""

    ref: Ref
    at: datetime
    values: Mapping[str, Any]
    deleted: bool = False
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """Oldest first. `cursor` continues after them; ask again at once while `more`."""

    items: tuple[Change, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class RemoteField:
    """One field of the service's records, standard or made by its admin (`custom`). `type` is text, number, boolean,
    date, moment, choice or choices; `choices` are the values allowed. `ours` is our name of it, "" when there is none.
    """

    name: str
    title: str
    type: str = "text"
    custom: bool = False
    required: bool = False
    writable: bool = True
    choices: tuple[str, ...] = ()
    ours: str = ""


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
