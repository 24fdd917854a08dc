"""Which company an anonymous visitor comes from, as far as enrichment knows: asked for beside the `hello`, waited for
only where the opening words or a condition need it, and kept in the conversation whenever it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection

from server import events, live
from server.config.version import Version
from server.conversations import service as conversations
from server.db import Database
from server.enrichment import beside
from server.enrichment import service as enrichment
from server.enrichment.assembling import Company
from server.errors import NotFound
from server.events import SYSTEM
from server.expressions import Condition, LocaleText
from server.expressions.template import Template
from server.leads import service as leads
from server.playbooks.hello import Hello
from server.playbooks.memory import Memory
from server.playbooks.nodes.ask import Ask
from server.playbooks.schema import Playbook
from server.visitors import service as visitors

_ROOTS = ("account", "segment")
_DECIDES = ("route", "book", "handoff")
"""Nodes for which it matters whose company it is."""


def look_up(db: Database, version: Version, hello: Hello) -> beside.Look | None:
    """Begin to find out whose company it is. None for who may not be recorded (hello.under), where nobody could know,
    and for whom we know already."""
    if not hello.address or not hello.arrival.consent.recorded or not beside.could_be_known(db, version, hello.address):
        return None
    if hello.token and _is_known(db, version, hello.token):
        return None
    return beside.begin(db, version, hello.address)


def look_ahead(db: Database, version: Version, address: str) -> None:
    """Somebody who may be recorded is on a page: where site.yml says so, find out whose network it is before they open
    the chat. Services' answers are kept for a while, and nothing else."""
    wanted = version.site.enrichment.when == "page_load"
    if wanted and address and beside.could_be_known(db, version, address):
        beside.begin(db, version, address)


def waited_for(version: Version, hello: Hello) -> float:
    """How many seconds the opening may wait: none where its words are the same for everybody."""
    return version.site.enrichment.wait_ms / 1000 if _is_needed(version, hello) else 0.0


def remember(tx: Connection, version: Version, memory: Memory, found: Company | None) -> Mapping[str, Any]:
    """Keep it with the conversation, and what is known of the company with its account. What the diary is to say of it,
    nothing when nothing was found."""
    if found is None or not found.facts:
        return {}
    facts = {name: [one.value, one.source, round(one.confidence * 100)] for name, one in found.facts.items()}
    memory.company = {"account": enrichment.account_of(tx, version, found), "domain": found.domain, "facts": facts}
    named = found.facts.get("name") or found.facts.get("domain")
    if named is None:
        return {}
    return {"company": str(named.value), "source": named.source, "confidence": round(named.confidence * 100)}


def keep(db: Database, version: Version, conversation_id: str, found: Company) -> None:
    """It came late: the next message and the next rule see it."""
    try:
        with db.transaction() as tx:
            row = conversations.lock(tx, conversation_id)
            memory = Memory.of(row.engine)
            if not visitors.recorded(visitors.get(tx, row.visitor_id)):
                return
            if data := remember(tx, version, memory, found):
                about = {"site_id": row.site_id, "conversation_id": row.id, "version_id": row.version_id}
                subject = ("conversation", row.id)
                events.record(tx, events.COMPANY_RECOGNISED, subject=subject, actor=SYSTEM, data=data, **about)
            conversations.keep_state(tx, row, engine=memory.as_json())
    except (NotFound, LookupError):
        return  # erased meanwhile
    live.publish(f"site:{row.site_id}", {"t": "conversation", "id": row.id})


def _is_known(db: Database, version: Version, token: str) -> bool:
    with db.reading() as tx:
        visitor = visitors.known(tx, version.site_id, token)
        if visitor is None:
            return False
        if visitor.lead_id and leads.known(tx, visitor.lead_id).account:
            return True
        row = conversations.open_of(tx, visitor.id)
        return row is not None and bool(row.engine.get("company"))


def _is_needed(version: Version, hello: Hello) -> bool:
    """Whether a playbook that may meet this visitor says, asks or decides something by the company."""
    told = hello.arrival
    seen = {"page": told.page, "device": told.device, "locale": told.locale or version.site.locale}
    playbooks = version.part(Playbook)
    shown = playbooks.get(hello.playbook)
    return any(_depends(one) for one in ([shown] if shown else playbooks.values()) if _may_fit(one, seen))


def _may_fit(playbook: Playbook, seen: Mapping[str, Any]) -> bool:
    return all(check.condition.judge(seen).answer != "no" for check in playbook.audience.checks)


def _depends(playbook: Playbook) -> bool:
    if any(_reads(check.condition) for check in playbook.audience.checks):
        return True
    for node in playbook.nodes:
        if node.KEY in _DECIDES or _reads(node):
            return True
        if isinstance(node, Ask):
            return str(node.save or "").partition(".")[0] in _ROOTS
    return False


def _reads(value: Any) -> bool:
    """Whether a condition or a text in it speaks of the company."""
    if isinstance(value, Condition | Template):
        return any(name.partition(".")[0] in _ROOTS for name in value.names())
    if isinstance(value, LocaleText):
        return _any(value.texts.values())
    if isinstance(value, BaseModel):
        return _any(value.__dict__.values())
    if isinstance(value, Mapping):
        return _any(value.values())
    return isinstance(value, list | tuple) and _any(value)


def _any(values: Iterable[Any]) -> bool:
    return any(_reads(value) for value in values)
