"""Find, show and erase what was to be told about one person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from server import clock
from server.db.scrubbing import Wipe, scrub
from server.outbox import store, waiting
from server.outbox.store import Delivery
from server.outbox.tables import deliveries as t

Subjects = Mapping[str, Collection[str]]
"""Kind → ids."""


def about(tx: Connection, subjects: Subjects) -> Sequence[Delivery]:
    """All deliveries about these, oldest first."""
    mine = [and_(t.c.subject_kind == kind, t.c.subject_id.in_(ids)) for kind, ids in subjects.items()]
    return tx.execute(select(t).where(or_(*mine)).order_by(t.c.id)).all()


def under_way(rows: Sequence[Delivery]) -> bool:
    """Whether the outside is being told one of them at this moment."""
    return any(row.state == "leased" and row.lease_until > clock.now() for row in rows)


def may_have_arrived(row: Delivery) -> bool:
    """Whether the outside may have been told, and did not say so: no answer came, or we broke off at it."""
    return row.state == "leased" or (row.unsure and row.state != "done")


def erase(tx: Connection, rows: Sequence[Delivery]) -> None:
    """They were never queued. What still waits and builds on one of them gets what that one answered; where it has not
    been delivered there is nothing to build on."""
    by_id = {row.id: row for row in rows}
    gone = {row.key: row for row in rows} | {key: by_id[id] for key, id in store.keys_of(tx, by_id).items()}
    open_ones = select(t).where(t.c.state.in_(("waiting", "paused")), t.c.id.not_in(by_id))
    for row in tx.execute(open_ones).all():
        built_on = {name: _key_of(value) for name, value in row.payload.items() if _key_of(value) in gone}
        if not built_on:
            continue
        answers = {
            name: {**gone[key].result, **_beside(row.payload[name])}
            for name, key in built_on.items()
            if gone[key].state == "done"
        }
        if answers.keys() == built_on.keys():
            tx.execute(update(t).where(t.c.id == row.id).values(payload={**row.payload, **answers}))
        else:
            store.remove(tx, [row.id])
    store.remove(tx, by_id)
    waiting.wake(tx, [row.order_key for row in rows], clock.now())


def scrub_others(tx: Connection, site_id: str, wipe: Wipe, invited_to: Collection[str]) -> int:
    """The address is gone from deliveries about others, also where invitations to these meetings tear it apart."""
    meetings = and_(t.c.subject_kind == "meeting", t.c.subject_id.in_(invited_to))
    return scrub(tx, t, wipe, meetings, whole=True) + scrub(tx, t, wipe, t.c.site_id == site_id)


def _key_of(value: Any) -> Any:
    return value.get("$result") if isinstance(value, Mapping) else None


def _beside(value: Mapping[str, Any]) -> dict[str, Any]:
    """What takes the place of the answer's own, as adapters.service resolves it."""
    return {name: one for name, one in value.items() if name != "$result"}
