"""How a site's sources stand today: in which order they are asked, what they were asked, what it has cost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from server.adapters import connections
from server.config.version import Version
from server.enrichment import asking, sources, store
from server.enrichment.sources import Source


@dataclass(frozen=True)
class Standing:
    """`credits` of `limit` are spent; `refused`: somebody was not looked up for want of credits."""

    source: Source
    title: str
    answers: tuple[str, ...]
    limit: int
    asked: int = 0
    matches: int = 0
    credits: float = 0.0
    refused: bool = False
    problem: str = ""


def today(tx: Connection, version: Version) -> list[Standing]:
    """In the order in which they are asked, those on this machine first."""
    day = asking.today(version)
    spent = {row.source: row for row in store.spent(tx, version.site_id, day) if row.day == day}
    found = sorted(sources.of_site(tx, version), key=lambda one: not one.local)
    return [_standing(version, source, spent.get(source.id)) for source in found]


def _standing(version: Version, source: Source, row: object) -> Standing:
    counts = {name: getattr(row, name) for name in ("asked", "matches", "credits")} if row is not None else {}
    connection = source.connection
    return Standing(
        source,
        source.adapter.title or source.name,
        tuple(sorted(one.value for one in source.adapter.capabilities if source.can(one))),  # type: ignore[arg-type]
        version.site.enrichment.credits_of(source.name),
        **counts,
        refused=bool(getattr(row, "spent_up", False)),
        problem=connection.problem if connection and connection.state == connections.BROKEN else "",
    )
