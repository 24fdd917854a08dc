"""What we know, by the names of ours.py, each with who said it: the one place that reads other rooms for the CRM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server import settings
from server.booking import service as booking
from server.config.service import Version
from server.conversations import service as conversations
from server.leads import service as leads
from server.routing.team import Team
from server.visitors import service as visitors

HUMAN, CRM, OURS = "human", "crm", "usher"
"""Who said it: an origin of leads.values.RANKS, or Usher itself, which works out states, scores and sources."""


@dataclass(frozen=True)
class Value:
    """What we would say, and who told us."""

    value: Any
    origin: str = OURS
    at: datetime | None = None


@dataclass(frozen=True)
class Known:
    """Everything about one lead. `email` is how the person is recognised, "" when nobody knows it; `domain` that of the
    company, "" without one (free mail has none)."""

    lead_id: str
    site_id: str
    email: str
    account_id: str
    domain: str
    values: Mapping[str, Value]

    def get(self, name: str) -> Any:
        found = self.values.get(name)
        return found.value if found else None


def known(tx: Connection, version: Version, lead_id: str) -> Known:
    """All that can be said of the lead now. NotFound when the lead is gone."""
    lead = leads.get(tx, lead_id)
    told = leads.field_values(tx, lead_id)
    person = dict(_told("lead.", [row for row in told if row.subject_id == lead.id]))
    company = dict(_told("account.", [row for row in told if row.subject_id == lead.account_id]))
    email = str(person["lead.email"].value) if "lead.email" in person else lead.email_key or ""
    talks = conversations.of_lead(tx, lead_id)
    values = {
        **dict(_state(version, lead)),
        **person,
        **_with_addresses(version, company),
        **dict(_touches(tx, lead_id)),
        **dict(_answers(tx, talks)),
        **dict(_last_conversation(tx, talks)),
        **dict(_last_meeting(tx, version, lead)),
    }
    domain = leads.known(tx, lead_id).account.get("domain", "")
    return Known(lead.id, lead.site_id, email, lead.account_id or "", str(domain), values)


def of_account(tx: Connection, version: Version, account_id: str) -> dict[str, Value]:
    """What is known of a company alone."""
    return _with_addresses(version, dict(_told("account.", leads.values_of(tx, account_id))))


def console_url(kind: str, id: str) -> str:
    """Where a person looks at it on our desk."""
    return f"{settings.get().public_url.rstrip('/')}/{kind}/{id}"


def answers_in_words(answers: Sequence[Any]) -> str:
    """One line a criterion: what was answered, and whether that meets it."""
    words = {"met": "met", "not_met": "not met", "unknown": "not known"}
    said = [(row.criterion, _plain(row.value), words.get(row.status, row.status)) for row in answers]
    return "\n".join(f"{criterion}: {value} ({status})" for criterion, value, status in sorted(said))


def _told(root: str, rows: Sequence[Any]) -> Iterator[tuple[str, Value]]:
    """The winning value of each field; `fields.x` of a lead stays `lead.fields.x`."""
    best: dict[str, Any] = {}
    for row in rows:
        if row.value not in (None, "") and (row.field not in best or row.rank > best[row.field].rank):
            best[row.field] = row
    for field, row in best.items():
        yield f"{root}{field}", Value(row.value, row.origin, row.at)


def _state(version: Version, lead: Any) -> Iterator[tuple[str, Value]]:
    reps = version.part(Team).reps_by_id
    owner = reps.get(lead.owner_rep or "")
    state = {
        "status": lead.status,
        "source": lead.source,
        "segment": lead.segment,
        "intent": lead.intent,
        "owner": owner.email if owner else None,
    }
    for name, value in state.items():
        if value not in (None, ""):
            yield f"lead.{name}", Value(value, at=lead.changed_at)


def _with_addresses(version: Version, company: Mapping[str, Value]) -> dict[str, Value]:
    """Reps stand in accounts by their id; a CRM knows them by e-mail."""
    reps, found = version.part(Team).reps_by_id, dict(company)
    for name in ("account.owner", "account.csm"):
        rep = reps.get(str(found[name].value)) if name in found else None
        if rep is not None:
            found[name] = Value(rep.email, found[name].origin, found[name].at)
    return found


def _touches(tx: Connection, lead_id: str) -> Iterator[tuple[str, Value]]:
    """First and last touch over all browsers the lead was seen with."""
    touched = [one for row in visitors.of_lead(tx, lead_id) if (one := visitors.attribution(tx, row.id))]
    if not touched:
        return
    for prefix, touch in (("first_", touched[0]["first"]), ("", touched[-1]["last"])):
        for name, value in touch.items():
            if value:
                yield f"utm.{prefix}{'landing_page' if name == 'landing_path' else name}", Value(value)


def _answers(tx: Connection, talks: Sequence[Any]) -> Iterator[tuple[str, Value]]:
    """The newest answer to each criterion, over all conversations of the lead."""
    rows = conversations.answers_of(tx, *(one.id for one in talks)) if talks else ()
    for row in sorted(rows, key=lambda row: row.at):
        if row.value not in (None, ""):
            yield f"answers.{row.criterion}", Value(row.value, "conversation", row.at)


def _last_conversation(tx: Connection, talks: Sequence[Any]) -> Iterator[tuple[str, Value]]:
    if not talks:
        return
    last = max(talks, key=lambda one: one.last_at)
    about = {
        "outcome": last.outcome,
        "playbook": last.playbook,
        "page": last.path,
        "last_at": last.last_at,
        "answers": answers_in_words(conversations.answers_of(tx, last.id)),
        "url": console_url("conversations", last.id),
    }
    for name, value in about.items():
        if value not in (None, ""):
            yield f"conversation.{name}", Value(value)


def _last_meeting(tx: Connection, version: Version, lead: Any) -> Iterator[tuple[str, Value]]:
    found = booking.of_lead(tx, lead.site_id, lead.id)
    if not found:
        return
    last = found[-1]
    rep = version.part(Team).reps_by_id.get(last.rep)
    yield "meeting.status", Value(last.status)
    yield "meeting.type", Value(last.type)
    yield "meeting.start", Value(last.start_at)
    yield "meeting.rep", Value(rep.email if rep else last.rep)
    yield "meeting.url", Value(console_url("meetings", last.id))


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return "–" if value in (None, "") else str(value)
