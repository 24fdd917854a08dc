"""Learn from a record of the CRM: field values, owner, status and flags, each with the CRM as its origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from plugins.crm import Capability, Change, Company, Kind, Person, Ref
from plugins.enrichment.domains import company_domain
from server import clock, events
from server.db import Database
from server.events import Actor
from server.leads import service as leads
from server.leads.values import FieldValue
from server.routing.team import Rep, Team
from server.sync import agreeing, looking, mapping, store, telling, values
from server.sync.agreeing import News
from server.sync.looking import Look
from server.sync.opened import Opened
from server.sync.ours import COMPANIES, PEOPLE, field_of

RECORDS = {"lead": Kind.PERSON, "account": Kind.COMPANY}
FOUND_BY = {"lead": looking.EMAIL, "account": looking.DOMAIN}
_STRANGE = {
    "lead.owner": "the owner {} is nobody of the team",
    "account.owner": "{} is nobody of the team",
    "lead.status": "the status {} is none of ours; crm.yml can say which one it is",
}
BY_PEOPLE = ("rep", "user")


class Whose(Protocol):
    """As in coming.py: a record, and which of ours it is."""

    @property
    def ref(self) -> Ref: ...
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def link(self) -> Any: ...


@dataclass
class Taken:
    """What became of the news of one record: names of ours that were learnt, that stand because a person said so, and
    what is no word of ours."""

    learnt: list[str] = field(default_factory=list)
    stands: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)


def actor(at: Opened) -> Actor:
    """The CRM as one who does things here."""
    return Actor("crm", at.connection_id, at.crm.title or at.crm.name)


def from_record(db: Database, at: Opened, one: Whose, record: Person | Company) -> bool:
    """Learn from what was read. False when we have written to the record since: then it has to be read again."""
    there = mapping.there_in(on_of(one.kind), record)
    with db.transaction() as tx:
        link = _locked(tx, at, one.kind, one.id)
        if _stamp(link) != _stamp(one.link):
            return False
        if link is None or not link.record_id:
            link = _linked(tx, at, one, link)
        _learn(tx, at, one.kind, one.id, link, there)
    if isinstance(record, Person) and record.company_ref is not None:
        belong(db, at, one.id, record.company_ref)
    return True


def from_message(db: Database, at: Opened, one: Whose, change: Change) -> None:
    """Learn from the values in a message, of a CRM that cannot be read."""
    with db.transaction() as tx:
        link = _locked(tx, at, one.kind, one.id)
        if link is None or not link.record_id:
            link = _linked(tx, at, one, link)
        _learn(tx, at, one.kind, one.id, link, change.values, said_at=change.at)


def from_look(db: Database, at: Opened, kind: str, id: str, look: Look, said: Mapping[str, Any] | None = None) -> None:
    """Learn from what stood there when we looked, but for the fields that we have written (`said`) after that."""
    if look.there is None or look.ref is None or not at.can(Capability.READ):
        return
    with db.transaction() as tx:
        link = _locked(tx, at, kind, id)
        if link is not None and link.record_id == look.ref.id:
            _learn(tx, at, kind, id, link, {**look.there, **(said or {})})
    if kind == "lead" and look.company is not None:
        belong(db, at, id, look.company)


def belong(db: Database, at: Opened, lead_id: str, company: Ref) -> None:
    """Whom the CRM has filed under a company works there, unless we know where they work."""
    with db.reading() as tx:
        lead = leads.get(tx, lead_id)
        linked = store.linked_to(tx, at.connection_id, Kind.COMPANY.value, company.id)
    if lead.account_id or lead.account_by == leads.HUMAN:
        return
    record = None
    if not linked and at.can(Capability.READ):
        fields = mapping.wanted_fields(at.mapping, COMPANIES)
        record = at.crm.companies([company], fields=fields).get(company.id)
    domain = company_domain(record.domain) if record is not None else ""
    if not (linked or domain):
        return
    with db.transaction() as tx:
        account_id = linked[0].subject_id if linked else leads.account_for(tx, at.version.site_id, domain)
        because = f"{actor(at).name} has them there."
        leads.join(tx, leads.get(tx, lead_id), account_id, leads.CRM, because)
        if record is not None and store.link(tx, at.connection_id, "account", account_id) is None:
            store.put_link(tx, _row(at, "account", account_id, company, looking.DOMAIN))
            link = _locked(tx, at, "account", account_id)
            _learn(tx, at, "account", account_id, link, mapping.there_in(COMPANIES, record))


def on_of(kind: str) -> str:
    """people or companies."""
    return PEOPLE if kind == "lead" else COMPANIES


def _learn(
    tx: Connection, at: Opened, kind: str, id: str, link: Any, there: Mapping[str, Any], *, said_at: Any = None
) -> None:
    ours = values.known(tx, at.version, id).values if kind == "lead" else values.of_account(tx, at.version, id)
    found = agreeing.compare(at.mapping, on_of(kind), there, ours, link, said_at=said_at)
    if found.told != link.told or found.seen != (link.seen or {}):
        store.change_link(tx, at.connection_id, kind, id, {"told": found.told, "seen": found.seen})
    taken = Taken()
    for news in found.news:
        _take_in(tx, at, kind, id, news, taken, first=news.mapped.theirs not in link.told)
    if not (taken.learnt or taken.stands or taken.unknown):
        return
    told = {"fields": taken.learnt, "stands": taken.stands, "unknown": taken.unknown}
    about = {"site_id": at.version.site_id, "subject": (kind, id), "actor": actor(at), "reason": _in_words(taken)}
    cause = events.record(tx, events.CRM_CHANGED, data={name: one for name, one in told.items() if one}, **about)
    if any(one.mapped.goes_out for one in found.news if one.mapped.ours in taken.stands):
        for lead_id in [id] if kind == "lead" else leads.of_account(tx, id)[:1]:
            telling.lead(tx, lead_id, cause, again=True)


def _take_in(tx: Connection, at: Opened, kind: str, id: str, news: News, taken: Taken, *, first: bool) -> None:
    """One field: into the lead or its company, or to whom it means something."""
    name = news.mapped.ours
    if news.stands:
        taken.stands.append(name)
    elif name == "lead.owner" and kind == "lead":
        _owner(tx, at, id, news.value, taken, first=first)
    elif name == "lead.status" and kind == "lead":
        _status(tx, at, id, news.value, taken, first=first)
    else:
        _value(tx, at, kind, id, news, taken)


def _value(tx: Connection, at: Opened, kind: str, id: str, news: News, taken: Taken) -> None:
    root, _, name = news.mapped.ours.partition(".")
    of_lead = root == "lead" and kind == "lead"
    subject = id if root == kind else leads.get(tx, id).account_id if root == "account" else None
    if subject is None:
        return
    if news.value is None:
        if leads.unlearn(tx, subject, name, leads.CRM):
            taken.learnt.append(news.mapped.ours)
        return
    value = _rep_or_address(at, news.value, taken) if name in ("owner", "csm") else news.value
    told = [FieldValue(name, value, leads.CRM, actor(at).name)]
    if of_lead:
        leads.learn(tx, leads.get(tx, subject), told)
    else:
        leads.learn_account(tx, subject, told)
    taken.learnt.append(news.mapped.ours)


def _owner(tx: Connection, at: Opened, lead_id: str, email: Any, taken: Taken, *, first: bool) -> None:
    """The lead is whose the CRM says. What a person of ours decided before we had heard of the CRM's owner, or decided
    against all rules, stands."""
    if email is None:
        return
    lead, rep = leads.get(tx, lead_id), _rep(at, email)
    if rep is None:
        leads.learn(tx, lead, [FieldValue("owner", str(email), leads.CRM, actor(at).name)])
        taken.unknown["lead.owner"] = str(email)
        return
    leads.unlearn(tx, lead_id, "owner", leads.CRM)
    now = next((one for one in leads.assignments_of(tx, lead_id) if one.ended_at is None), None)
    decided = now is not None and now.by_kind in BY_PEOPLE and (first or now.kind == "override")
    if decided and now is not None and now.rep != rep.id:
        taken.stands.append("lead.owner")
    elif lead.owner_rep != rep.id and not (first and lead.status == "disqualified"):
        kind, by = "reassigned" if lead.owner_rep else "routed", actor(at)
        leads.assign(tx, lead_id, rep.id, kind=kind, actor=by, reason=f"{by.name} says so", version_id=at.version.id)
        taken.learnt.append("lead.owner")


def _status(tx: Connection, at: Opened, lead_id: str, status: Any, taken: Taken, *, first: bool) -> None:
    """The lead stands where the CRM says, by the mapping's `values`; a word that is none of ours is kept as it is."""
    if status is None:
        return
    by = actor(at)
    if leads.follow_status(tx, lead_id, str(status), actor=by, reason=f"{by.name} says so"):
        leads.unlearn(tx, lead_id, "status", leads.CRM)
        taken.learnt.append("lead.status")
    elif not first:
        leads.learn(tx, leads.get(tx, lead_id), [FieldValue("status", str(status), leads.CRM, by.name)])
        taken.unknown["lead.status"] = str(status)


