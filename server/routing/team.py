"""team.yml: the people who meet visitors, the pools they share meetings in, the queues they take chats from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from server.config.problems import shown
from server.config.schema import Day, Holidays, Identifier, Part, TimeText, Zone
from server.links import Link

STEP_MINUTES = 5


def on_the_step(minutes: int) -> int:
    """Meetings lie on five-minute cells (booking/tables.py), so everything that moves their edges is a multiple."""
    if minutes % STEP_MINUTES:
        raise ValueError(f"allowed a multiple of {STEP_MINUTES} minutes")
    return minutes


def _time_on_the_step(value: str) -> str:
    on_the_step(int(value[-2:]))
    return value


Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 60), AfterValidator(on_the_step)]
StepTime = Annotated[TimeText, AfterValidator(_time_on_the_step)]


class Span(Part):
    """Local wall-clock hours of one date; an end not after the start is on the next date."""

    start: StepTime
    end: StepTime

    @model_validator(mode="after")
    def _starts_in_the_day(self) -> Span:
        if self.start == "24:00":
            raise ValueError('found the start "24:00", allowed up to "23:55"; "00:00" of the next day is the same time')
        return self


class WeeklyHours(Span):
    """Hours of some days of the week; `days` name the date on which they start."""

    days: list[Day] = Field(min_length=1)


class Override(Part):
    """A date with hours of its own instead of the weekly ones; no hours: a day off."""

    date: dt.date
    hours: list[Span]


class Trip(Part):
    """Dates, both included, on which the hours are read in another zone."""

    from_: dt.date = Field(alias="from")
    to: dt.date
    zone: Zone

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Trip:
        if self.to < self.from_:
            raise ValueError(f"found the end {self.to} before the start {self.from_}, allowed a later date")
        return self


class Limits(Part):
    """The most meetings that start on one local date, and in one week from Monday."""

    per_day: int | None = Field(None, ge=0)
    per_week: int | None = Field(None, ge=0)


class Location(Part):
    """Where a meeting takes place. video: `url` of the rep's room, or a link made by the calendar service."""

    kind: Literal["video", "phone", "in_person"] = "video"
    url: Link = Field("", description="Address of the video room")
    address: str = Field("", description="Where to come, for in_person")


class Rep(Part):
    """A person who meets visitors."""

    id: Identifier
    name: str = Field(min_length=1, max_length=120)
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    phone: str = Field("", pattern=r"^(\+[1-9]\d{6,14})?$", description="Mobile, for alerts, such as +4915112345678")
    zone: Zone
    role: str = Field("", max_length=60, description="Any word of yours, such as ae or csm")
    languages: list[str] = []
    weight: float = Field(100, ge=0, le=10_000, description="Share in balanced pools, beside the others' weights")
    priority: float = Field(2, description="Higher is asked first in pools with policy availability")
    hours: list[WeeklyHours] = []
    overrides: list[Override] = []
    travel: list[Trip] = []
    holidays: Holidays | None = Field(None, description="Public holidays; left out: those of site.yml")
    limits: Limits = Limits()
    location: Location | None = None
    calendar: str = Field("", description="The calendar's id at the calendar service; left out: the e-mail address")
    buffer_before_minutes: Minutes | None = Field(None, description="Instead of the meeting's own")
    buffer_after_minutes: Minutes | None = None
    notice_minutes: int | None = Field(None, ge=0)
    active: bool = Field(True, description="false: gets nothing new")

    @property
    def calendar_id(self) -> str:
        """How the calendar service knows this rep's calendar."""
        return self.calendar or self.email


class Credit(Part):
    """When a rep gets a turn back: for a cancelled or missed meeting, a lead that was disqualified."""

    cancelled: bool = True
    no_show: bool = True
    disqualified: bool = False
    late_cancel_minutes: int = Field(0, ge=0, description="Cancelled by the visitor later than this: no credit")


class Pool(Part):
    """Reps who share meetings. Pools with the same `counter` share one account of turns."""

    id: Identifier
    members: list[Identifier] = Field(min_length=1)
    policy: Literal["balanced", "availability", "strict"] = "balanced"
    max_lead: int | None = Field(None, ge=1)
    period: Literal["day", "week", "month", "quarter", "rolling"] = "month"
    rolling_days: int = Field(30, ge=1, le=366, description="Length of the rolling period")
    zone: Zone = "UTC"
    credit: Credit = Credit()
    weights: dict[Identifier, float] = Field({}, description="Instead of the reps' own weights")
    priorities: dict[Identifier, float] = Field({}, description="Instead of the reps' own priorities")
    counter: Identifier = ""

    @property
    def account(self) -> str:
        """The name of its account in the ledger."""
        return self.counter or self.id


class Sla(Part):
    """How soon a waiting visitor is answered. clock: business counts opening hours, wall always."""

    hot_seconds: int = Field(120, ge=1)
    standard_seconds: int = Field(300, ge=1)
    clock: Literal["business", "wall"] = "business"


class Queue(Part):
    """Reps who take over running chats."""

    id: Identifier
    members: list[Identifier] = Field(min_length=1)
    sla: Sla = Sla()
    after_hours: Literal["booking", "queue"] | None = Field(None, description="Instead of routing.yml's")


class Team(Part):
    """team.yml."""

    FILE: ClassVar[str] = "team.yml"

    reps: list[Rep] = []
    pools: list[Pool] = []
    queues: list[Queue] = []

    @model_validator(mode="after")
    def _ids_once(self) -> Team:
        for kind, entries in (("rep", self.reps), ("pool", self.pools), ("queue", self.queues)):
            refuse_doubles(kind, [entry.id for entry in entries])
        return self

    @cached_property
    def reps_by_id(self) -> dict[str, Rep]:
        return {rep.id: rep for rep in self.reps}

    @cached_property
    def pools_by_id(self) -> dict[str, Pool]:
        return {pool.id: pool for pool in self.pools}

    @cached_property
    def queues_by_id(self) -> dict[str, Queue]:
        return {queue.id: queue for queue in self.queues}

    def rep_named(self, name: object) -> Rep | None:
        """The active rep of this id or e-mail address: CRMs name owners by address."""
        wanted = str(name or "").casefold()
        found = (rep for rep in self.reps if rep.active and wanted in (rep.id, rep.email.casefold()))
        return next(found, None)


def refuse_doubles(kind: str, ids: Sequence[str]) -> None:
    """Raise ValueError for an id that stands twice."""
    for number, one in enumerate(ids):
        if one in ids[:number]:
            raise ValueError(f"found the {kind} {shown(one)} twice, allowed every id once")
