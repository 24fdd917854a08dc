"""The diary's lines about one person: given out, taken out, and those about meetings kept as bare facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from server.db.scrubbing import Wipe, scrub
from server.events import Event
from server.events import table as t

_FACTS = ("rep", "pool", "type", "start", "was", "rep_was", "credited")
"""What is still known of a meeting: nothing in it is about the visitor."""


def held(tx: Connection, subjects: Mapping[str, Sequence[str]], delivery_ids: Sequence[str]) -> Sequence[Event]:
    """Every line about the person, oldest first."""
    return tx.execute(select(t).where(_about(subjects, delivery_ids)).order_by(t.c.id)).all()


def wait_for_reactions(tx: Connection, subjects: Mapping[str, Sequence[str]]) -> None:
    """Whoever reacts to a line about the person at this moment is done, and what they queued can be seen; nobody begins
    to react to one until the transaction ends."""
    tx.execute(select(t.c.id).where(_about(subjects, []), t.c.handled_at.is_(None)).with_for_update()).all()


def erase(tx: Connection, subjects: Mapping[str, Sequence[str]], delivery_ids: Sequence[str]) -> None:
    """The lines are gone; of meetings it stays that a rep had them, and when."""
    others = {kind: ids for kind, ids in subjects.items() if kind != "meeting"}
    meetings = {"meeting": subjects["meeting"]}
    for line in tx.execute(select(t).where(_about(meetings, []))).all():
        facts = {name: value for name, value in line.data.items() if name in _FACTS}
        bare = {"data": facts, "reason": "", "trigger": "", "conversation_id": None}
        nobody = {"actor_id": "", "actor_name": ""} if line.actor_kind == "visitor" else {}
        tx.execute(update(t).where(t.c.id == line.id).values(**bare, **nobody))
    tx.execute(delete(t).where(_about(others, delivery_ids)))
    said = t.c.conversation_id.in_(subjects["conversation"])
    tx.execute(delete(t).where(said, t.c.subject_kind.in_(("conversation", "visitor"))))
    tx.execute(update(t).where(said).values(conversation_id=None))


def part_with(tx: Connection, conversation_ids: Collection[str], lead_ids: Collection[str]) -> None:
    """Lines about these conversations of others no longer say whose they were taken for."""
    for line in tx.execute(select(t).where(t.c.conversation_id.in_(conversation_ids))).all():
        kept = {name: value for name, value in line.data.items() if value not in lead_ids}
        if kept != line.data:
            tx.execute(update(t).where(t.c.id == line.id).values(data=kept))


def scrub_others(tx: Connection, site_id: str, wipe: Wipe) -> int:
    """The address is gone from lines about others."""
    return scrub(tx, t, wipe, t.c.site_id == site_id)


def _about(subjects: Mapping[str, Sequence[str]], delivery_ids: Sequence[str]) -> ColumnElement[bool]:
    every = {**subjects, "delivery": delivery_ids}
    return or_(*(and_(t.c.subject_kind == kind, t.c.subject_id.in_(ids)) for kind, ids in every.items()))
