"""What runs every so often. The whole list is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from server import clock
from server.adapters import service as adapters
from server.booking import service as booking
from server.config import service as config
from server.db import Database
from server.outbox import service as outbox


@dataclass(frozen=True)
class Job:
    """`do` must be harmless when it runs twice, or in two processes at once."""

    name: str
    every: timedelta
    do: Callable[[Database], None]


def release_expired_holds(db: Database) -> None:
    """A time that was held and not confirmed is open again."""
    with db.transaction() as tx:
        booking.release_expired(tx, clock.now())


def release_what_the_dead_had_in_hand(db: Database) -> None:
    """Deliveries of a worker that was killed go out without waiting for the end of its lease."""
    outbox.release_dead(db)


def read_calendars_ahead(db: Database) -> None:
    """Connected calendars are read before anybody asks; one that is silent takes its rep out of the pool."""
    for site in config.sites(db):
        if site.active_version_id:
            version = config.version(db, site.active_version_id)
            booking.read_ahead(db, version, lambda of=version: adapters.opened(db, of, "calendar"))  # type: ignore[misc]


TIMETABLE: tuple[Job, ...] = (
    Job("release what killed workers had in hand", timedelta(seconds=5), release_what_the_dead_had_in_hand),
    Job("release expired holds", timedelta(seconds=5), release_expired_holds),
    Job("read calendars ahead", timedelta(minutes=5), read_calendars_ahead),
)
