"""Tell of what has come to rest: conversations in which nothing is said any more, visits that are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from server import clock
from server.config import service as config
from server.config.service import Version
from server.conversations import service as conversations
from server.db import Database
from server.leads import service as leads
from server.outbox import service as outbox
from server.routing.schema import Segments
from server.sync import telling, transcripts
from server.sync.schema import Crm
from server.visitors import service as visitors

LATELY, LONG_AGO = timedelta(days=1), timedelta(days=30)
A_PAGE = 500


def tell_at_rest(db: Database, *, within: timedelta = LATELY) -> int:
    """Everything that came to rest within this time and was not told yet; how much was told. Each is a transaction of
    its own."""
    told = 0
    for site in config.sites(db):
        version = config.version(db, site.active_version_id) if site.active_version_id else None
        if version is None:
            continue
        until = clock.now() - timedelta(minutes=version.part(Crm).rest_minutes)
        for talk_id in list(_untold_talks(db, version, until - within, until)):
            with db.transaction() as tx:
                told += telling.conversation(tx, talk_id)
        if "visit" in version.part(Crm).interactions:
            for over, pages in list(_untold_visits(db, version, until - within, until)):
                with db.transaction() as tx:
                    told += telling.visit(tx, version, over, pages)
    return told


def _untold_talks(db: Database, version: Version, since: datetime, until: datetime) -> Iterator[str]:
    while True:
        with db.reading() as tx:
            page = conversations.at_rest(
                tx, leads.ids_reachable(version.site_id), since=since, until=until, limit=A_PAGE
            )
            keys = {transcripts.key_of(one.id, one.seq): one.id for one in page}
            known = outbox.keys_known(tx, list(keys))
        yield from (id for key, id in keys.items() if key not in known)
        if len(page) < A_PAGE or page[-1].last_at == since:
            return
        since = page[-1].last_at


def _untold_visits(db: Database, version: Version, since: datetime, until: datetime) -> Iterator[tuple[Any, list[Any]]]:
    while True:
        with db.reading() as tx:
            page = visitors.visits_over(
                tx, leads.ids_reachable(version.site_id), since=since, until=until, limit=A_PAGE
            )
            known = outbox.keys_known(tx, [telling.visit_key(one.id) for one, _ in page])
        for one, pages in page:
            if telling.visit_key(one.id) not in known and _is_telling(version, pages):
                yield one, pages
        if len(page) < A_PAGE or page[-1][0].last_at == since:
            return
        since = page[-1][0].last_at


def _is_telling(version: Version, pages: list[Any]) -> bool:
    """Whether one of the pages is of high intent, by the conditions of segments.yml over the page alone."""
    segments = version.part(Segments)
    return any(segments.intent_of({"page": {"path": page.path, "title": page.title}}) == "high" for page in pages)
