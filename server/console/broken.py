"""Connections that wait for the person who asks: shown on every page."""

from __future__ import annotations

from plugins import registry
from plugins.errors import ConfigError
from server.adapters import connections
from server.adapters.connections import Connection
from server.console import here


def broken_connections() -> list[Connection]:
    """Those of the sites looked at, for who may see them, and one's own calendar."""
    rep, everything = here.user().rep, here.may("see_connections")
    with here.database().reading() as tx:
        found = connections.broken_ones(tx, here.looked_at())
    return [one for one in found if (one.rep == rep if one.rep else everything)]


def title_of(connection: Connection) -> str:
    """What its service is called, also when its adapter is gone."""
    try:
        return registry.load(connection.kind, connection.name).title
    except ConfigError:
        return connection.name
