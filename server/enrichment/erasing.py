"""Show and erase what services answered about one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from plugins.enrichment import Capability
from server.adapters import connections
from server.enrichment import store
from server.enrichment.asking import Question


def held(tx: Connection, site_id: str, address: str) -> dict[str, Sequence[Row[Any]]]:
    """What is kept of answers about this address. Answers about network addresses are not the person's: nobody can tell
    whose they are, and they are gone within days."""
    return {"enrichment_answers": store.of_questions(tx, [_question(site_id, address)])}


def told(tx: Connection, site_id: str, address: str) -> set[str]:
    """Which services were asked about the person lately ("enrichment.pdl")."""
    ids = {row.source for row in store.of_questions(tx, [_question(site_id, address)])}
    return {one.adapter for one in connections.all_of(tx, site_id, "enrichment") if one.id in ids}


def erase(tx: Connection, site_id: str, address: str) -> None:
    """Nobody was asked; what is being answered at this moment is not kept either."""
    store.forget_questions(tx, [_question(site_id, address)])


def _question(site_id: str, address: str) -> str:
    return Question(Capability.PERSON_BY_EMAIL, address).digest(site_id)
