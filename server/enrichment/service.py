"""Ask about leads beside everything else, through the outbox, and keep what is answered with its origin. The visitor
never waits for it; what a chat waits for is in beside.py."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from plugins.enrichment import Capability, Fact
from plugins.enrichment.domains import company_domain
from plugins.errors import Permanent, PluginError, broke
from server import clock, events
from server.adapters.service import Delivered
from server.config import service as config
from server.config.version import Version
from server.db import Database
from server.enrichment import asking, assembling, sources, store
from server.enrichment.asking import BeingAsked, Question
from server.enrichment.sources import Source
from server.leads import service as leads
from server.leads.values import FieldValue
from server.outbox import service as outbox
from server.outbox.service import Delivery, NotYet
from server.visitors import service as visitors

KIND = "enrichment."
LEAD_FIELDS = {
    "email_valid": "email_validity",
    "email_type": "email_type",
    "name": "name",
    "first_name": "first_name",
    "title": "title",
    "phone": "phone",
    "company": "company",
    "seniority": "seniority",
    "department": "department",
}
ACCOUNT_FIELDS = ("name", "industry", "employees", "country", "city", "tech", "revenue", "website")
PENDING_FOR = timedelta(hours=1)
"""A service that is still looking after so long has found nothing."""
STALE = timedelta(days=180)
"""A surer value that is older than this gives way to a newer one of another source."""
_log = logging.getLogger("usher.enrichment")


def ask(tx: Connection, version: Version, lead_id: str, cause: str) -> None:
    """Queue what the site's sources can be asked about this lead; `cause` (an event's id) makes it once per cause.

    Sources on this machine are all asked, the others in their order until enough is known; what they answered lately is
    not asked again. Of somebody who did not agree to be recorded nobody outside is told.
    """
    with_outside = agreed(tx, lead_id)
    known = sources.of_site(tx, version)
    for question in _questions(tx, lead_id):
        for source in known:
            if source.local and source.can(question.capability):
                _queue(tx, version, source, question, lead_id, cause)
        if with_outside:
            _ask_outside(tx, version, known, question, lead_id, cause)


def go_on(tx: Connection, version: Version, delivery: Delivery) -> None:
    """A source has answered, or was given up: the next one is asked for what is still missing."""
    known = sources.of_site(tx, version)
    asked = next((one for one in known if one.name == delivery.kind.removeprefix(KIND)), None)
    if asked is None or not asked.local:
        question, cause = _question_of(delivery), delivery.key.rpartition(":")[2]
        _ask_outside(tx, version, known, question, delivery.subject_id, cause)


def learn(tx: Connection, lead_id: str, question: Question, facts: Mapping[str, Fact]) -> None:
    """Keep what was answered on the lead or its account; the surer value of two sources stays."""
    lead = leads.lock(tx, lead_id)
    if question.capability is Capability.PERSON_BY_EMAIL:
        if values := _news(tx, lead.id, list(_values(facts, LEAD_FIELDS))):
            leads.learn(tx, lead, values)
    elif lead.account_id and (news := learn_account(tx, lead.account_id, facts)):
        told = {f"account.{value.field}": value.origin for value in news}
        about = {"site_id": lead.site_id, "subject": ("lead", lead.id), "actor": events.SYSTEM}
        events.record(tx, events.LEAD_CHANGED, **about, data={"learnt": told})


def learn_account(tx: Connection, account_id: str, facts: Mapping[str, Fact]) -> Sequence[FieldValue]:
    """Keep facts of a company; what of them was news."""
    news = _news(tx, account_id, list(_values(facts, {name: name for name in ACCOUNT_FIELDS})))
    if news:
        leads.learn_account(tx, account_id, news)
    return news


def account_of(tx: Connection, version: Version, company: assembling.Company) -> str:
    """Id of the site's account of this company, with what is known of it; "" without a domain of its own."""
    if not company_domain(company.domain):
        return ""
    account_id = leads.account_for(tx, version.site_id, company.domain)
    learn_account(tx, account_id, company.record)
    return account_id


def agreed(tx: Connection, lead_id: str) -> bool:
    """Whether the lead's browsers, if we know any, may be recorded."""
    browsers = visitors.of_lead(tx, lead_id)
    return not browsers or any(visitors.recorded(one) for one in browsers)