def _rep_or_address(at: Opened, email: Any, taken: Taken) -> str:
    """Ours by their id, as segments.yml names them; others by what the CRM calls them, which leads to nobody here."""
    rep = _rep(at, email)
    if rep is None:
        taken.unknown["account.owner"] = str(email)
    return rep.id if rep is not None else str(email)


def _rep(at: Opened, email: Any) -> Rep | None:
    return at.version.part(Team).rep_named(email)


def _in_words(taken: Taken) -> str:
    parts = [f"{_named(taken.learnt)} changed" if taken.learnt else ""]
    parts += [f"{_named(taken.stands)} stays as a person here has said" if taken.stands else ""]
    parts += [_STRANGE[name].format(value) for name, value in taken.unknown.items()]
    said = "; ".join(filter(None, parts))
    return said[:1].upper() + said[1:]


def _named(names: list[str]) -> str:
    fields = (field_of(name) for name in names)
    return ", ".join(one.title.partition(" (")[0] if one else name for one, name in zip(fields, names, strict=True))


def _locked(tx: Connection, at: Opened, kind: str, id: str) -> Any:
    """The link, after its lead: whoever tells of a lead takes the two in the same order."""
    if kind == "lead":
        leads.lock(tx, id)
    return store.lock_link(tx, at.connection_id, kind, id)


def _linked(tx: Connection, at: Opened, one: Whose, link: Any) -> Any:
    """It stands in this record from now on; what we were writing when nobody knew its number stays known."""
    row = _row(at, one.kind, one.id, one.ref, FOUND_BY[one.kind])
    store.put_link(tx, {**row, "saying": dict(link.saying or {}) if link is not None else {}})
    return store.lock_link(tx, at.connection_id, one.kind, one.id)


def _row(at: Opened, kind: str, id: str, ref: Ref, by: str) -> dict[str, Any]:
    return {
        "connection_id": at.connection_id, "subject_kind": kind, "subject_id": id, "site_id": at.version.site_id,
        "record_kind": RECORDS[kind].value, "record_id": ref.id, "url": ref.url, "by": by, "at": clock.now(),
        "told": {}, "saying": {}, "seen": {},
    }  # fmt: skip


def _stamp(link: Any) -> tuple[Any, ...]:
    """What differs when we have written to the record, or begun to."""
    return (link.record_id, link.told, link.saying) if link is not None else ("", {}, {})
