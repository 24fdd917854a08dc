"""The statements on sites and config versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from server import clock, ids
from server.config.tables import config_versions, sites
from server.config.version import Version

_ACTIVE_OF = select(sites.c.active_version_id).where(sites.c.id == bindparam("site_id"))
_VERSIONS: Select[Any] = select(config_versions, sites.c.key.label("site_key")).join_from(config_versions, sites)
_SUMMARY: Select[Any] = select(
    *(column for column in config_versions.c if column.name != "files"),
    (sites.c.active_version_id == config_versions.c.id).label("is_active"),
).join_from(config_versions, sites)


def lock_site(tx: Connection, key: str) -> Row[Any]:
    """The site's row, made if need be, held until the transaction ends: one apply at a time."""
    if not _touch(tx, key):
        try:
            with tx.begin_nested():
                row = {"id": ids.new_id("site"), "key": key, "active_version_id": None, "rev": 0}
                tx.execute(insert(sites), {**row, "created_at": clock.now()})
        except IntegrityError:  # another process made it meanwhile
            _touch(tx, key)
    return tx.execute(select(sites).where(sites.c.key == key)).one()


def _touch(tx: Connection, key: str) -> bool:
    return tx.execute(update(sites).where(sites.c.key == key).values(rev=sites.c.rev + 1)).rowcount == 1


def all_sites(tx: Connection) -> list[Row[Any]]:
    return list(tx.execute(select(sites).order_by(sites.c.key)).all())


def active_id(tx: Connection, key: str) -> str | None:
    return tx.execute(select(sites.c.active_version_id).where(sites.c.key == key)).scalar()


def active_id_of(tx: Connection, site_id: str) -> str | None:
    return tx.execute(_ACTIVE_OF, {"site_id": site_id}).scalar()


def find(tx: Connection, version_id: str) -> Row[Any] | None:
    return tx.execute(_VERSIONS.where(config_versions.c.id == version_id)).one_or_none()


def find_number(tx: Connection, site_id: str, number: int) -> Row[Any] | None:
    found = _VERSIONS.where(config_versions.c.site_id == site_id, config_versions.c.number == number)
    return tx.execute(found).one_or_none()


def find_hash(tx: Connection, site_id: str, digest: str) -> Row[Any] | None:
    found = _VERSIONS.where(config_versions.c.site_id == site_id, config_versions.c.hash == digest)
    return tx.execute(found).one_or_none()


def summaries(tx: Connection, site_id: str) -> list[Row[Any]]:
    """All versions without their files, newest first."""
    found = _SUMMARY.where(config_versions.c.site_id == site_id)
    return list(tx.execute(found.order_by(config_versions.c.number.desc())).all())


def add(tx: Connection, site_id: str, fresh: Version, author: str, note: str) -> str:
    """Keep a candidate under the site's next number; its id."""
    version_id = ids.new_id("version")
    last = select(func.max(config_versions.c.number)).where(config_versions.c.site_id == site_id)
    row = {
        "id": version_id,
        "site_id": site_id,
        "number": (tx.execute(last).scalar() or 0) + 1,
        "hash": fresh.hash,
        "files": fresh.files,
        "author": author,
        "note": note,
        "created_at": clock.now(),
    }
    tx.execute(insert(config_versions), row)
    return version_id


def activate(tx: Connection, site_id: str, version_id: str) -> None:
    tx.execute(update(sites).where(sites.c.id == site_id).values(active_version_id=version_id))
