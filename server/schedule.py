"""What runs every so often. The whole list is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from server import clock, settings
from server.adapters import connections
from server.adapters import service as adapters
from server.booking import service as booking
from server.config import service as config
from server.config.service import Version
from server.db import Database
from server.enrichment import service as enrichment
from server.meters import service as meters
from server.outbox import service as outbox
from server.routing.schema import Team
from server.sync import service as sync
from server.visitors import keys


@dataclass(frozen=True)
class Job:
    """`do` must be harmless when it runs twice, or in two processes at once. `aside`: it waits for others' services, so
    it has a thread of its own (under gevent: a greenlet), and deliveries go on. `when`: whether there is any need."""

    name: str
    every: timedelta
    do: Callable[[Database], None]
    aside: bool = False
    when: Callable[[Database], bool] = lambda _: True


def release_expired_holds(db: Database) -> None:
    """A time that was held and not confirmed is open again."""
    with db.transaction() as tx:
        booking.release_expired(tx, clock.now())


def release_what_the_dead_had_in_hand(db: Database) -> None:
    """Deliveries of a worker that was killed go out without waiting for the end of its lease."""
    outbox.release_dead(db)


def read_calendars_ahead(db: Database) -> None:
    """Connected calendars are read before anybody asks; one that is silent takes its rep out of the pool."""
    for version in _connected(db):
        booking.read_ahead(db, version, partial(connections.open, db), due=True)


def follow_calendars(db: Database) -> None:
    """What reps change in their own calendars, their meetings follow; such a calendar is read anew at once."""
    for version in _connected(db):
        news = booking.follow(db, version, partial(connections.open, db))
        booking.read_ahead(db, version, partial(connections.open, db), only=news)


def hear_calendars(db: Database) -> None:
    """What services have called to say is looked at now."""
    for site_id, reps in booking.hear_calendars(db, partial(connections.open, db)).items():
        with db.reading() as tx:
            version = config.active_of(tx, site_id)
        booking.read_changed(db, version, reps, partial(connections.open, db))


def keep_watches(db: Database) -> None:
    """Services go on calling when a calendar changes."""
    for version in _connected(db):
        booking.keep_watches(db, version, partial(connections.open, db))


def put_events_in_their_calendars(db: Database) -> None:
    """What could not be moved when a rep changed calendars, because it was just on its way, is moved now."""
    for version in _connected(db):
        with db.transaction() as tx:
            booking.resettle(tx, version, [rep.id for rep in version.part(Team).reps])


def has_connected_calendars(db: Database) -> bool:
    """Whether any site's calendars, or a rep's, are somebody else's."""
    return any(True for _ in _connected(db))


def _connected(db: Database) -> Iterator[Version]:
    """The active versions on which somebody's calendar is somebody else's."""
    for site in config.sites(db):
        version = config.version(db, site.active_version_id) if site.active_version_id else None
        if version is not None and _is_connected(db, version):
            yield version


def _is_connected(db: Database, version: Version) -> bool:
    with db.reading() as tx:
        return booking.has_connected_calendars(tx, version)


def check_broken_connections(db: Database) -> None:
    """What is broken may have been mended at the service; what waited for it goes out then."""
    connections.check_broken(db)


def seal_under_the_present_key(db: Database) -> None:
    """After a change of USHER_SECRET_KEY the old one is not needed for ever."""
    connections.reseal(db)
    keys.reseal(db)


def has_old_keys(_: Database) -> bool:
    """Whether the operator has named any."""
    return bool(settings.get().old_keys)


def forget_what_services_said_long_ago(db: Database) -> None:
    """Messages that were done, and sign-ins that nobody finished."""
    connections.forget_old(db)


def read_answers(db: Database) -> None:
    """Answers to invitations that came by mail."""
    booking.read_mailbox(db, partial(adapters.inbox, db))


def has_mailbox(_: Database) -> bool:
    """Whether the operator has set one up."""
    return bool(settings.get().inbox)


def tell_crm_what_rests(db: Database) -> None:
    """Conversations that nobody goes on with, and visits that are over, are told to the CRM."""
    sync.tell_at_rest(db)


def tell_crm_what_rested_long_ago(db: Database) -> None:
    """What came to rest while no worker ran."""
    sync.tell_at_rest(db, within=sync.LONG_AGO)


def keep_what_was_counted(db: Database) -> None:
    """What this process has called and delivered is added to what all have."""
    meters.keep(db)


def forget_what_was_looked_up(db: Database) -> None:
    """Answers of enrichment services that are kept no longer."""
    enrichment.forget_old(db)


TIMETABLE: tuple[Job, ...] = (
    Job("forget what was looked up", timedelta(hours=1), forget_what_was_looked_up),
    Job("release what killed workers had in hand", timedelta(seconds=5), release_what_the_dead_had_in_hand),
    Job("check broken connections", timedelta(minutes=15), check_broken_connections, True, connections.any_broken),
    Job("seal under the present key", timedelta(days=1), seal_under_the_present_key, True, has_old_keys),
    Job("forget what services said long ago", timedelta(days=1), forget_what_services_said_long_ago),
    Job("release expired holds", timedelta(seconds=5), release_expired_holds),
    Job("keep what was counted", timedelta(seconds=15), keep_what_was_counted),
    Job("read calendars ahead", timedelta(minutes=1), read_calendars_ahead, True, has_connected_calendars),
    Job("read answers to invitations", timedelta(minutes=1), read_answers, True, has_mailbox),
    Job("follow calendars", timedelta(minutes=1), follow_calendars, True, has_connected_calendars),
    Job("hear calendars", timedelta(seconds=2), hear_calendars, True, booking.told_of_calendars),
    Job("keep watches of calendars", timedelta(minutes=10), keep_watches, True, has_connected_calendars),
    Job("put events in place", timedelta(hours=1), put_events_in_their_calendars, True, has_connected_calendars),
    Job("compare with the CRM as asked", timedelta(seconds=5), sync.compare_asked, True, sync.is_asked),
    Job("compare with the CRM weekly", timedelta(hours=6), sync.compare_when_due, True),
    Job("follow the CRM", timedelta(seconds=15), sync.follow_all, True, sync.has_connected),
    Job("do what CRMs called to say", timedelta(seconds=5), sync.do_messages, True, sync.has_messages),
    Job("tell the CRM what rests", timedelta(minutes=1), tell_crm_what_rests, True),
    Job("tell the CRM what rested long ago", timedelta(days=1), tell_crm_what_rested_long_ago, True),
)
