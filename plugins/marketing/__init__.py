"""What a marketing automation adapter is: it holds prospects, enrols them in streams and hears what they did."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from plugins.adapter import Adapter, needs


class Capability(StrEnum):
    """What a service may be able to do beyond holding prospects."""

    ENROL = "enrol"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Prospect:
    """A person by e-mail, without regard to case. None leaves a value as it is; `fields` go by the service's names."""

    email: str
    name: str | None = None
    company: str | None = None
    locale: str | None = None
    score: float | None = None
    opted_out: bool | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


class EnrolmentState(StrEnum):
    """PAUSED keeps the place, STOPPED ends the stream for this person."""

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Where a person is in a stream."""

    email: str
    stream: str
    state: EnrolmentState
    at: datetime


class Marketing(Adapter, ABC):
    """Knows one marketing service. Every write carries the delivery's key; twice is once."""

    kind: ClassVar[str] = "marketing"

    @abstractmethod
    def upsert(self, prospect: Prospect, *, key: str) -> str:
        """Create or change the prospect; its id at the service."""

    @needs(Capability.ENROL)
    def enrol(self, enrolment: Enrolment, *, key: str) -> None:
        """Bring the person to `state` in the stream; the latest `at` counts. Enrolling somebody who opted out is
        refused with InvalidInput(field="email")."""
        raise NotImplementedError

    @needs(Capability.EVENTS)
    def event(self, email: str, name: str, at: datetime, data: Mapping[str, Any], *, key: str) -> None:
        """Tell that the person did something (`noun.past_verb`) at an aware moment."""
        raise NotImplementedError
