"""Find, show and erase what the built-in adapters keep of one person, in the caller's transaction; and say what others
keep that Usher cannot reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, false, or_, select

from plugins import registry
from plugins.crm import Capability
from plugins.errors import InvalidInput, PluginError
from server.adapters import found, store
from server.adapters.records import TableRecords
from server.adapters.tables import adapter_records
from server.config.version import Version
from server.db.scrubbing import Wipe, scrub
from server.errors import NotFound
from server.outbox import service as outbox
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


def erase_outside(
    tx: Connection, version: Version, told: Iterable[Delivery], links: Sequence[Row[Any]] = ()
) -> list[str]:
    """Ask the site's CRM to erase whom it was told of, if it can. Returns which systems heard of the person and have to
    be seen to by hand. `told`: the deliveries about the person, before they are erased; `links`: where they stand at
    CRMs (`connection_id`, `record_kind`, `record_id`), also at those that serve no more."""
    done = [row for row in told if row.state == "done"]
    serving = {kind: found.serving(tx, version, kind) for kind in found.ASKED}
    names = {kind: one.name for kind, one in serving.items() if one is not None}
    here = [link for link in links if serving["crm"] is not None and link.connection_id == serving["crm"].id]
    heard = {kind for kind in names if any(row.kind == kind for row in done) or (kind == "crm" and here)}
    by_hand = {f"{kind}.{names[kind]}" for kind in heard}
    by_hand |= {
        row.kind for row in done if row.kind.startswith("enrichment.") and not row.kind.endswith(f".{BUILT_IN}")
    }
    if "crm" in heard and _can_erase(names["crm"]):
        by_hand.discard(f"crm.{names['crm']}")
        rows = [row for row in done if row.kind == "crm" and row.operation == "upsert_person"]
        refs = {row.result["id"]: row.result["kind"] for row in rows if row.result and "id" in row.result}
        refs |= {link.record_id: link.record_kind for link in here}
        _ask(tx, version, refs, rows[-1].order_key if rows else "", done[-1].id if done else version.id)
    by_hand |= _before(tx, [link for link in links if link not in here])
    if any(row.kind == "notify" for row in done):
        by_hand.add("mailboxes of those who were written to")
    return sorted(by_hand)


def _before(tx: Connection, links: Sequence[Row[Any]]) -> set[str]:
    """The CRMs in which the person stands and that serve no more: nobody asks them."""
    ids = {link.connection_id for link in links} - {BUILT_IN}
    return {connection.adapter for id in ids if (connection := _gone(tx, id)) is not None}


def _gone(tx: Connection, connection_id: str) -> Any:
    try:
        return found.get(tx, connection_id)
    except NotFound:
        return None


def _ask(tx: Connection, version: Version, refs: Mapping[str, str], order_key: str, cause: str) -> None:
    for id, kind in refs.items():
        outbox.queue(
            tx,
            site_id=version.site_id,
            kind="crm",
            operation="erase",
            payload={"person": {"kind": kind, "id": id}},
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
