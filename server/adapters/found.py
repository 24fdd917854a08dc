"""Which connection serves a site's kind of service, and which there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection as Transaction

from server import ids, settings
from server.adapters import store
from server.adapters.connection import BUILT_IN, ENVIRONMENT, Connection, shaped
from server.config import service as config
from server.config.service import Version
from server.errors import NotFound

ASKED = ("crm", "calendar", "marketing")
"""Kinds of which one adapter serves, that site.yml names."""


def serving(tx: Transaction, version: Version, kind: str, rep: str = "") -> Connection | None:
    """The connection that serves `kind` ("crm", or a named adapter: "enrichment.ipinfo"): made in the console, a
    `rep`'s own before the site's; else the adapter that site.yml names, with settings from the environment. None: the
    built-in adapter serves. Mail ("notify" without a name) goes where the operator says, whatever is connected."""
    kind, _, name = kind.partition(".")
    if not name and kind not in ASKED:
        return of_environment(tx, version, kind)
    for row in store.serving(tx, version.site_id, kind, ("", rep) if rep else ("",)):
        if name in ("", row.name):
            return shaped(row)
    return of_environment(tx, version, kind, name)


def of_environment(tx: Transaction, version: Version, kind: str, name: str = "") -> Connection | None:
    """What site.yml names, or the adapter of this `name`, with settings from the environment; None for the built-in."""
    name = name or _named(version, kind)
    return None if name in ("", BUILT_IN) else _of_environment(tx, version.site_id, kind, name)


def is_connected(tx: Transaction, version: Version, kind: str, rep: str = "") -> bool:
    """Whether somebody else's service serves `kind`, and not the built-in adapter: `serving` without reading it."""
    if _named(version, kind) not in ("", BUILT_IN):
        return True
    return store.serves(tx, version.site_id, kind, ("", rep) if rep else ("",))


def all_of(tx: Transaction, site_id: str, kind: str | None = None) -> list[Connection]:
    """All connections of a site and its reps that are not off: those made in the console, and what site.yml names where
    nothing made in the console serves."""
    found = [shaped(row) for row in store.made(tx, site_id, kind)]
    taken = {one.kind for one in found if one.serves and not one.rep and one.kind in ASKED}
    taken |= {one.adapter for one in found if one.serves and not one.rep}
    named = [one for one in _named_in(tx, site_id) if kind in (None, one.kind)]
    return found + [one for one in named if one.kind not in taken and one.adapter not in taken]


def broken_ones(tx: Transaction, site_ids: Sequence[str]) -> list[Connection]:
    """What waits for a person, of these sites and their reps, as far as it still serves."""
    found = [shaped(row) for row in store.broken(tx, site_ids)]
    return [one for one in found if not one.from_environment or _is_named(tx, one)]


def counts(tx: Transaction) -> dict[tuple[str, str, str], int]:
    """How many connections there are by site id, adapter ("crm.hubspot") and state, those that are off left out."""
    made = Counter((row.site_id, f"{row.kind}.{row.name}", row.state) for row in store.everything(tx))
    named = [one for site in config.sites(tx) for one in _named_in(tx, site.id) if one.created_at is None]
    return {**made, **Counter((one.site_id, one.adapter, one.state) for one in named)}


def get(tx: Transaction, connection_id: str) -> Connection:
    """The connection, whatever its state. NotFound."""
    row = store.get(tx, connection_id)
    if row is not None:
        return shaped(row)
    for site in config.sites(tx):
        for one in _named_in(tx, site.id):
            if one.id == connection_id:
                return one
    raise NotFound("There is no such connection.")


def _named_in(tx: Transaction, site_id: str) -> Iterator[Connection]:
    """What site.yml names, built-in adapters left out."""
    try:
        version = config.active_of(tx, site_id)
    except NotFound:
        return
    pairs = [(kind, _named(version, kind)) for kind in (*ASKED, "notify")]
    pairs += [("enrichment", name) for name in version.site.adapters.enrichment]
    for kind, name in pairs:
        if name not in ("", BUILT_IN):
            yield _of_environment(tx, site_id, kind, name)


def _is_named(tx: Transaction, connection: Connection) -> bool:
    return any(one.id == connection.id for one in all_of(tx, connection.site_id, connection.kind))


def _named(version: Version, kind: str) -> str:
    """The adapter that serves where nothing is connected. Where mail goes is the operator's choice, not the site's."""
    if kind == "notify":
        return settings.get().mail_to.replace("none", "")
    named = getattr(version.site.adapters, kind)
    return str(named) if isinstance(named, str) else next((one for one in named if one != BUILT_IN), BUILT_IN)


def _of_environment(tx: Transaction, site_id: str, kind: str, name: str) -> Connection:
    """Its row holds how it stands and its tokens, and is made when there is something to hold."""
    id = ids.named_id("connection", site_id, kind, name)
    row = store.get(tx, id)
    return shaped(row) if row is not None else Connection(id, site_id, kind, name, origin=ENVIRONMENT, label=name)