def carry_out(db: Database, delivery: Delivery) -> Delivered:
    """Do one delivery of `ask`: what the source says, from what was kept where that is fresh. Raises plugins.errors."""
    with db.reading() as tx:
        version = config.active_of(tx, delivery.site_id)
        known = sources.of_site(tx, version)
    name = delivery.kind.removeprefix(KIND)
    source = next((one for one in known if one.name == name), None)
    if source is None:
        said = f"The site does not use {name} any more."
        raise Permanent(said, adapter=delivery.kind, operation=delivery.operation, user_message=said)
    try:
        facts = asking.ask(db, version, source, _question_of(delivery))
    except BeingAsked as problem:
        raise NotYet(str(problem), user_message="The same is being asked at this moment.") from problem
    except (PluginError, SQLAlchemyError):
        raise
    except Exception as error:
        _log.exception("%s.%s broke", delivery.kind, delivery.operation)
        raise broke(error, delivery.kind) from error
    if facts.pending and clock.now() - delivery.created_at < PENDING_FOR:
        raise NotYet("the service is still looking", user_message="The service is still looking; it is asked again.")
    answer = Delivered(asking.as_json(facts))
    answer.connection_id = source.connection.id if source.connection else ""
    return answer


def delivered(tx: Connection, delivery: Delivery) -> None:
    """A delivery of `ask` is done: keep what was answered, and ask the next source."""
    question = _question_of(delivery)
    learn(tx, delivery.subject_id, question, assembling.of_question(question, asking.from_json(delivery.result)))
    go_on(tx, config.active_of(tx, delivery.site_id), delivery)


def forget_old(db: Database) -> None:
    """Answers that are kept no longer, and what was spent long ago."""
    now = clock.now()
    with db.transaction() as tx:
        store.forget_old(tx, now, (now - timedelta(days=90)).date().isoformat())


def _questions(tx: Connection, lead_id: str) -> Iterator[Question]:
    known = leads.known(tx, lead_id)
    if email := known.lead.get("email"):
        yield Question(Capability.PERSON_BY_EMAIL, str(email))
    if domain := company_domain(str(known.account.get("domain") or "")):
        yield Question(Capability.COMPANY_BY_DOMAIN, domain)


def _ask_outside(
    tx: Connection, version: Version, known: Sequence[Source], question: Question, lead_id: str, cause: str
) -> None:
    found: dict[str, Fact] = {}
    for source in known:
        if source.local or not source.can(question.capability):
            continue
        if assembling.is_enough(question.capability, found):
            return
        kept = asking.kept_in(tx, source, question.digest(version.site_id))
        if kept is not None and not kept.pending:
            told = assembling.of_question(question, kept)
            found = assembling.merged(found, told)
            learn(tx, lead_id, question, told)
        elif _may_be_asked(source) and _queue(tx, version, source, question, lead_id, cause):
            return


def _may_be_asked(source: Source) -> bool:
    """A broken connection holds nobody up: the next source is asked in its place."""
    return source.connection is None or asking.is_well(source.connection)


def _queue(tx: Connection, version: Version, source: Source, question: Question, lead_id: str, cause: str) -> bool:
    return outbox.queue(
        tx,
        site_id=version.site_id,
        kind=f"{KIND}{source.name}",
        operation=question.capability.value,
        payload={question.parameter: question.value},
        key=f"enrichment:{source.name}:{question.capability}:{lead_id}:{cause}",
        subject=("lead", lead_id),
        connection_id=source.connection.id if source.connection else "",
    )


def _question_of(delivery: Delivery) -> Question:
    return Question(Capability(delivery.operation), str(next(iter(delivery.payload.values()))))


def _news(tx: Connection, subject_id: str, values: Sequence[FieldValue]) -> list[FieldValue]:
    """Those that differ from what enrichment said before, and are no less sure than what another source said."""
    told = {row.field: row for row in leads.values_of(tx, subject_id) if row.origin == "enrichment"}
    return [value for value in values if value.field not in told or _is_news(value, told[value.field])]


def _is_news(value: FieldValue, before: Any) -> bool:
    if value.source == before.source:
        return (value.value, value.confidence) != (before.value, before.confidence)
    return (value.confidence or 0) > (before.confidence or 0) or clock.now() - before.at > STALE


def _values(facts: Mapping[str, Fact], fields: Mapping[str, str]) -> Iterator[FieldValue]:
    for name, field in fields.items():
        fact = facts.get(name)
        if fact and fact.value not in (None, "", []):
            value = ("valid" if fact.value else "invalid") if name == "email_valid" else fact.value
            yield FieldValue(field, value, "enrichment", fact.source, round(fact.confidence * 100))
