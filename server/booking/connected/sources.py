"""Which calendars make a rep busy, and through which connection each is read: the rep's own, else the site's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection as Transaction

from server.adapters import own_calendars
from server.adapters.connections import Connection
from server.config.service import Version
from server.routing.schema import Rep, Team

Key = tuple[str, str]


@dataclass(frozen=True)
class Source:
    """One calendar of a rep: all of them block, one `gets_events`. `title` tells it from the rep's others, "" where
    there are none."""

    rep: str
    connection: Connection
    calendar: str
    gets_events: bool = True
    title: str = ""

    @property
    def key(self) -> Key:
        """What is asked: one calendar of one connection, whosever it is."""
        return self.connection.id, self.calendar

    @property
    def is_own(self) -> bool:
        return bool(self.connection.rep)

    @property
    def position(self) -> str:
        """The name under which it is kept how far the changes of this calendar have been read."""
        own = f"{self.connection.id}:" if self.is_own else ""
        return f"calendar:{self.rep}:{own}{self.calendar}"[:260]

    def named(self, said: str) -> str:
        """What is wrong with it, so that its rep knows which one is meant."""
        return f"{self.title}: {said}" if self.title and said else said


def of(tx: Transaction, version: Version, reps: Sequence[Rep]) -> dict[str, tuple[Source, ...]]:
    """What has to be known before these reps count as free; nothing for whom the built-in calendar serves."""
    site, own = own_calendars.of_reps(tx, version, [rep.id for rep in reps])
    return {rep.id: _of_rep(rep, site, own.get(rep.id, ())) for rep in reps}


def of_names(tx: Transaction, version: Version, reps: Sequence[str]) -> dict[str, tuple[Source, ...]]:
    """The same by the ids of reps; nothing for who has left."""
    team = version.part(Team).reps_by_id
    return of(tx, version, [team[rep] for rep in reps if rep in team])


def by_connection(found: Sequence[Source]) -> list[tuple[Connection, list[str]]]:
    """Each connection with the calendars to ask it about, each once."""
    connections: dict[str, Connection] = {}
    names: dict[str, dict[str, None]] = {}
    for one in found:
        connections[one.connection.id] = one.connection
        names.setdefault(one.connection.id, {})[one.calendar] = None
    return [(connections[id], sorted(calendars)) for id, calendars in names.items()]


def all_keys(found: Mapping[str, Sequence[Source]]) -> set[Key]:
    return {one.key for sources in found.values() for one in sources}


def _of_rep(rep: Rep, site: Connection | None, own: Sequence[Connection]) -> tuple[Source, ...]:
    """Own calendars take the site's place where one of them gets the events; else they block beside it."""
    found = [one for connection in own for one in _chosen(rep.id, connection)]
    if site is not None and not any(one.gets_events for one in found):
        title = f"{own_calendars.title_of(site)} ({rep.calendar_id})" if found else ""
        found.append(Source(rep.id, site, rep.calendar_id, True, title))
    return tuple(found)


def _chosen(rep: str, connection: Connection) -> list[Source]:
    choice, service = own_calendars.choice_of(connection), own_calendars.title_of(connection)
    titles = {one: choice.title_of(one) for one in choice.blocking}
    return [
        Source(rep, connection, one, one == choice.events, f"{service} ({titles[one]})" if titles[one] else service)
        for one in choice.blocking
    ]
