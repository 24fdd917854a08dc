"""Who can be asked on a site, and in which order: services connected in the console, then those that site.yml names.

A connected service that site.yml names has its place there, so owners can set the order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection as Transaction

from plugins import registry
from plugins.enrichment import Capability, Enrichment
from plugins.errors import PluginError
from plugins.fields import validate
from server.adapters import connections
from server.config.version import Version
from server.db import Database

BUILT_IN = "builtin"
LOOKED_UP_EVERY_SECONDS = 10.0
_log = logging.getLogger("usher.enrichment")
_cache: WeakKeyDictionary[Database, dict[str, tuple[float, bool]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Source:
    """One adapter that knows something. `connection` is None for the built-in one."""

    name: str
    adapter: type[Enrichment]
    connection: connections.Connection | None = None

    @property
    def id(self) -> str:
        return self.connection.id if self.connection else BUILT_IN

    @property
    def local(self) -> bool:
        """Whether it answers from this machine."""
        return self.adapter.local

    def can(self, capability: Capability) -> bool:
        """Whether it answers this question; the built-in one knows addresses only where reverse DNS is on."""
        if capability not in self.adapter.capabilities:
            return False
        return capability is not Capability.COMPANY_BY_IP or self.connection is not None or _reverse_dns(self.adapter)


def of_site(tx: Transaction, version: Version) -> list[Source]:
    """All of a site, in the order in which they are asked. One that cannot be loaded is left out, and logged."""
    return list(_found(tx, version))


def knows_addresses(db: Database, version: Version) -> bool:
    """Whether anybody could name the company behind an address; looked up every ten seconds, so that a `hello` on a
    site where nobody can costs nothing."""
    known, now = _cache.setdefault(db, {}), time.monotonic()
    at, answer = known.get(version.id, (-LOOKED_UP_EVERY_SECONDS, False))
    if now - at < LOOKED_UP_EVERY_SECONDS:
        return answer
    with db.reading() as tx:
        answer = any(source.can(Capability.COMPANY_BY_IP) for source in of_site(tx, version))
    known[version.id] = (now, answer)
    return answer


def look_again() -> None:
    """Somebody has connected or disconnected a service in this process."""
    _cache.clear()


def _found(tx: Transaction, version: Version) -> Iterator[Source]:
    named = version.site.adapters.enrichment
    made = [one for one in connections.all_of(tx, version.site_id, "enrichment") if one.serves and not one.rep]
    by_name = {one.name: one for one in sorted(made, key=lambda one: one.connected_at, reverse=True)}
    first = [one.name for one in sorted(made, key=lambda one: one.connected_at) if one.name not in named]
    for name in dict.fromkeys([*first, *named]):
        try:
            adapter = cast(type[Enrichment], registry.load("enrichment", name))
        except PluginError as problem:
            _log.warning("enrichment.%s is left out: %s", name, problem)
            continue
        yield Source(name, adapter, None if name == BUILT_IN else by_name.get(name))


def _reverse_dns(adapter: type[Enrichment]) -> bool:
    try:
        return bool(validate(adapter.fields, connections.given_by_environment(adapter))["reverse_dns"])
    except PluginError:
        return False
