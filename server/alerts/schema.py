"""alerts.yml: of what, under which condition, who hears at once, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from server import events
from server.config.problems import Problem, unknown_name
from server.config.schema import Identifier, Part
from server.config.version import Version
from server.expressions import Expression, Template
from server.routing.schema import refuse_doubles
from server.routing.team import Team

What = Literal[
    "conversation.started", "conversation.qualified", "conversation.handed_over", "question.not_known", "lead.created",
    "lead.assigned", "lead.disqualified", "meeting.booked", "meeting.rescheduled", "meeting.cancelled",
    "meeting.no_show", "connection.broken",
]  # fmt: skip
TITLES: Mapping[str, Template] = {name: Template.parse(text) for name, text in {
    events.CONVERSATION_STARTED: "{{ lead.name | default(account.name) | default('A visitor') }} began a chat",
    events.CONVERSATION_QUALIFIED: "{{ lead.name | default(account.name) | default('A visitor') }} is qualified",
    events.CONVERSATION_HANDED_OVER: "{{ lead.name | default(account.name) | default('A visitor') }} wants to talk",
    events.QUESTION_NOT_KNOWN: "{{ lead.name | default('A visitor') }} asked what we could not answer",
    events.LEAD_CREATED: "New lead: {{ lead.name | default(lead.email) | default('somebody without a name') }}",
    events.LEAD_ASSIGNED: "{{ lead.name | default(lead.email) | default('A lead') }} was given to a rep",
    events.LEAD_DISQUALIFIED: "{{ lead.name | default(lead.email) | default('A lead') }} was disqualified",
    events.MEETING_BOOKED: "{{ lead.name | default('Somebody') }} booked a meeting",
    events.MEETING_RESCHEDULED: "{{ lead.name | default('Somebody') }} moved a meeting",
    events.MEETING_CANCELLED: "{{ lead.name | default('Somebody') }} cancelled a meeting",
    events.MEETING_NO_SHOW: "{{ lead.name | default('Somebody') }} did not come to the meeting",
    events.CONNECTION_BROKEN: "A connection of {{ site.name }} needs you",
}.items()}
"""What an alert is called unless its `title` says otherwise."""
PEOPLE_BY = ("mail", "twilio")
"""Ways to reach reps themselves; all others reach a place of the service, such as a channel."""


def _recipient(value: str) -> str:
    if value != value.strip() or len(value) > 200:
        raise ValueError("allowed owner, a rep, a pool, a queue, an address, a number or a channel of the service")
    return value


class Recipient(Part):
    """One way and who is there."""

    by: Identifier = Field(description="mail, or a notify adapter that is connected: slack, slack_webhook, twilio, …")
    to: Annotated[str, AfterValidator(_recipient)] = Field(
        "",
        description="For mail and twilio: owner (of the lead, or who meets), the id of a rep, pool or queue, an "
        "address or number; for others what the service calls its channel; empty: the connection's own",
    )


class Alert(Part):
    """One alert."""

    id: Identifier
    on: list[What] = Field(min_length=1, description="What it is about")
    when: Expression | None = Field(None, description="Only if this is yes; left out: always")
    to: list[Recipient] = Field(min_length=1)
    title: Template | None = Field(None, description="Left out: in our own words")
    text: Template | None = Field(None, description="Further words")
    urgent: bool = Field(False, description="Shown with a bell; in Slack to the whole channel, not to the thread alone")
    active: bool = True


class Alerts(Part):
    """alerts.yml."""

    FILE: ClassVar[str] = "alerts.yml"

    alerts: list[Alert] = []

    @model_validator(mode="after")
    def _ids_once(self) -> Alerts:
        refuse_doubles("alert", [alert.id for alert in self.alerts])
        return self


def check_alerts(version: Version) -> list[Problem]:
    """Who is to be told by mail or telephone exists and can be reached so."""
    problems = []
    team = version.part(Team)
    known = ["owner", *team.reps_by_id, *team.pools_by_id, *team.queues_by_id]
    for number, alert in enumerate(version.part(Alerts).alerts):
        for place, to in enumerate(alert.to):
            if to.by in PEOPLE_BY and to.to not in known and not _is_address(to):
                wrong = unknown_name(to.to, known, "owner, a rep, a pool, a queue, an address or a number")
                problems.append(version.problem(Alerts.FILE, ("alerts", number, "to", place, "to"), wrong))
    return problems


def _is_address(to: Recipient) -> bool:
    return "@" in to.to if to.by == "mail" else to.to.startswith("+")
