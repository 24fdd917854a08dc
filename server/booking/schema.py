"""meetings.yml: what can be booked."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from server.config.problems import Problem, unknown_name
from server.config.schema import Identifier, Part, Zone
from server.config.version import Version
from server.expressions import LocaleText
from server.routing.schema import Team
from server.routing.team import Limits, Location, Minutes, on_the_step, refuse_doubles

Length = Annotated[int, Field(ge=5, le=60 * 12), AfterValidator(on_the_step)]


class RollingDays(Part):
    """So many days after today, that last date included."""

    kind: Literal["rolling_days"]
    days: int = Field(ge=0, le=730)
    zone: Zone | None = Field(None, description="On whose date; left out: the site's")


class Dates(Part):
    """From one date to another, both included."""

    kind: Literal["dates"]
    from_: dt.date = Field(alias="from")
    to: dt.date
    zone: Zone | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Dates:
        if self.to < self.from_:
            raise ValueError(f"found the end {self.to} before the start {self.from_}, allowed a later date")
        return self


class Question(Part):
    """Something to ask the visitor before the meeting."""

    id: Identifier
    label: LocaleText
    required: bool = False


class MeetingType(Part):
    """A kind of meeting. `hosts`: how many members of the pool take part; collective means all of them."""

    id: Identifier
    name: LocaleText
    duration_minutes: Length
    step_minutes: Length | None = Field(None, description="Between starts; left out: the duration")
    buffer_before_minutes: Minutes = 0
    buffer_after_minutes: Minutes = 0
    notice_minutes: int = Field(60, ge=0, le=60 * 24 * 366)
    window: Annotated[RollingDays | Dates, Field(discriminator="kind")] = RollingDays(kind="rolling_days", days=30)
    assignment: Literal["round_robin", "collective"] = "round_robin"
    hosts: int = Field(1, ge=1, le=20)
    pool: Identifier | None = None
    location: Location = Location()
    locations: list[Location] = Field([], description="Instead of `location`: several, of which the visitor chooses")
    questions: list[Question] = []
    reminders_minutes: list[Annotated[int, Field(ge=5, le=60 * 24 * 30)]] = [1440, 60]
    description: LocaleText = LocaleText.parse("")
    first_of_day: int | None = Field(None, ge=1, description="Only the first so many open times of a day can be booked")
    limits: Limits = Field(Limits(), description="The most of these meetings that one rep takes in a day, in a week")

    @property
    def step(self) -> int:
        """Minutes between starts."""
        return self.step_minutes or self.duration_minutes

    @property
    def places(self) -> list[Location]:
        """Where it can take place: one, or those that the visitor chooses from, the first by default."""
        return self.locations or [self.location]

    def place(self, kind: str) -> Location:
        """The place of this kind (`meetings.place`); the first one for "" or a kind that is not offered any more."""
        return next((one for one in self.places if one.kind == kind), self.places[0])

    @model_validator(mode="after")
    def _places_once(self) -> MeetingType:
        kinds = [one.kind for one in self.locations]
        if len(set(kinds)) < len(kinds):
            raise ValueError("found two locations of one kind, allowed each of video, phone and in_person once")
        if self.locations and "location" in self.model_fields_set:
            raise ValueError("found both location and locations, allowed one of them")
        return self

    def named(self, locale: str) -> str:
        """Its name in a language."""
        return self.name.in_locale(locale).render({})

    def described(self, locale: str) -> str:
        """Its description in a language."""
        return self.description.in_locale(locale).render({})


class Meetings(Part):
    """meetings.yml."""

    FILE: ClassVar[str] = "meetings.yml"

    meetings: list[MeetingType] = []

    @model_validator(mode="after")
    def _ids_once(self) -> Meetings:
        refuse_doubles("meeting", [meeting.id for meeting in self.meetings])
        return self

    @cached_property
    def by_id(self) -> dict[str, MeetingType]:
        return {meeting.id: meeting for meeting in self.meetings}


def check_meetings(version: Version) -> list[Problem]:
    """Pools exist and are large enough for the hosts wanted."""
    pools = version.part(Team).pools_by_id
    problems = []
    for number, meeting in enumerate(version.part(Meetings).meetings):
        where: tuple[int | str, ...] = ("meetings", number)
        if meeting.pool is not None and meeting.pool not in pools:
            wrong = unknown_name(meeting.pool, pools, "a pool")
            problems.append(version.problem(Meetings.FILE, (*where, "pool"), wrong))
        elif meeting.pool is not None and meeting.hosts > (size := len(pools[meeting.pool].members)):
            wrong = f"found {meeting.hosts}, allowed up to {size}, the members of the pool {meeting.pool}"
            problems.append(version.problem(Meetings.FILE, (*where, "hosts"), wrong))
    return problems
