"""crm.yml: which of our values goes to which field of the CRM and back, what may be made and changed there, how its
records are recognised."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from server.config.problems import did_you_mean
from server.config.schema import Part
from server.sync.ours import COMPANIES, NAMED, OPEN, PEOPLE, STANDARD, field_of

OUT, IN, BOTH = "out", "in", "both"
Interaction = Literal[
    "transcript", "handoff", "takeover", "question", "qualified", "mail", "invitation", "visit", "tracked", "enrolled",
    "disqualified",
]  # fmt: skip
INTERACTIONS: tuple[Interaction, ...] = get_args(Interaction)


def _ours(name: str) -> str:
    if field_of(name) is None:
        raise ValueError(
            f"allowed one of our values, such as lead.title, account.industry or answers.need"
            f"{did_you_mean(name, [*NAMED, *OPEN])}"
        )
    return name


def _theirs(name: str) -> str:
    if not 1 <= len(name.strip()) <= 120 or name != name.strip():
        raise ValueError("allowed the name of a field, up to 120 characters")
    return name


Ours = Annotated[str, AfterValidator(_ours), Field(description="Our value, such as lead.title or answers.need")]
Theirs = Annotated[str, AfterValidator(_theirs)]


class Records(Part):
    """What may be done with records of one kind."""

    new: Literal["create", "never"] = Field("create", description="May a record be made that the CRM does not have?")
    known: Literal["update", "fill", "never"] = Field(
        "update", description="Records it has: bring up to date, only fill empty fields, or leave alone"
    )


class Mapped(Part):
    """One of our values and the CRM's field of it."""

    ours: Ours
    theirs: Theirs = Field(
        description=f"For people {', '.join(STANDARD[PEOPLE])}; for companies {', '.join(STANDARD[COMPANIES])}; or the "
        "CRM's own name of a field"
    )
    record: Literal["people", "companies"] | None = Field(
        None, description="Whose field it is; left out: account.* is the company's, all else the person's"
    )
    direction: Literal["out", "in", "both"] = "out"
    rule: Literal["update", "fill", "create"] = Field(
        "update", description="Keep it up to date, only fill it while it is empty, or set it in new records only"
    )
    values: dict[str, str] = Field({}, description="What our values are called there, such as {assigned: Working}")

    @property
    def on(self) -> str:
        """people or companies."""
        found = field_of(self.ours)
        return self.record or (found.record if found else PEOPLE)

    @property
    def goes_out(self) -> bool:
        return self.direction in (OUT, BOTH)

    @property
    def comes_in(self) -> bool:
        return self.direction in (IN, BOTH)

    @property
    def is_standard(self) -> bool:
        return self.theirs in STANDARD[self.on]

    @model_validator(mode="after")
    def _comes_back(self) -> Mapped:
        found = field_of(self.ours)
        if self.comes_in and found is not None and not found.comes_back:
            raise ValueError(f"{self.ours} is worked out here and cannot come from the CRM; allowed direction: out")
        return self


class Crm(Part):
    """What the CRM hears, and what we take from it."""

    FILE: ClassVar[str] = "crm.yml"

    people: Records = Records()
    companies: Records = Records()
    match: list[Literal["email", "domain", "name"]] = Field(
        ["email", "domain", "name"],
        description="How people (by e-mail) and companies (by domain, never of free mail; by name) are recognised",
    )
    fields: list[Mapped] = Field([], description="Left out: the usual ones; see `standard`")
    standard: bool = Field(True, description="Also map the usual fields that `fields` does not name")
    interactions: list[Interaction] = Field(list(INTERACTIONS), description="What becomes an activity of the person")
    poll_minutes: int = Field(
        1, ge=1, le=1440, description="How often the CRM is asked what has changed there, where it can be asked"
    )
    rest_minutes: int = Field(
        30, ge=1, le=1440, description="A conversation or visit that was quiet so long is told, though not ended"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Crm:
        if self.match != [one for one in ("email", "domain", "name") if one in self.match] or "email" not in self.match:
            raise ValueError("match: allowed email first, then domain, then name; domain and name may be left out")
        return self

    @model_validator(mode="after")
    def _once_each(self) -> Crm:
        seen: set[tuple[str, str]] = set()
        for number, mapped in enumerate(self.fields):
            place = (mapped.on, mapped.theirs)
            if mapped.goes_out and place in seen:
                raise ValueError(f"fields[{number}].theirs: found {mapped.theirs} twice for {mapped.on}, allowed once")
            seen |= {place} if mapped.goes_out else set()
        return self

    @cached_property
    def all_fields(self) -> tuple[Mapped, ...]:
        """What holds: those written, then the usual ones whose place nobody has taken."""
        if not self.standard:
            return tuple(self.fields)
        taken = {(mapped.on, mapped.theirs) for mapped in self.fields} | {(one.on, one.ours) for one in self.fields}
        usual = [one for one in USUAL if not {(one.on, one.theirs), (one.on, one.ours)} & taken]
        return (*self.fields, *usual)

    def of(self, record: str) -> tuple[Mapped, ...]:
        """The fields of people or companies."""
        return tuple(mapped for mapped in self.all_fields if mapped.on == record)

    def rules_for(self, record: str) -> Records:
        return self.people if record == PEOPLE else self.companies


def _usual(*rows: tuple[str, str, str]) -> tuple[Mapped, ...]:
    return tuple(Mapped.model_validate({"ours": ours, "theirs": theirs, "direction": to}) for ours, theirs, to in rows)


USUAL = _usual(
    ("lead.name", "name", BOTH),
    ("lead.phone", "phone", BOTH),
    ("lead.title", "title", BOTH),
    ("lead.company", "company", OUT),
    ("lead.locale", "locale", OUT),
    ("lead.status", "status", OUT),
    ("lead.source", "source", OUT),
    ("lead.owner", "owner_email", BOTH),
    ("account.name", "name", BOTH),
    ("account.industry", "industry", BOTH),
    ("account.employees", "employees", BOTH),
    ("account.country", "country", BOTH),
    ("account.is_customer", "is_customer", IN),
    ("account.is_target", "is_target", IN),
    ("account.owner", "owner_email", IN),
    ("account.csm", "csm_email", IN),
)
"""What every CRM keeps; it holds where crm.yml does not say otherwise."""
