"""Records of the CRM as people choose among them: where a lead and its company stand, and which others there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from plugins.crm import Capability, Kind, Person, Ref
from server.config.service import Version
from server.db import Database
from server.errors import Invalid, NotFound
from server.events import Actor
from server.leads.service import Lead
from server.sync import linking, looking, store
from server.sync.linking import APART
from server.sync.opened import BUILT_IN, Opened, opened, serving_id, serving_name

MOST = 10
SURE = {"created": 100, "human": 100, looking.EMAIL: 95, looking.DOMAIN: 95, looking.NAME: 75, looking.LINKED: 95}
"""Percent, by how it was found."""


@dataclass(frozen=True)
class Standing:
    """Where a lead ("lead") or company ("account") stands. `record_id` "" : nowhere; `apart`: because a person said so.
    `by`: created | email | domain | name | human."""

    kind: str
    id: str
    record_id: str = ""
    url: str = ""
    by: str = ""
    sure: int | None = None
    apart: bool = False


@dataclass(frozen=True)
class Candidate:
    """A record that somebody may mean."""

    kind: str
    record_id: str
    url: str
    title: str
    detail: str


def standings(tx: Connection, version: Version, lead: Lead) -> tuple[str, Sequence[Standing]]:
    """The CRM that serves ("" for the built-in one, which nobody looks into), where the lead and its company stand."""
    serving = serving_id(tx, version)
    if serving == BUILT_IN:
        return "", ()
    subjects = [("lead", lead.id), *([("account", lead.account_id)] if lead.account_id else [])]
    found = [_standing(kind, id, store.link(tx, serving, kind, id)) for kind, id in subjects]
    return serving_name(tx, version), found


def candidates(db: Database, site_id: str, text: str, *, seconds: float) -> Sequence[Candidate]:
    """Records with this e-mail address, this domain or exactly this name. Raises plugins.errors."""
    wanted = text.strip()
    if not wanted:
        return ()
    with opened(db, site_id, seconds=seconds) as at:
        refs = list(dict.fromkeys(_refs(at, wanted)))[:MOST]
        return _shown(at, refs)


def connect_record(
    db: Database, site_id: str, kind: str, id: str, record_id: str, *, by: Actor, seconds: float | None = None
) -> None:
    """A person says in which record a lead or company stands, and its values are learnt. NotFound for no such record;
    Invalid for a CRM that cannot be read, or for what is neither."""
    if kind not in linking.RECORDS or not record_id:
        raise Invalid("Choose a record of the CRM.", field="record")
    with opened(db, site_id, seconds=seconds) as at:
        if at.connection_id == BUILT_IN:
            raise Invalid("No CRM is connected.")
        linking.connect(db, at, kind, id, record_id, by=by)


def disconnect_record(tx: Connection, version: Version, kind: str, id: str, *, by: Actor) -> None:
    """A person says that it does not stand there. Conflict when it stands nowhere."""
    if kind not in linking.RECORDS:
        raise NotFound("There is no such record.")
    linking.disconnect(tx, version.site_id, serving_id(tx, version), kind, id, by=by)


def _standing(kind: str, id: str, link: Any) -> Standing:
    if link is None:
        return Standing(kind, id)
    if not link.record_id:
        return Standing(kind, id, apart=link.by == APART)
    return Standing(kind, id, link.record_id, link.url, link.by, SURE.get(link.by))


def _refs(at: Opened, wanted: str) -> Iterator[Ref]:
    if "@" in wanted:
        if at.can(Capability.FIND):
            yield from at.crm.find_by_email(wanted)
        return
    if "." in wanted and at.can(Capability.ACCOUNT):
        account = at.crm.account_by_domain(wanted)
        if account is not None:
            yield account.ref
    if at.can(Capability.NAMES):
        yield from at.crm.companies_named(wanted)


def _shown(at: Opened, refs: Sequence[Ref]) -> list[Candidate]:
    people = [ref for ref in refs if ref.kind is Kind.PERSON]
    companies = [ref for ref in refs if ref.kind is Kind.COMPANY]
    if not at.can(Capability.READ):
        return []
    held: dict[str, Any] = {
        **(at.crm.people(people) if people else {}),
        **(at.crm.companies(companies) if companies else {}),
    }
    return [_candidate(ref, held[ref.id]) for ref in refs if ref.id in held]


def _candidate(ref: Ref, record: Any) -> Candidate:
    if isinstance(record, Person):
        detail = ", ".join(filter(None, (record.email, record.title, record.company, record.owner_email)))
        return Candidate("lead", ref.id, ref.url, record.name or record.email, detail)
    flags = ("customer" if record.is_customer else "", "target" if record.is_target else "")
    detail = ", ".join(filter(None, (record.domain, record.industry, *flags, record.owner_email)))
    return Candidate("account", ref.id, ref.url, record.name or record.domain, detail)
