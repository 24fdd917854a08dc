"""Try the mapping on sample records: what would be made, changed, kept and refused, and why. Reads the CRM, writes
nothing anywhere (S1-52)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from plugins.crm import Capability
from plugins.errors import InvalidInput
from server.config.service import Version
from server.db import Database
from server.errors import Invalid
from server.leads import service as leads
from server.sync import fates, looking, mapping, store, values
from server.sync.fates import Fate
from server.sync.looking import Look
from server.sync.opened import Opened, opened
from server.sync.ours import COMPANIES, PEOPLE, field_of
from server.sync.schema import Crm
from server.sync.values import Known, Value

MOST_SAMPLES = 25
MADE_UP: tuple[Mapping[str, Any], ...] = (
    {"lead.email": "ada.sample@usher-test.example", "lead.name": "Ada Sample", "lead.title": "Head of Data",
     "lead.phone": "+49 30 1234567", "lead.company": "Usher Test", "lead.source": "chat", "lead.status": "new",
     "account.domain": "usher-test.example", "account.name": "Usher Test", "account.employees": 800,
     "account.industry": "Software", "utm.source": "google", "utm.campaign": "spring"},
    {"lead.email": "sample.person@gmail.com", "lead.name": "Sam Ple", "lead.source": "chat", "lead.status": "new",
     "lead.company": "Sample & Sons"},
)  # fmt: skip
"""A person of a company, and one with free mail, whose domain is nobody's."""


@dataclass(frozen=True)
class Part:
    """One record of a sample: the match found and why, and every field's fate. `what`: create | update | keep | skip,
    for the record as a whole."""

    on: str
    named: str
    what: str
    look: Look
    fates: Sequence[Fate] = ()
    because: str = ""


@dataclass(frozen=True)
class Sample:
    """One lead, real (`lead_id`) or made up."""

    title: str
    lead_id: str = ""
    parts: Sequence[Part] = field(default_factory=tuple)

    @property
    def person(self) -> Part | None:
        return next((part for part in self.parts if part.on == PEOPLE), None)


@dataclass(frozen=True)
class Rehearsal:
    """What the mapping would do at this CRM."""

    crm: str
    samples: Sequence[Sample]
    reads: bool
    """False: the CRM cannot be read, so what stands there was not seen."""

    @property
    def counts(self) -> dict[str, int]:
        """How many fields meet each fate."""
        found = [fate.what for sample in self.samples for part in sample.parts for fate in part.fates]
        return {what: found.count(what) for what in (fates.CREATE, fates.UPDATE, fates.KEEP, fates.SKIP, fates.REFUSE)}


def dry_run(
    db: Database,
    site_id: str,
    *,
    lead_ids: Sequence[str] = (),
    made_up: Sequence[Mapping[str, Any]] = (),
    crm: Crm | None = None,
) -> Rehearsal:
    """Try the active mapping, or the `crm` given, on these leads and on records made up of our values by name.

    Raises plugins.errors when the CRM does not answer, Invalid for values that have no name of ours.
    """
    with opened(db, site_id) as found:
        found.look_again()
        at = replace(found, mapping=crm) if crm is not None else found
        with db.reading() as tx:
            real = [values.known(tx, at.version, lead_id) for lead_id in lead_ids[:MOST_SAMPLES]]
        told = [_real(db, at, known) for known in real]
        tried = [_sample(at, _made_up(at.version, given), {}) for given in made_up[:MOST_SAMPLES]]
        return Rehearsal(at.crm.title or at.crm.name, [*told, *tried], at.can(Capability.READ))


def latest_leads(db: Database, site_id: str, number: int) -> list[str]:
    """The newest leads that can be told of."""
    with db.reading() as tx:
        found = leads.latest(tx, [site_id], limit=number * 4)
    return [lead.id for lead, known in found if known.lead.get("email")][:number]


def _real(db: Database, at: Opened, known: Known) -> Sample:
    with db.reading() as tx:
        links = {
            kind: store.link(tx, at.connection_id, kind, id)
            for kind, id in (("lead", known.lead_id), ("account", known.account_id))
            if id
        }
    return _sample(at, known, links)


def _sample(at: Opened, known: Known, links: Mapping[str, Any]) -> Sample:
    title = str(known.get("lead.name") or known.email or known.lead_id)
    if not known.email:
        waits = Part(PEOPLE, title, fates.SKIP, Look(), because="It waits until the e-mail address is known.")
        return Sample(title, known.lead_id, [waits])
    try:
        person = _person(at, known, links.get("lead"))
    except InvalidInput as problem:
        person = Part(PEOPLE, known.email, fates.REFUSE, Look(), because=problem.user_message)
    return Sample(title, known.lead_id, [person, *_companies(at, known, links.get("account"))])


def _person(at: Opened, known: Known, link: Any) -> Part:
    look = looking.person(at, known.email, link)
    return _part(at, PEOPLE, known.email, known, look, link)


def _companies(at: Opened, known: Known, link: Any) -> list[Part]:
    if not at.can(Capability.COMPANY):
        return []
    name = str(known.get("account.name") or known.get("lead.company") or "")
    if known.domain:
        look = looking.company(at, known.domain, name, link)
        return [_part(at, COMPANIES, known.domain, known, look, link)]
    if not name:
        return []
    named = looking.named_company(at, name)
    if len(named) == 1:
        look = Look(named[0], looking.NAME, f"It is the only one called {name}.", {})
        because = "The person is filed under it; with free mail nothing is written to it."
        return [Part(COMPANIES, name, fates.KEEP, look, because=because)]
    called = f"{len(named)} companies there are" if named else "no company there is"
    because = f"The address leads to no company, and {called} called {name}."
    return [Part(COMPANIES, name, fates.SKIP, Look(others=named), because=because)]


def _part(at: Opened, on: str, named: str, known: Known, look: Look, link: Any) -> Part:
    crm = at.mapping
    found = mapping.fates_of(
        crm,
        on,
        known.values,
        there=look.there if look.ref is not None else None,
        told=link.told if link is not None and link.record_id else {},
        remote=at.by_name(on),
        makes_fields=at.crm.makes_fields,
    )
    rules = crm.rules_for(on)
    if look.ref is None and rules.new == "never":
        return Part(on, named, fates.SKIP, look, found, "The mapping makes no new records of this kind.")
    if look.ref is None:
        return Part(on, named, fates.CREATE, look, found, "There is none, so one is made.")
    if look.by == looking.NAME:
        return Part(on, named, fates.KEEP, look, (), "What is found by its name alone is linked and not written to.")
    written = any(fate.is_written for fate in found)
    return Part(on, named, fates.UPDATE if written else fates.KEEP, look, found)


def _made_up(version: Version, given: Mapping[str, Any]) -> Known:
    unknown = [name for name in given if name not in ("lead.email", "account.domain") and field_of(name) is None]
    if unknown:
        raise Invalid(f"{unknown[0]} is none of our values.", field=unknown[0])
    told = {name: Value(value, "form") for name, value in given.items() if value not in (None, "")}
    email, domain = str(given.get("lead.email") or ""), str(given.get("account.domain") or "")
    return Known("", version.site_id, email, "", domain, told)
