"""Config versions: check a folder, make it the active version, look back, go back.

Content decides: applying what is active already changes nothing, and applying what an earlier version held makes that
version active again under its old number. So a number names one content for ever.
"""
from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from server import events
from server.config import store
from server.config.differences import Differences, between
from server.config.folder import Files, problems_of_layout
from server.config.problems import Problem
from server.config.version import Section, Version, all_sections, candidate
from server.db import Database
from server.errors import ConfigProblems, NotFound

_KEPT = 64  # versions a process keeps parsed
_cache: OrderedDict[str, Version] = OrderedDict()
_cache_lock = threading.Lock()


@dataclass(frozen=True)
class Summary:
    """A version in a list, without its files."""

    id: str
    number: int
    hash: str
    author: str
    note: str
    created_at: datetime
    is_active: bool


@dataclass(frozen=True)
class SiteRow:
    """A site as the database knows it; `active_version_id` is None before the first apply has ended."""

    id: str
    key: str
    active_version_id: str | None


def check(files: Files, sections: Sequence[Section]) -> list[Problem]:
    """All that is wrong with a folder, by file and line; cross checks run once each part is good by itself."""
    return problems_in(candidate(files), sections)


def problems_in(version: Version, sections: Sequence[Section]) -> list[Problem]:
    """As `check`, for a version in hand: what was parsed for the check need not be parsed again."""
    rooms = all_sections(sections)
    problems = problems_of_layout(version.files)
    for file in version.files:
        problems += version.document(file).problems
    for section in rooms:
        problems += version.problems(section.model)
    if not problems:
        for section in rooms:
            problems += section.cross_check(version) if section.cross_check else []
    return sorted(set(problems))


def apply(db: Database, files: Files, *, author: str, note: str = "", sections: Sequence[Section] = ()) -> Version:
    """Make `files` the site's active version. All or nothing; raises ConfigProblems and leaves the old one active."""
    fresh = candidate(files)
    problems = problems_in(fresh, sections)
    if problems:
        raise ConfigProblems(problems)
    with db.transaction() as tx:
        site = store.lock_site(tx, fresh.site.key)
        known = store.find_hash(tx, site.id, fresh.hash)
        version_id = known.id if known else store.add(tx, site.id, fresh, author, note)
        if version_id != site.active_version_id:
            _activate(tx, events.CONFIG_APPLIED, site, version_id, author, note)
        row = store.find(tx, version_id)
    return _kept(row)


def rollback(db: Database, site_key: str, number: int, author: str) -> Version:
    """Make an earlier version active again. NotFound when the site has no such number."""
    with db.transaction() as tx:
        if store.active_id(tx, site_key) is None:
            raise _no_site(site_key)
        site = store.lock_site(tx, site_key)
        row = store.find_number(tx, site.id, number)
        if row is None:
            raise NotFound(f"The site {site_key} has no version {number}; `usher versions` lists them.")
        if row.id != site.active_version_id:
            _activate(tx, events.CONFIG_ROLLED_BACK, site, row.id, author, f"back to version {number}")
    return _kept(row)


def active(source: Database | Connection, site_key: str) -> Version:
    """The version that new conversations start with. NotFound for an unknown site."""
    with _looking(source) as tx:
        version_id = store.active_id(tx, site_key)
        if version_id is None:
            raise _no_site(site_key)
        return version(tx, version_id)


def active_of(source: Database | Connection, site_id: str) -> Version:
    """As `active`, by the site's id."""
    with _looking(source) as tx:
        version_id = store.active_id_of(tx, site_id)
        if version_id is None:
            raise _no_site(site_id)
        return version(tx, version_id)


def version(source: Database | Connection, version_id: str) -> Version:
    """A version by its id, parsed once per process. NotFound when there is none."""
    with _cache_lock:
        if version_id in _cache:
            _cache.move_to_end(version_id)
            return _cache[version_id]
    with _looking(source) as tx:
        row = store.find(tx, version_id)
    if row is None:
        raise NotFound("There is no such config version.")
    return _kept(row)


def versions(source: Database | Connection, site_id: str) -> list[Summary]:
    """All versions of a site, newest first."""
    with _looking(source) as tx:
        rows = store.summaries(tx, site_id)
    return [
        Summary(row.id, row.number, row.hash, row.author, row.note, row.created_at, bool(row.is_active)) for row in rows
    ]


def numbered(source: Database | Connection, site_id: str, number: int) -> Version:
    """A version by its number. NotFound when the site has none of it."""
    with _looking(source) as tx:
        row = store.find_number(tx, site_id, number)
    if row is None:
        raise NotFound(f"There is no version {number}.")
    return _kept(row)


def sites(source: Database | Connection) -> list[SiteRow]:
    """All sites, by key."""
    with _looking(source) as tx:
        return [SiteRow(row.id, row.key, row.active_version_id) for row in store.all_sites(tx)]


def diff(before: Version, after: Version) -> Differences:
    """What changed: a unified text diff and the keys that differ."""
    return between(before, after)


def export(version: Version) -> Files:
    """The files as they were applied."""
    return dict(version.files)


def _activate(tx: Connection, name: str, site: Row[Any], version_id: str, author: str, reason: str) -> None:
    store.activate(tx, site.id, version_id)
    events.record(
        tx,
        name,
        site_id=site.id,
        subject=("version", version_id),
        actor=events.Actor("user", author, author),
        reason=reason,
        version_id=version_id,
        data={"before": site.active_version_id},
    )


def _kept(row: Row[Any] | None) -> Version:
    if row is None:
        raise NotFound("There is no such config version.")
    with _cache_lock:
        if row.id not in _cache:
            _cache[row.id] = Version(
                row.files, row.id, row.site_id, row.site_key, row.number, row.hash, row.author, row.note, row.created_at
            )
        _cache.move_to_end(row.id)
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
        return _cache[row.id]


@contextmanager
def _looking(source: Database | Connection) -> Iterator[Connection]:
    """The caller's transaction when there is one."""
    if isinstance(source, Connection):
        yield source
        return
    with source.reading() as tx:
        yield tx


def _no_site(name: str) -> NotFound:
    return NotFound(f"There is no site {name}; apply a site folder with this key first.")
