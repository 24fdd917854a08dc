"""Asks one source one question: what it answered is kept for a while, equal questions are asked once at a time, and
no connection costs more in a day than the owner allows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import Connection

from plugins.enrichment import Capability, Facts
from plugins.errors import AmbiguousOutcome, QuotaExhausted, Transient
from server import clock, ids
from server.adapters import connections
from server.config.schema import EnrichmentRule
from server.config.version import Version
from server.db import Database
from server.enrichment import store
from server.enrichment.sources import Source
from server.leads import service as leads

LEASE = timedelta(seconds=60)
"""So long somebody may be asking; longer than any call may take."""
ASKED_AGAIN = timedelta(minutes=2)
"""When a service that was still looking is asked again."""
LOOK_SECONDS = 0.05
_FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)


@dataclass(frozen=True)
class Question:
    """What is asked: `value` is an address, a domain or an e-mail address."""

    capability: Capability
    value: str

    @property
    def parameter(self) -> str:
        """What the adapter's method calls it."""
        return {"company_by_ip": "ip", "company_by_domain": "domain", "person_by_email": "email"}[self.capability]

    def digest(self, site_id: str) -> str:
        """What it is known by: nobody finds out by trying what was asked (ids.keyed_digest)."""
        return ids.keyed_digest("enrichment", f"{site_id}\0{self.capability}\0{leads.email_key(self.value)}")


class OutOfCredits(QuotaExhausted):
    """The owner's daily credits for this connection are spent; `retry_after` is the site's midnight."""

    code = "out_of_credits"
    sentence = "The daily credits for this connection, set in site.yml, are spent."


class BeingAsked(Transient):
    """Somebody is asking the same at this moment."""

    code = "being_asked"


def ask(db: Database, version: Version, source: Source, question: Question, *, patience: float = 0.0) -> Facts:
    """What the source says. `patience`: so many seconds to wait for somebody who is asking the same at this moment.

    Raises plugins.errors: OutOfCredits, BeingAsked while somebody else is asking, what the adapter raises.
    """
    if source.local or source.connection is None:
        return _call(db, version, source, question)
    deadline = time.monotonic() + patience
    digest, claim = question.digest(version.site_id), ids.new_token()[:40]
    while True:
        if (known := kept(db, source, digest)) is not None:
            return known
        if _claim(db, version, source, question, digest, claim):
            return _ask(db, version, source, question, digest, claim)
        if time.monotonic() >= deadline:
            raise BeingAsked("somebody is asking the same at this moment", adapter=f"enrichment.{source.name}")
        time.sleep(LOOK_SECONDS)


def kept(db: Database, source: Source, digest: str) -> Facts | None:
    """What the source answered lately, None when it has to be asked."""
    with db.reading() as tx:
        return kept_in(tx, source, digest)


def kept_in(tx: Connection, source: Source, digest: str) -> Facts | None:
    """The same within a transaction."""
    row = store.answer(tx, source.id, digest)
    if row is None or row.claim or row.expires_at <= clock.now():
        return None
    return _FACTS.validate_python({**row.facts, "cost": 0.0})


def is_well(connection: connections.Connection) -> bool:
    """Whether it is of any use to ask."""
    return connections.refusal(connection) is None


def as_json(facts: Facts) -> dict[str, Any]:
    """Facts as they are kept."""
    return dict(_FACTS.dump_python(facts, mode="json"))


def from_json(told: Mapping[str, Any]) -> Facts:
    """Facts that were kept."""
    return _FACTS.validate_python(dict(told))


def today(version: Version) -> str:
    """The day on which credits are counted: the date where the site is."""
    return clock.now().astimezone(ZoneInfo(version.site.zone)).date().isoformat()


def _claim(db: Database, version: Version, source: Source, question: Question, digest: str, claim: str) -> bool:
    """True when we are to ask, and a credit is taken for it."""
    now = clock.now()
    row: dict[str, Any] = {
        "source": source.id, "question": digest, "site_id": version.site_id, "operation": question.capability.value,
        "claim": claim, "facts": {}, "asked_at": now, "expires_at": now + LEASE,
    }  # fmt: skip
    most = version.site.enrichment.credits_of(source.name)
    with db.transaction() as tx:
        if not store.claim(tx, row, now):
            return False
        paid = store.take_credit(tx, source.id, today(version), version.site_id, most)
        if not paid:
            store.give_up(tx, source.id, digest, claim)
    if not paid:
        spent = f"{most} credits are spent"
        raise OutOfCredits(spent, adapter=f"enrichment.{source.name}", retry_after=_midnight(version))
    return True


def _ask(db: Database, version: Version, source: Source, question: Question, digest: str, claim: str) -> Facts:
    day, answered = today(version), False
    try:
        facts = _call(db, version, source, question)
        answered = True
    except AmbiguousOutcome:
        with db.transaction() as tx:  # it may have been paid for
            store.give_up(tx, source.id, digest, claim)
        raise
    finally:
        if not answered:
            _undo(db, source, digest, claim, day)
    now = clock.now()
    rule = version.site.enrichment
    told = {"facts": as_json(facts), "asked_at": now, "expires_at": now + _kept_for(rule, question, facts)}
    with db.transaction() as tx:
        store.settle(tx, source.id, digest, claim, told)
        store.correct_credit(tx, source.id, day, facts.cost - 1, bool(facts.facts))
    return facts


def _undo(db: Database, source: Source, digest: str, claim: str, day: str) -> None:
    with db.transaction() as tx:
        if (row := store.answer(tx, source.id, digest)) is not None and row.claim == claim:
            store.give_up(tx, source.id, digest, claim)
            store.correct_credit(tx, source.id, day, -1, False)


def _call(db: Database, version: Version, source: Source, question: Question) -> Facts:
    connection = source.connection
    if connection is None:
        adapter = connections.open_built_in(db, version.site_id, "enrichment")
        return _answer(adapter, question)
    with connections.watched(db, connection):
        return _answer(connections.open(db, connection), question)


def _answer(adapter: Any, question: Question) -> Facts:
    try:
        facts: Facts = getattr(adapter, question.capability.value)(**{question.parameter: question.value})
        return facts
    finally:
        adapter.close()


def _kept_for(rule: EnrichmentRule, question: Question, facts: Facts) -> timedelta:
    keep = rule.keep
    if facts.pending:
        return ASKED_AGAIN
    if not facts.facts:
        return timedelta(hours=keep.no_match_hours)
    return {
        Capability.COMPANY_BY_IP: timedelta(hours=keep.address_hours),
        Capability.COMPANY_BY_DOMAIN: timedelta(days=keep.company_days),
        Capability.PERSON_BY_EMAIL: timedelta(days=keep.person_days),
    }[question.capability]


def _midnight(version: Version) -> datetime:
    """When credits are counted anew, as UTC."""
    zone = ZoneInfo(version.site.zone)
    tomorrow = clock.now().astimezone(zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(clock.now().tzinfo)
