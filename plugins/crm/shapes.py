"""What goes to a CRM and comes back: people, companies, owners, activities, meetings, changes, fields.

None in a value we send means "leave it as it is", "" means "clear it".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a reference leads to."""

    PERSON = "person"
    COMPANY = "company"
    ACTIVITY = "activity"
    MEETING = "meeting"
    OPPORTUNITY = "opportunity"


@dataclass(frozen=True, slots=True)
class Ref:
    """A record at the service. `url` opens it for a person, and is left out when it is no address of the web (a link
    of ours could run as a program otherwise); `created` tells that this call made it."""

    kind: Kind
    id: str
    url: str = ""
    created: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if not self.url.lower().startswith(("https://", "http://")):
            object.__setattr__(self, "url", "")


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
    service's. `ours`: the service says that it was this connection who changed it. `became`: the record that this one
    went into (merged, converted), when the service says so."""

    ref: Ref
    at: datetime
    values: Mapping[str, Any]
    deleted: bool = False
    ours: bool = False
    became: Ref | None = None


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
