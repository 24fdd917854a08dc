"""Keeps what a visitor tells: in the conversation's memory, and on lead and account as soon as there are any."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from plugins import registry
from plugins.errors import PluginError
from plugins.records import MemoryRecords
from server.events import BOT
from server.leads import service as leads
from server.leads.values import FieldValue
from server.playbooks import routes
from server.visitors import service as visitors

if TYPE_CHECKING:
    from plugins.ai import Understanding
    from server.playbooks.turn import Turn

REACHABLE = ("lead.email", "lead.phone")


def keep(turn: Turn, told: Mapping[str, Any], *, source: str, origin: str = "conversation") -> None:
    """Keep values by place (`lead.email`, `account.employees`, `answers.need`).

    The first e-mail address or phone number makes or finds the lead, who then learns all that was told before.
    """
    turn.memory.values.update(told)
    turn.learned = True
    if any(told.get(place) for place in REACHABLE) and _is_somebody_else(turn, told):
        _meet(turn)
        told = turn.memory.values
    _tell_lead(turn, told, source, origin)
    _tell_account(turn, told, source, origin)
    turn.values.forget()


def keep_in_passing(turn: Turn, meant: Understanding) -> None:
    """Keep what a message holds beside the answer: e-mail, phone, company, name, number of employees.

    What was told before is not changed by a remark; a range counts as "at least its lower end".
    """
    found = meant.entities
    size = found.company_size
    said = {
        "lead.email": found.emails[0] if found.emails and not meant.suggestion else None,
        "lead.phone": found.phones[0] if found.phones else None,
        "lead.name": found.name or None,
        "lead.company": found.company or None,
        "account.employees": int(size.low) if size and size.low else None,
    }
    answer = meant.value if meant.matched else None
    fresh = {
        place: value for place, value in said.items() if value and place not in turn.memory.values and value != answer
    }
    if fresh:
        keep(turn, fresh, source="said in passing")


def correct(turn: Turn, meant: Understanding) -> bool:
    """Another e-mail address, phone or company than was told before, said to be the right one; False when there is
    none."""
    found = meant.entities
    said = {
        "lead.email": found.emails[0] if found.emails and not meant.suggestion else None,
        "lead.phone": found.phones[0] if found.phones else None,
        "lead.name": found.name or None,
        "lead.company": found.company or None,
    }
    other = {place: value for place, value in said.items() if value and place in turn.memory.values}
    changed = {place: value for place, value in other.items() if value != turn.memory.values[place]}
    if changed:
        keep(turn, changed, source="corrected")
    return bool(changed)


def enrol(turn: Turn, stream: str) -> None:
    """Enrol the lead in a nurture stream, now or when we know who it is."""
    if turn.lead_id:
        reason = f"playbook {turn.playbook_id}"
        leads.enrol(turn.tx, turn.lead_id, stream, actor=BOT, reason=reason, conversation_id=turn.conversation.id)
    elif stream not in turn.memory.streams:
        turn.memory.streams.append(stream)


def company_domain(email: str) -> str:
    """The domain of the company behind an address, "" for free mail and for what is no address."""
    try:
        facts = _judge_of_addresses().person_by_email(email).facts
    except PluginError:
        return ""
    return str(facts["domain"].value) if "domain" in facts else ""


def _is_somebody_else(turn: Turn, told: Mapping[str, Any]) -> bool:
    """Is there no lead yet, or one with another address? Whose address is signed is nobody else, whatever they type."""
    if not turn.lead_id:
        return True
    if turn.visitor.signed and "email" in turn.visitor.signed:
        return False
    email = told.get("lead.email")
    key = leads.get(turn.tx, turn.lead_id).email_key
    return bool(email and key and leads.email_key(str(email)) != key)


def _meet(turn: Turn) -> None:
    memory, conversation = turn.memory, turn.conversation
    email = memory.values.get("lead.email")
    lead, new = leads.meet(
        turn.tx,
        conversation.site_id,
        email=str(email) if email else None,
        source="chat",
        actor=turn.visitor_actor,
        version_id=conversation.version_id,
        conversation_id=conversation.id,
    )
    turn.lead_id = turn.changes["lead_id"] = lead.id
    memory.lead_is_theirs = new or (turn.visitor.lead_id == lead.id and turn.visitor.knows_lead)
    if memory.lead_is_theirs:
        visitors.join_lead(turn.tx, turn.visitor.id, lead.id)
        turn.__dict__.pop("visitor", None)  # what was read before is outdated
    else:
        visitors.share_lead(turn.tx, lead.id)
    domain = company_domain(str(email)) if email else ""
    if domain and not lead.account_id:
        leads.join_account(turn.tx, lead.id, leads.account_for(turn.tx, conversation.site_id, domain))
    memory.account = lead.account_id or (leads.get(turn.tx, lead.id).account_id if domain else None)
    routes.give_to_owner(turn)
    for stream in memory.streams:
        enrol(turn, stream)
    memory.streams = []


def _tell_lead(turn: Turn, told: Mapping[str, Any], source: str, origin: str) -> None:
    values = _field_values(told, "lead.", source, origin)
    if turn.lead_id and values:
        leads.learn(turn.tx, leads.get(turn.tx, turn.lead_id), values)


def _tell_account(turn: Turn, told: Mapping[str, Any], source: str, origin: str) -> None:
    values = _field_values(told, "account.", source, origin)
    if turn.memory.account and values:
        leads.learn_account(turn.tx, turn.memory.account, values)


def _field_values(told: Mapping[str, Any], root: str, source: str, origin: str) -> list[FieldValue]:
    return [
        FieldValue(place.removeprefix(root), value, origin, source)
        for place, value in told.items()
        if place.startswith(root)
    ]


@lru_cache(maxsize=1)
def _judge_of_addresses() -> Any:
    """The built-in enricher with its defaults: it tells company addresses from free mail without asking anybody."""
    return registry.open("enrichment", "builtin", {}, records=MemoryRecords())
