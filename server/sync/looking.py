"""Find a person or company at the CRM and see what it holds now: reads, and nothing else.

People are found by what we linked before, then by e-mail; companies by link, by domain (never one of free mail: such a
lead has none), then by name. Name alone links, and nothing is written over it: two companies may be called the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.crm import Capability, Kind, Ref
from server.sync import mapping
from server.sync.opened import Opened
from server.sync.ours import COMPANIES, PEOPLE
from server.sync.schema import Crm
from server.sync.store import Link

LINKED, EMAIL, DOMAIN, NAME = "link", "email", "domain", "name"
APART = "apart"
"""`by` of the link of somebody whom a person has taken apart from their record: they stand nowhere."""
_MANY = "{} records there have it; the oldest is taken."


@dataclass(frozen=True)
class Look:
    """`ref` None: the CRM has no such record. `there`: what it holds, by their names; where it cannot be read, what we
    wrote last. `email`: how the CRM knows the person, which may be another address than ours."""

    ref: Ref | None = None
    by: str = ""
    because: str = ""
    there: Mapping[str, Any] | None = None
    others: Sequence[Ref] = ()
    email: str = ""
    company: Ref | None = None


def person(at: Opened, email: str, link: Link | None) -> Look:
    """The person with this e-mail, or the one we have told of before."""
    crm = at.mapping
    if found := linked(at, Kind.PERSON, link):
        return found
    if not at.can(Capability.FIND):
        return Look(because="The CRM cannot be asked; it recognises people by e-mail itself.")
    refs = at.crm.find_by_email(email)
    if not refs:
        return Look(because=f"Nobody there has {email}.")
    because = f"The e-mail is {email}." if len(refs) == 1 else _MANY.format(len(refs))
    known = link if link is not None and link.record_id == refs[0].id else None
    found = _read_person(at, crm, refs[0], known, EMAIL, because)
    return _with_others(found or Look(refs[0], EMAIL, because, {}), refs)


def company(at: Opened, domain: str, name: str, link: Link | None) -> Look:
    """The company of this domain ("" for free mail), or of this name."""
    crm = at.mapping
    if found := linked(at, Kind.COMPANY, link):
        return found
    if domain and at.can(Capability.ACCOUNT) and DOMAIN in crm.match:
        account = at.crm.account_by_domain(domain)
        if account is not None:
            because = f"The domain is {domain}."
            known = link if link is not None and link.record_id == account.ref.id else None
            found = _read_company(at, crm, account.ref, known, DOMAIN, because)
            return found or Look(account.ref, DOMAIN, because, {})
    named = named_company(at, name)
    if len(named) == 1:
        return Look(named[0], NAME, f"It is the only one called {name}.", {})
    if named:
        return Look(because=f"{len(named)} companies there are called {name}; none is taken.", others=named)
    return Look(because=f"No company there has {domain or 'this name'}.")


def linked(at: Opened, kind: Kind, link: Link | None) -> Look | None:
    """What stands in the record that we have told of before; None without one, or when it is gone."""
    if link is None or not link.record_id:
        return None
    ref = Ref(kind, link.record_id, link.url)
    if kind is Kind.PERSON:
        return _read_person(at, at.mapping, ref, link, LINKED, "We told the CRM of them before.")
    return _read_company(at, at.mapping, ref, link, link_by(link), "We told the CRM of it before.")


def named_company(at: Opened, name: str) -> list[Ref]:
    """Companies of this name, where the mapping goes by names and the CRM can be asked so."""
    if name and NAME in at.mapping.match and at.can(Capability.NAMES):
        return at.crm.companies_named(name)
    return []


def link_by(link: Link | None) -> str:
    """A link by name stays one: what it leads to is not written over."""
    return NAME if link is not None and link.by == NAME else LINKED


def _read_person(at: Opened, crm: Crm, ref: Ref, link: Link | None, by: str, because: str) -> Look | None:
    """What stands there; None when the record is gone."""
    if not at.can(Capability.READ):
        return Look(ref, by, because, dict(link.told) if link else {})
    found = at.crm.people([ref], fields=mapping.wanted_fields(crm, PEOPLE)).get(ref.id)
    if found is None:
        return None
    there = mapping.there_in(PEOPLE, found)
    return Look(ref, by, because, there, email=found.email, company=found.company_ref)


def _read_company(at: Opened, crm: Crm, ref: Ref, link: Link | None, by: str, because: str) -> Look | None:
    if not at.can(Capability.READ):
        return Look(ref, by, because, dict(link.told) if link else {})
    found = at.crm.companies([ref], fields=mapping.wanted_fields(crm, COMPANIES)).get(ref.id)
    return None if found is None else Look(ref, by, because, mapping.there_in(COMPANIES, found))


def _with_others(look: Look, refs: Sequence[Ref]) -> Look:
    return Look(look.ref, look.by, look.because, look.there, tuple(refs[1:]), look.email, look.company)

