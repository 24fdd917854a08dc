"""Puts together what sources say of one visitor's company or of one person: asked in order until enough is known, the
surest value of each fact kept with its source."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plugins.enrichment import Capability, Fact, Facts
from plugins.enrichment.domains import company_domain, is_mail_provider, public_ip, registrable
from plugins.errors import InvalidInput, PluginError
from server.config.version import Version
from server.db import Database
from server.enrichment import asking, sources
from server.enrichment.asking import Question
from server.enrichment.sources import Source

SURE = 0.5
"""Below this a value is a guess, and the next source is asked for it."""
ENOUGH: Mapping[Capability, Sequence[str]] = {
    Capability.COMPANY_BY_IP: ("domain", "name"),
    Capability.COMPANY_BY_DOMAIN: ("name", "industry", "employees", "country"),
    Capability.PERSON_BY_EMAIL: ("name", "title", "seniority", "department"),
}
"""What is asked for: with all of these known no further source is asked."""
OF_EMPLOYER = ("company", "domain")
PATIENCE_SECONDS = 10.0
_log = logging.getLogger("usher.enrichment")


@dataclass(frozen=True)
class Company:
    """Whose network a visitor comes from: `facts`, each as sure as it is of this visitor; `record` as sure as it is of
    the company with that domain; `domain` "" when nobody knows one."""

    domain: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    record: Mapping[str, Fact] = field(default_factory=dict)


def may_be_asked(address: str) -> bool:
    """Whether it is a public address: private ones are nobody's company, and nobody hears of them."""
    try:
        return bool(public_ip(address))
    except InvalidInput:
        return False


def company_of(db: Database, version: Version, address: str) -> Company:
    """Whose network the address is, and what is known of that company. Asks over the network; raises nothing."""
    with db.reading() as tx:
        known = sources.of_site(tx, version)
    found = _asked(db, version, known, Question(Capability.COMPANY_BY_IP, address))
    domain = str(found["domain"].value) if "domain" in found else ""
    if domain and is_mail_provider(registrable(domain)):
        return Company()
    domain = company_domain(domain)
    if not domain or found["domain"].confidence < SURE:
        return Company("", found)
    surely = found["domain"].confidence
    record = _asked(db, version, known, Question(Capability.COMPANY_BY_DOMAIN, domain))
    record.pop("domain", None)
    of_visitor = {name: Fact(one.value, min(one.confidence, surely), one.source) for name, one in record.items()}
    named = {name: fact for name, fact in found.items() if name not in ("country", "city")}
    return Company(domain, merged(found, of_visitor), merged(named, record))


def merged(known: Mapping[str, Fact], more: Mapping[str, Fact]) -> dict[str, Fact]:
    """The surer value of each; of equally sure ones the one that was known first."""
    surer = {name: one for name, one in more.items() if name not in known or one.confidence > known[name].confidence}
    return {**known, **surer}


def is_enough(capability: Capability, facts: Mapping[str, Fact]) -> bool:
    """Whether no further source has to be asked."""
    return all(name in facts and facts[name].confidence >= SURE for name in ENOUGH[capability])


def of_question(question: Question, facts: Facts) -> dict[str, Fact]:
    """What an answer is good for: the employer of somebody with a private address was not asked for."""
    if question.capability is not Capability.PERSON_BY_EMAIL:
        return dict(facts.facts)
    host = registrable(question.value.rpartition("@")[2])
    private = not host or is_mail_provider(host)
    return {name: fact for name, fact in facts.facts.items() if not (private and name in OF_EMPLOYER)}


def _asked(db: Database, version: Version, known: Sequence[Source], question: Question) -> dict[str, Fact]:
    """All that answer from this machine, then the others in their order until it is enough."""
    able = [one for one in known if one.can(question.capability)]
    found: dict[str, Fact] = {}
    for source in sorted(able, key=lambda one: not one.local):
        if not source.local and is_enough(question.capability, found):
            break
        try:
            told = asking.ask(db, version, source, question, patience=PATIENCE_SECONDS)
        except PluginError as problem:
            _log.info("enrichment.%s did not answer: %s", source.name, problem)
            continue
        found = merged(found, of_question(question, told))
    return found
