"""A rep chooses among the calendars of a service they have connected: which block, and which one gets the events."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection as Transaction

from plugins.errors import PluginError
from server.adapters import connections, own_calendars
from server.adapters.connections import Connection
from server.booking import store
from server.booking.connected import told_store
from server.booking.connected.resettling import resettle
from server.config.service import Version
from server.db import Database
from server.events import Actor

PATIENCE_SECONDS = 10.0
"""How long somebody who has just connected waits for the list of their calendars."""


def settle_first(db: Database, version: Version, connection: Connection, *, actor: Actor) -> str:
    """What is chosen for a rep who has just connected, or connected again, before they choose themself. Returns what
    they have to know: the calendars could not be listed, or some are gone; "" mostly. Outside of every transaction."""
    try:
        known = own_calendars.offered(db, connection, seconds=PATIENCE_SECONDS)
    except PluginError as problem:
        return f"Your calendars could not be listed: {problem.user_message}"
    with db.transaction() as tx:
        there = connections.get(tx, connection.id)
        _, own = own_calendars.of_reps(tx, version, [there.rep])
        others = [one for one in own.get(there.rep, ()) if one.id != there.id]
        taken = any(own_calendars.choice_of(one).events for one in others)
        before = own_calendars.choice_of(there)
        chosen = own_calendars.usual(known, before=before, gets_events=not taken)
        if not chosen.known:
            return "This account has no calendars."
        _keep(tx, version, there, chosen, actor)
    gone = [before.title_of(one) or one for one in before.blocking if one not in chosen.blocking]
    return f"No longer there, and so no longer blocking your time: {', '.join(gone)}." if gone else ""


def choose_calendars(
    tx: Transaction, version: Version, connection_id: str, blocking: Sequence[str], events: str, *, actor: Actor
) -> None:
    """Keep a rep's choice. It holds at once: a calendar that has not been read yet keeps the rep out until it is.
    Invalid when one is not there, or nothing can be written to the one for events."""
    connection = connections.get(tx, connection_id)
    before = own_calendars.choice_of(connection)
    _keep(tx, version, connection, own_calendars.Choice(tuple(blocking), events, before.known), actor)


def _keep(
    tx: Transaction, version: Version, connection: Connection, choice: own_calendars.Choice, actor: Actor
) -> None:
    rep, before = connection.rep, own_calendars.choice_of(connection)
    store.lock_calendars(tx, version.site_id, [rep])
    kept = own_calendars.choice_of(own_calendars.choose(tx, connection, choice, actor=actor))
    for gone in set(before.blocking) - set(kept.blocking):
        told_store.forget_calendar(tx, version.site_id, rep, connection.id, gone)
    store.touch(tx, version.site_id, [rep])
    resettle(tx, version, [rep])
