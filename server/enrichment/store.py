"""All SQL about answers of services and what they cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.enrichment.tables import answers as a
from server.enrichment.tables import spending as s

Answer = Row[Any]


def answer(tx: Connection, source: str, question: str) -> Answer | None:
    return tx.execute(select(a).where(a.c.source == source, a.c.question == question)).one_or_none()


def claim(tx: Connection, row: Mapping[str, Any], now: datetime) -> bool:
    """True when the question is now ours to ask: nobody asks it, and no answer is fresh."""
    new = _insert(tx, a).values(**row)
    taken = new.on_conflict_do_update(
        index_elements=["source", "question"],
        set_={name: new.excluded[name] for name in ("claim", "facts", "asked_at", "expires_at")},
        where=a.c.expires_at <= now,
    )
    return tx.execute(taken.returning(a.c.source)).first() is not None


def settle(tx: Connection, source: str, question: str, claim: str, values: Mapping[str, Any]) -> None:
    """Keep the answer; not where the claim is gone: the person was erased meanwhile."""
    mine = update(a).where(a.c.source == source, a.c.question == question, a.c.claim == claim)
    tx.execute(mine.values(claim="", **values))


def give_up(tx: Connection, source: str, question: str, claim: str) -> None:
    tx.execute(delete(a).where(a.c.source == source, a.c.question == question, a.c.claim == claim))


def of_questions(tx: Connection, questions: Collection[str]) -> Sequence[Answer]:
    return tx.execute(select(a).where(a.c.question.in_(questions))).all()


def forget_questions(tx: Connection, questions: Collection[str]) -> None:
    tx.execute(delete(a).where(a.c.question.in_(questions)))


def forget_old(tx: Connection, now: datetime, first_day: str) -> None:
    tx.execute(delete(a).where(a.c.expires_at <= now))
    tx.execute(delete(s).where(s.c.day < first_day))


def take_credit(tx: Connection, source: str, day: str, site_id: str, most: float) -> bool:
    """Take one credit of this day, if there is one left."""
    row = {"source": source, "day": day, "site_id": site_id, "asked": 0, "matches": 0, "credits": 0, "spent_up": False}
    tx.execute(_insert(tx, s).values(**row).on_conflict_do_nothing())
    mine = s.c.source == source, s.c.day == day
    taken = update(s).where(*mine, s.c.credits + 1 <= most).values(credits=s.c.credits + 1, asked=s.c.asked + 1)
    if tx.execute(taken).rowcount == 1:
        return True
    tx.execute(update(s).where(*mine).values(spent_up=True))
    return False


def correct_credit(tx: Connection, source: str, day: str, more: float, matched: bool) -> None:
    """What it has really cost: so much more, or less, than was taken."""
    mine = update(s).where(s.c.source == source, s.c.day == day)
    tx.execute(mine.values(credits=s.c.credits + more, matches=s.c.matches + int(matched)))


def spent(tx: Connection, site_id: str, since: str) -> Sequence[Row[Any]]:
    return tx.execute(select(s).where(s.c.site_id == site_id, s.c.day >= since).order_by(s.c.day.desc())).all()


def _insert(tx: Connection, table: Any) -> Any:
    return (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(table)
