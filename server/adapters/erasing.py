"""Find, show and erase what the built-in adapters keep of one person, in the caller's transaction; and say what others
keep that Usher cannot reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, false, or_, select

from plugins import registry
from plugins.crm import Capability, Ref
from plugins.errors import InvalidInput, PluginError
from server.adapters import found, store
from server.adapters.records import TableRecords
from server.adapters.tables import adapter_records
from server.config.version import Version
from server.db.scrubbing import Wipe, scrub
from server.errors import NotFound
from server.outbox import service as outbox
from server.outbox.erasing import may_have_arrived
from server.outbox.service import Delivery

BUILT_IN = "builtin"


class Within:
    """A database for TableRecords that is a transaction of somebody else's."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def reading(self) -> AbstractContextManager[Connection]:
        return nullcontext(self._tx)

    def transaction(self) -> AbstractContextManager[Connection]:
        return nullcontext(self._tx)


def held(tx: Connection, site_id: str, address: str, uids: Collection[str]) -> dict[str, Sequence[Row[Any]]]:
    """Records of the built-in adapters that are the person's, and those filed under them or one of their meetings."""
    own = [row for row in _naming(tx, site_id, [address]) if str(row.value.get("email", "")).casefold() == address]
    marks = [*uids, *_references(tx, site_id, address), *(row.id for row in own)]
    records = {(row.kind, row.id): row for row in [*own, *_naming(tx, site_id, marks)]}
    return {"adapter_records": list(records.values()), "hook_messages": store.messages_naming(tx, site_id, address)}


def erase(tx: Connection, site_id: str, address: str, uids: Collection[str]) -> None:
    """The built-in adapters never heard of the person; that the time of these meetings was taken stays."""
    crm, marketing, calendar = (_built_in(tx, site_id, kind) for kind in ("crm", "marketing", "calendar"))
    for id in _references(tx, site_id, address):
        crm.erase(crm.ref_of(address), key=f"erase:{id}")
        marketing.erase(address)
    calendar.erase(uids)
    store.erase_messages(tx, site_id, address)


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from what they keep of others."""
    return scrub(tx, adapter_records, wipe, adapter_records.c.site_id == site_id)


def unsure(told: Sequence[Delivery]) -> list[Delivery]:
    """The deliveries of a person to the CRM that it may have got without saying so."""
    return [row for row in _people(told) if may_have_arrived(row)]


def erase_outside(
    tx: Connection,
    version: Version,
    told: Sequence[Delivery],
    links: Sequence[Row[Any]] = (),
    seen: Sequence[Ref] | None = None,
) -> list[str]:
    """Ask the site's CRM to erase whom it was told of, if it can. Returns which systems heard of the person, or may
    have, and have to be seen to by hand.

    `told`: the deliveries about the person, before they are erased; `links`: where they stand at CRMs
    (`connection_id`, `record_kind`, `record_id`), also at those that serve no more; `seen`: where the CRM found them
    when it was asked because of `unsure` deliveries, None when it was not or could not be.
    """
    heard = {row.kind for row in told if row.state == "done" or may_have_arrived(row)}
    serving = {kind: one for kind in found.ASKED if (one := found.serving(tx, version, kind)) is not None}
    by_hand = {f"{kind}.{one.name}" for kind, one in serving.items() if kind in heard and kind != "crm"}
    by_hand |= {kind for kind in heard if kind.startswith("enrichment.") and not kind.endswith(f".{BUILT_IN}")}
    crm = serving.get("crm")
    here = [link for link in links if crm is not None and link.connection_id == crm.id]
    if crm is not None:
        refs = {} if len(here) < len(links) else _answered(told, crm.id)
        refs |= {link.record_id: link.record_kind for link in here}
        if not _forgotten(tx, version, crm, told, refs, seen):
            by_hand.add(f"crm.{crm.name}")
    tried_elsewhere = [
        row for row in unsure(told) if row.connection_id and (crm is None or row.connection_id != crm.id)
    ]
    by_hand |= _before(tx, [*(link for link in links if link not in here), *tried_elsewhere])
    mails = [row for row in told if row.kind == "notify"]
    if any(row.state == "done" or may_have_arrived(row) for row in mails):
        by_hand.add("mailboxes of those who were written to")
    return sorted(by_hand)


def _forgotten(
    tx: Connection,
    version: Version,
    crm: Any,
    told: Sequence[Delivery],
    refs: Mapping[str, str],
    seen: Sequence[Ref] | None,
) -> bool:
    """Ask it to erase all that is known to stand there. False when somebody has to do it there, or look whether there
    is anybody."""
    refs = {**refs, **{ref.id: ref.kind.value for ref in seen or ()}}
    heard = bool(refs) or any(row.kind == "crm" and row.state == "done" for row in told)
    if heard and not _can_erase(crm.name):
        return False
    _ask(tx, version, crm, refs, told)
    return seen is not None or not unsure(told)


def _answered(told: Sequence[Delivery], connection_id: str) -> dict[str, str]:
    """The records that it named when it was told, for what was told before links were kept. Nobody knows which account
    that was once links say that there was another one."""
    rows = [row for row in _people(told) if row.state == "done" and row.connection_id == connection_id]
    return {row.result["id"]: row.result["kind"] for row in rows if "id" in (row.result or {})}


def _people(told: Sequence[Delivery]) -> list[Delivery]:
    return [row for row in told if row.kind == "crm" and row.operation == "upsert_person"]


def _before(tx: Connection, links: Sequence[Row[Any]]) -> set[str]:
    """The CRMs in which the person stands and that serve no more: nobody asks them."""
    ids = {link.connection_id for link in links} - {BUILT_IN}
    return {connection.adapter for id in ids if (connection := _gone(tx, id)) is not None}


def _gone(tx: Connection, connection_id: str) -> Any:
    try:
        return found.get(tx, connection_id)
    except NotFound:
        return None


def _ask(tx: Connection, version: Version, crm: Any, refs: Mapping[str, str], told: Sequence[Delivery]) -> None:
    order_key = _people(told)[-1].order_key if _people(told) else ""
    cause = told[-1].id if told else version.id
    at = {"connection": crm.id, "account": crm.account}
    for id, kind in refs.items():
        outbox.queue(
            tx,
            site_id=version.site_id,
            kind="crm",
            operation="erase",
            payload={"person": {"kind": kind, "id": id}, "$at": at},
            key=f"crm:erase:{version.site_id}:{id}"[:150] + f":{cause}",
            order_key=order_key,
        )


def _can_erase(name: str) -> bool:
    try:
        return Capability.ERASE in registry.load("crm", name).capabilities
    except PluginError:
        return False


def _naming(tx: Connection, site_id: str, marks: Collection[str]) -> Sequence[Row[Any]]:
    t = adapter_records
    named = [cast(t.c.value, Text).icontains(mark, autoescape=True) for mark in marks]
    return tx.execute(select(t).where(t.c.site_id == site_id, or_(false(), *named)).order_by(t.c.added)).all()


def _references(tx: Connection, site_id: str, address: str) -> list[str]:
    """What the person is known by in the built-in CRM; nothing for what is no address."""
    try:
        return [_built_in(tx, site_id, "crm").ref_of(address).id]
    except InvalidInput:
        return []


def _built_in(tx: Connection, site_id: str, kind: str) -> Any:
    return registry.open(kind, BUILT_IN, {}, records=TableRecords(Within(tx), site_id))
