"""segments.yml and routing.yml: who visitors are and who gets them. team.yml is in team.py."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from server.config.schema import Identifier, Part
from server.expressions import Expression, Names
from server.links import Link
from server.routing.team import Pool, Queue, Rep, Team, refuse_doubles

__all__ = ["Pool", "Queue", "Rep", "Routing", "Rule", "Segments", "Target", "Team"]

_READY_MADE = {
    "bant": {"need": "Need", "timeline": "Timeline", "budget": "Budget", "authority": "Authority"},
    "meddic": {
        "metrics": "Metrics",
        "economic-buyer": "Economic buyer",
        "decision-criteria": "Decision criteria",
        "decision-process": "Decision process",
        "pain": "Identified pain",
        "champion": "Champion",
    },
}


class Segment(Part):
    """A kind of visitor; the first whose condition is "yes" is theirs."""

    id: Identifier
    name: str = ""
    when: Expression
    criteria: list[Identifier] = Field([], description="Criteria of the framework that qualify a lead of this segment")


class Intent(Part):
    """How close to buying."""

    level: Literal["high", "medium", "low"]
    when: Expression


class TargetAccount(Part):
    """A company that sales is after, and whose it is."""

    domain: str = Field(min_length=1)
    name: str = ""
    owner: Identifier | None = None


class CustomerAccount(Part):
    """A company that buys already, and who looks after it."""

    domain: str = Field(min_length=1)
    name: str = ""
    csm: Identifier | None = None


class Criterion(Part):
    """Something to find out. Without `met_when` any answer but no, zero or nothing meets it."""

    id: Identifier
    name: str = ""
    met_when: Annotated[Expression, Names("value")] | None = None


class Segments(Part):
    """segments.yml."""

    FILE: ClassVar[str] = "segments.yml"

    segments: list[Segment] = []
    intents: list[Intent] = []
    targets: list[TargetAccount] = []
    customers: list[CustomerAccount] = []
    framework: Literal["bant", "meddic"] | list[Criterion] = "bant"

    @model_validator(mode="after")
    def _holds_together(self) -> Segments:
        refuse_doubles("segment", [segment.id for segment in self.segments])
        refuse_doubles("criterion", [criterion.id for criterion in self.criteria])
        refuse_doubles("target", [target.domain.casefold() for target in self.targets])
        refuse_doubles("customer", [customer.domain.casefold() for customer in self.customers])
        for segment in self.segments:
            if segment.when.names() & {"segment", "intent"}:
                raise ValueError(f'found segment or intent in the condition of "{segment.id}", allowed other names')
        if any("intent" in intent.when.names() for intent in self.intents):
            raise ValueError("found intent in the condition of an intent, allowed other names")
        return self

    @cached_property
    def criteria(self) -> list[Criterion]:
        """The framework's criteria, in the order to ask for them."""
        if isinstance(self.framework, list):
            return self.framework
        return [Criterion(id=one, name=name) for one, name in _READY_MADE[self.framework].items()]

    def segment_of(self, values: Mapping[str, Any]) -> str | None:
        """The first segment whose condition is yes; None is "not known"."""
        return next((segment.id for segment in self.segments if segment.when.judge(values).answer == "yes"), None)

    def intent_of(self, values: Mapping[str, Any]) -> str:
        """high, medium or low; medium when nothing says otherwise."""
        return next((intent.level for intent in self.intents if intent.when.judge(values).answer == "yes"), "medium")

    def of_domain(self, domain: str) -> dict[str, Any]:
        """What the lists say of a company's domain (or one above it); nothing said is not known, which is not no."""
        found: dict[str, Any] = {}
        for target in self.targets:
            if _is_at(domain, target.domain):
                found |= {"is_target": True, "name": target.name, "owner": target.owner}
        for customer in self.customers:
            if _is_at(domain, customer.domain):
                found |= {"is_customer": True, "name": customer.name, "csm": customer.csm}
        return {name: value for name, value in found.items() if value}

    def status_of(self, criterion: str, value: Any) -> Literal["met", "not_met", "unknown"]:
        """What an answer means to a criterion. None (nobody told) is unknown, never not_met."""
        rule = next((one.met_when for one in self.criteria if one.id == criterion), None)
        if value is None:
            return "unknown"
        if rule is None:
            return "met" if value else "not_met"
        answer = rule.judge({"value": value}).answer
        return {"yes": "met", "no": "not_met"}.get(answer, "unknown")  # type: ignore[return-value]


class Target(Part):
    """Where a rule leads: exactly one of these."""

    csm: Literal[True] | None = Field(None, description="The customer success person of the visitor's company")
    owner: Literal["account", "lead"] | None = Field(None, description="Whose company, or whose person, it is")
    rep: Identifier | None = None
    pool: Identifier | None = None
    queue: Identifier | None = None
    resource: Link | None = Field(None, min_length=1, description="A page to read instead of a meeting")

    @model_validator(mode="after")
    def _exactly_one(self) -> Target:
        if len(self.model_fields_set) != 1:
            raise ValueError("allowed exactly one of csm, owner, rep, pool, queue, resource")
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set))


class Rule(Part):
    """Asked from the top; without `when` it always matches."""

    id: Identifier
    when: Expression | None = None
    to: Target
    else_to: Target | None = Field(None, description="When the first target is nobody, or has no time soon enough")
    within_hours: int | None = Field(
        None, ge=1, le=24 * 90, description="One person's times only if one begins within so many hours, else `else_to`"
    )
    reason: str = Field("", max_length=300)


class Routing(Part):
    """routing.yml."""

    FILE: ClassVar[str] = "routing.yml"

    rules: list[Rule] = []
    after_hours: Literal["booking", "queue"] = "booking"

    @model_validator(mode="after")
    def _ids_once(self) -> Routing:
        refuse_doubles("rule", [rule.id for rule in self.rules])
        return self


def _is_at(domain: str, listed: str) -> bool:
    asked, known = domain.strip().rstrip(".").casefold(), listed.strip().casefold()
    return asked == known or asked.endswith(f".{known}")
