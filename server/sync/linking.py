"""Which record of the CRM a lead or company stands in: found again, gone, gone into another, or said by a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from plugins.crm import Capability, Ref
from server import clock, events
from server.db import Database
from server.errors import Conflict, Invalid, NotFound
from server.events import Actor
from server.leads import service as leads
from server.sync import learning, looking, mapping, store
from server.sync.learning import RECORDS, Whose, actor, on_of
from server.sync.opened import Opened

APART, HUMAN = looking.APART, "human"
"""What `by` of a link says beside how it was found: a person said where it stands, or that it stands nowhere."""


def gone(db: Database, at: Opened, one: Whose) -> None:
    """The record is not there any more. Who stands in another one by now (records are joined there) is linked with
    that; else the link ends, and whether anybody is made anew is for the mapping's rule with the next thing to tell.
    A link that a person made is not made anew by itself."""
    if one.link is None:
        return
    look = None if one.link.by == HUMAN else _again(db, at, one)
    with db.transaction() as tx:
        link = store.lock_link(tx, at.connection_id, one.kind, one.id)
        if link is None or link.record_id != one.ref.id:
            return
        if link.by == HUMAN:
            _put(tx, at, one.kind, one.id, Ref(one.ref.kind, ""), APART)
        elif look is not None and look.ref is not None:
            _put(tx, at, one.kind, one.id, look.ref, look.by)
        else:
            store.drop_link(tx, at.connection_id, one.kind, one.id)
        joined = look is not None and look.ref is not None
        because = "It went into another record there." if joined else "Nothing stands there any more."
        _record(tx, events.CRM_RECORD_GONE, at, (one.kind, one.id), actor(at), because, {"record": one.ref.id})
    if look is not None and look.ref is not None and look.there is not None:
        learning.from_look(db, at, one.kind, one.id, look)


def follow(db: Database, at: Opened, one: Whose, became: Ref) -> None:
    """The record went into another (merged, converted): what is ours stands there from now on."""
    with db.transaction() as tx:
        link = store.lock_link(tx, at.connection_id, one.kind, one.id)
        if link is None or link.record_id != one.ref.id:
            return
        _put(tx, at, one.kind, one.id, became, link.by)
        about = {"record": one.ref.id, "into": became.id}
        _record(tx, events.CRM_LINKED, at, (one.kind, one.id), actor(at), "It went into another record there.", about)
    with db.reading() as tx:
        link = store.link(tx, at.connection_id, one.kind, one.id)
    if at.can(Capability.READ):
        learning.from_look(db, at, one.kind, one.id, _read(at, became, link))


def connect(db: Database, at: Opened, kind: str, id: str, record_id: str, *, by: Actor) -> None:
    """A person says in which record a lead or company stands: nothing but a person changes that. Its values are learnt
    at once. NotFound when there is no such record; Invalid for a CRM that cannot be read."""
    if not at.can(Capability.READ):
        raise Invalid("The connected CRM cannot be read, so nobody can say what this record is.")
    ref = Ref(RECORDS[kind], record_id)
    read = at.crm.people if kind == "lead" else at.crm.companies
    found = read([ref], fields=mapping.wanted_fields(at.mapping, on_of(kind))).get(record_id)
    if found is None:
        raise NotFound("The CRM has no such record.")
    with db.transaction() as tx:
        _put(tx, at, kind, id, ref, HUMAN)
        _record(tx, events.CRM_LINKED, at, (kind, id), by, f"{by.name or 'Somebody'} said so.", {"record": record_id})
    look = looking.Look(ref, looking.LINKED, "", mapping.there_in(on_of(kind), found))
    learning.from_look(db, at, kind, id, look)


def disconnect(tx: Connection, site_id: str, connection_id: str, kind: str, id: str, *, by: Actor) -> None:
    """A person says that it does not stand in that record: nothing is told or learnt of it until a person connects it
    with another. Conflict when it stands nowhere."""
    link = store.lock_link(tx, connection_id, kind, id)
    if link is None or not link.record_id:
        raise Conflict("This is connected with no record of the CRM.")
    nowhere: dict[str, Any] = {"record_id": "", "url": "", "by": APART, "told": {}, "saying": {}, "seen": {}}
    store.change_link(tx, connection_id, kind, id, {**nowhere, "at": clock.now()})
    because = f"{by.name or 'Somebody'} took it apart from its record."
    about = {"site_id": site_id, "subject": (kind, id), "actor": by, "reason": because}
    events.record(tx, events.CRM_UNLINKED, data={"record": link.record_id}, **about)


def _again(db: Database, at: Opened, one: Whose) -> looking.Look | None:
    """Where it stands now, looked for as if nobody had ever linked it."""
    with db.reading() as tx:
        if one.kind == "lead":
            known, email = leads.known(tx, one.id), leads.get(tx, one.id).email_key
            address = str(known.lead.get("email") or email or "")
        else:
            account = leads.account(tx, one.id)
            address = account.domain if account is not None else ""
    if not address:
        return None
    look = looking.person(at, address, None) if one.kind == "lead" else looking.company(at, address, "", None)
    return look if look.ref is not None and look.ref.id != one.ref.id else None


def _read(at: Opened, ref: Ref, link: Any) -> looking.Look:
    """What stands in the record of the link; nothing is known of one that is gone by now."""
    return looking.linked(at, ref.kind, link) or looking.Look(ref, looking.LINKED)


def _put(tx: Connection, at: Opened, kind: str, id: str, ref: Ref, by: str) -> None:
    """Linked anew: what was told to another record says nothing of this one."""
    row: dict[str, Any] = {
        "connection_id": at.connection_id, "subject_kind": kind, "subject_id": id, "site_id": at.version.site_id,
        "record_kind": ref.kind.value, "record_id": ref.id, "url": ref.url, "by": by, "at": clock.now(),
        "told": {}, "saying": {}, "seen": {},
    }  # fmt: skip
    store.put_link(tx, row)


def _record(
    tx: Connection, name: str, at: Opened, about: tuple[str, str], by: Actor, because: str, data: Mapping[str, Any]
) -> None:
    said = {"site_id": at.version.site_id, "subject": about, "actor": by, "reason": because}
    events.record(tx, name, data=dict(data), **said)
