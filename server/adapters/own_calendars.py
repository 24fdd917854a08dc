"""Reps' own calendars: which connections each has, which of their calendars block, and which one gets the events. Who
has none uses the site's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection as Transaction

from plugins import registry
from plugins.calendar import CalendarInfo, Capability
from plugins.errors import ConfigError
from server import events
from server.adapters import found, health, opening, store
from server.adapters.connection import BROKEN, WORKING, Connection, shaped
from server.config.service import Version
from server.db import Database
from server.errors import Invalid, NotFound
from server.events import Actor

KIND = "calendar"
FEW = 20
"""Reps who are asked for by name; of more, all the site's are read."""
_LONGEST_ID = 200


@dataclass(frozen=True)
class Choice:
    """What a rep has chosen among the calendars of a connection. The one that gets the events ("" for none) blocks as
    well. `known`: all that there were when somebody last looked."""

    blocking: tuple[str, ...] = ()
    events: str = ""
    known: tuple[CalendarInfo, ...] = ()

    def title_of(self, calendar: str) -> str:
        """What the service calls it; "" when it was not told."""
        return next((one.title for one in self.known if one.id == calendar), "")


def choice_of(connection: Connection) -> Choice:
    """What was chosen; nothing right after connecting."""
    kept = connection.calendars
    known = tuple(CalendarInfo(**one) for one in kept.get("known", ()))
    return Choice(tuple(kept.get("blocking", ())), str(kept.get("events", "")), known)


def of_reps(
    tx: Transaction, version: Version, reps: Sequence[str] | None = None
) -> tuple[Connection | None, dict[str, list[Connection]]]:
    """The site's calendar connection (None: the built-in one), and by rep those of their own that serve and of which
    calendars were chosen. `reps` None: everybody's."""
    few = ("", *reps) if reps is not None and len(reps) <= FEW else None
    site, own = None, dict[str, list[Connection]]()
    for row in store.calendars(tx, version.site_id, few):
        one = shaped(row)
        if not one.rep:
            site = one
        elif choice_of(one).blocking:
            own.setdefault(one.rep, []).append(one)
    return site or found.of_environment(tx, version, KIND), own


def any_connected(tx: Transaction, version: Version) -> bool:
    """Whether anybody's calendar on this site is somebody else's service."""
    return found.is_connected(tx, version, KIND) or store.any_calendar(tx, version.site_id)


def events_of(tx: Transaction, version: Version, rep: str) -> tuple[Connection | None, str]:
    """Where a rep's events go: the connection and calendar of their own; else the site's connection (None: the built-in
    adapter), and the calendar that team.yml names, as ""."""
    site, own = of_reps(tx, version, [rep])
    for one in own.get(rep, ()):
        if calendar := choice_of(one).events:
            return one, calendar
    return (site if site is None or _can(site, Capability.WRITE) else None), ""


def through(tx: Transaction, version: Version, connection_id: str) -> Connection | None:
    """What serves an event that was written through this connection ("" when it was the built-in adapter, or nobody
    knows): the rep's own; for the site's, whatever serves the site now. NotFound for a rep's that has ended."""
    row = store.get(tx, connection_id) if connection_id else None
    if row is None or not row.rep:
        return events_of(tx, version, "")[0]
    if not shaped(row).serves:
        raise NotFound("The calendar that this stands in is no longer connected.")
    return shaped(row)


def is_own(tx: Transaction, connection_id: str) -> bool:
    """Whether it is, or was, a rep's and not the site's."""
    row = store.get(tx, connection_id) if connection_id else None
    return row is not None and bool(row.rep)


def of_nobody(tx: Transaction, site_id: str, reps: Collection[str]) -> list[Connection]:
    """The connections of those who are not among the `reps` of the team any more: only an owner can end them."""
    return [one for one in found.all_of(tx, site_id) if one.rep and one.rep not in reps]


def offered(db: Database, connection: Connection, *, seconds: float | None = None) -> tuple[CalendarInfo, ...]:
    """The calendars of the connected account, asked for now. Raises plugins.errors."""
    with health.watched(db, connection):
        adapter = opening.open(db, connection, seconds=seconds)
        try:
            there = adapter.calendars()
        finally:
            adapter.close()
    writes = _can(connection, Capability.WRITE)
    return tuple(one if writes else replace(one, writable=False) for one in there if len(one.id) <= _LONGEST_ID)


def usual(known: Sequence[CalendarInfo], *, before: Choice, gets_events: bool) -> Choice:
    """What is chosen for somebody who has just connected: what they had chosen before as far as it is still there; else
    their usual calendar, which gets the events if none does yet (`gets_events`). Of a service that nothing is written
    to, all of them."""
    ids = {one.id: one for one in known}
    kept = tuple(one for one in before.blocking if one in ids)
    if kept:
        return Choice(kept, before.events if before.events in kept else "", tuple(known))
    main = next((one for one in known if one.primary), next(iter(known), None))
    if main is None:
        return Choice((), "", ())
    if not any(one.writable for one in known):
        return Choice(tuple(ids), "", tuple(known))
    return Choice((main.id,), main.id if gets_events and main.writable else "", tuple(known))


def choose(tx: Transaction, connection: Connection, choice: Choice, *, actor: Actor) -> Connection:
    """Keep what a rep has chosen; another connection of theirs that got the events gets them no more. Invalid for
    calendars that are not there, or that cannot be written to."""
    known = {one.id: one for one in choice.known}
    if set(choice.blocking) - set(known) or (choice.events and choice.events not in known):
        raise Invalid("One of these calendars is not there any more; please look again.")
    if choice.events and not known[choice.events].writable:
        raise Invalid("Nothing can be written to this calendar; choose another one for the meetings.")
    wanted = [*choice.blocking, *([choice.events] if choice.events else [])]
    _keep(tx, connection, replace(choice, blocking=tuple(dict.fromkeys(wanted))))
    if choice.events:
        for row in store.calendars(tx, connection.site_id, (connection.rep,)):
            other = shaped(row)
            if other.id != connection.id and choice_of(other).events:
                _keep(tx, other, replace(choice_of(other), events=""))
    health.record(tx, events.CONNECTION_CHANGED, connection, actor, reason="other calendars were chosen")
    return found.get(tx, connection.id)


def title_of(connection: Connection) -> str:
    """What the service is called, also when its adapter is gone."""
    try:
        return registry.load(connection.kind, connection.name).title
    except ConfigError:
        return connection.name


def can(connection: Connection, capability: Capability) -> bool:
    """Whether its adapter does this."""
    return _can(connection, capability)


def _keep(tx: Transaction, connection: Connection, choice: Choice) -> None:
    known = [asdict(one) for one in choice.known]
    chosen = {"blocking": list(choice.blocking), "events": choice.events, "known": known}
    if not store.change(tx, connection.id, {"calendars": chosen}, (WORKING, BROKEN)):
        raise NotFound("This calendar is no longer connected.")


def _can(connection: Connection, capability: Capability) -> bool:
    try:
        return capability in registry.load(connection.kind, connection.name).capabilities
    except ConfigError:
        return True
