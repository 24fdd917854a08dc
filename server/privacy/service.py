"""Give out or erase all that is held about one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from plugins.crm import Ref
from server import clock, events, ids, live
from server.adapters import erasing as adapters
from server.booking import erasing as booking
from server.config import service as config
from server.conversations import erasing as conversations
from server.conversations.frames import FORGOTTEN
from server.db import Database
from server.db.scrubbing import Wipe, compact
from server.enrichment import erasing as enrichment
from server.errors import Conflict, NotFound
from server.events import Actor
from server.leads import erasing as leads
from server.leads.service import email_key
from server.outbox import erasing as outbox
from server.people import service as people
from server.privacy import diary
from server.privacy.holdings import Holdings, find, rows
from server.routing import erasing as routing
from server.routing.schema import Team
from server.sync import erasing as sync
from server.visitors import erasing as visitors


@dataclass(frozen=True)
class Who:
    """A person by e-mail address, on all sites or one; or a lead, whose address may not be known."""

    email: str = ""
    site_key: str = ""
    lead_id: str = ""

    @property
    def address(self) -> str:
        """The folded address; without one a text that nobody has as theirs."""
        return email_key(self.email) or f"{self.lead_id}@nobody.invalid"

    @property
    def named(self) -> str:
        return self.email or self.lead_id


@dataclass(frozen=True)
class Look:
    """What there is: rows by table over all sites, and meetings that will take place."""

    counts: Mapping[str, int]
    ahead: Sequence[Any]


@dataclass
class Erased:
    """What was done. `by_hand`: systems that heard of the person and that Usher cannot make forget; `only_typed`: how
    many conversations of others stay that were taken for the person's because their address was typed in them."""

    counts: dict[str, int]
    called_off: int = 0
    by_hand: list[str] = field(default_factory=list)
    conversations: list[str] = field(default_factory=list)
    only_typed: int = 0
    without_trace: bool = True

    @property
    def of_others(self) -> str:
        """A sentence about the conversations that stay, "" when there are none."""
        if self.only_typed == 1:
            return "1 conversation of another browser in which only the address was typed stays, without it."
        many = (
            f"{self.only_typed} conversations of other browsers in which only the address was typed stay, without it."
        )
        return many if self.only_typed else ""


def look(db: Database, who: Who) -> Look:
    """How much is held. NotFound when nothing is."""
    with db.reading() as tx:
        found = _found(tx, who)
        meetings = [meeting for of in found for meeting in booking.ahead(of.meetings)]
        return Look(_counts(rows(tx, of) for of in found), meetings)


def export(db: Database, who: Who, *, by: Actor) -> dict[str, Any]:
    """Everything held, as JSON: `{"person", "exported_at", "sites": {key: {table: [row]}}}`. NotFound for nobody."""
    with db.transaction() as tx:
        found = _found(tx, who)
        keys = {site.id: site.key for site in config.sites(tx)}
        sites = {keys[of.site_id]: {name: _plain(some) for name, some in rows(tx, of).items()} for of in found}
        for of in found:
            _note(tx, events.PERSON_EXPORTED, of, by, {})
    return {"person": who.named, "exported_at": clock.now().isoformat(), "sites": sites}


def erase(db: Database, who: Who, *, by: Actor, cancel_meetings: bool = False) -> Erased:
    """All that is held about the person is gone, but the fact: who erased somebody when, and how many rows.

    NotFound when nothing is held; Conflict for people who work here, while a delivery about the person is under way,
    and while meetings lie ahead unless these are to be called off. A CRM that may have heard of the person without
    having said so is asked first.
    """
    with db.reading() as tx:
        asked = _unsure(tx, _erasable(tx, who, cancel_meetings))
    seen = {site_id: sync.look_up(db, site_id, emails) for site_id, emails in asked.items()}
    with db.transaction() as tx:
        found = _erasable(tx, who, cancel_meetings)
        done = Erased(_counts(rows(tx, of) for of in found))
        for of in found:
            _erase(tx, of, by, done, seen.get(of.site_id))
    for conversation_id in done.conversations:
        live.publish(f"conversation:{conversation_id}", FORGOTTEN)
    done.without_trace = compact(db)
    return done


def _found(tx: Connection, who: Who) -> list[Holdings]:
    sites = [site for site in config.sites(tx) if who.site_key in ("", site.key)]
    if not sites:
        raise NotFound(f"There is no site {who.site_key}." if who.site_key else "There is no site yet.")
    found = [of for site in sites if (of := find(tx, site.id, who.address, who.lead_id))]
    if not found:
        raise NotFound(f"Nothing is held about {who.named}.")
    return found


def _erasable(tx: Connection, who: Who, cancel_meetings: bool) -> list[Holdings]:
    found = _found(tx, who)
    _refuse_our_own(tx, who, found)
    for of in found:
        _refuse_meetings(of, cancel_meetings)
    return found


def _unsure(tx: Connection, found: Sequence[Holdings]) -> dict[str, set[str]]:
    """The addresses that the CRM of each site may have heard of without having said so."""
    told = {of.site_id: adapters.unsure(outbox.about(tx, of.subjects)) for of in found}
    return {site_id: {row.payload["person"]["email"] for row in some} for site_id, some in told.items() if some}


def _refuse_our_own(tx: Connection, who: Who, found: Sequence[Holdings]) -> None:
    """An employee's address stands in everybody's meetings; to take it out of them would break them."""
    team = {email_key(rep.email) for of in found for rep in config.active_of(tx, of.site_id).part(Team).reps}
    if who.address in team:
        raise Conflict(f"{who.named} is on the team; take them out of team.yml first.")
    if any(email_key(user.email) == who.address and user.active for user in people.everybody(tx)):
        raise Conflict(f"{who.named} may sign in to the console; deactivate that user first.")


def _refuse_meetings(of: Holdings, cancel_meetings: bool) -> None:
    ahead = booking.ahead(of.meetings)
    if ahead and not cancel_meetings:
        first = f"{ahead[0].start_at:%d %b %Y %H:%M} UTC"
        lie = "A meeting lies ahead, on" if len(ahead) == 1 else f"{len(ahead)} meetings lie ahead, the first on"
        raise Conflict(
            f"{lie} {first}. Cancel first, so that everybody is told, or have it called off with the erasure: then "
            "only hosts and guests are told."
        )


def _erase(tx: Connection, of: Holdings, by: Actor, done: Erased, seen: Sequence[Ref] | None) -> None:
    version, wipe = config.active_of(tx, of.site_id), Wipe(of.address)
    visitors.lock(tx, of.visitors)
    conversations.lock(tx, [*of.conversations, *of.typed])
    diary.wait_for_reactions(tx, of.subjects)
    told = outbox.about(tx, of.subjects)
    if outbox.under_way(told):
        raise Conflict("The outside is being told about this person at this moment; try again in a minute.")
    by_hand = adapters.erase_outside(tx, version, told, sync.records_of(tx, of.leads), seen)
    by_hand = sorted({*by_hand, *enrichment.told(tx, of.site_id, of.address)})
    called_off = booking.erase(tx, version, of.meetings, by=by)
    booking.uninvite(tx, of.invited, of.address)
    booking.part_with(tx, of.conversations, of.leads)
    outbox.erase(tx, told)
    sync.erase(tx, of.subjects)
    routing.erase(tx, of.meeting_ids)
    conversations.erase(tx, of.conversations)
    conversations.part_with(tx, of.typed, wipe)
    diary.part_with(tx, of.typed, of.leads)
    visitors.erase(tx, of.visitors, of.shared)
    leads.erase(tx, of.leads)
    adapters.erase(tx, of.site_id, of.address, of.uids)
    enrichment.erase(tx, of.site_id, of.address)
    diary.erase(tx, of.subjects, [row.id for row in told])
    _scrub_others(tx, of, wipe)
    done.called_off += called_off
    done.by_hand = sorted({*done.by_hand, *by_hand})
    done.conversations += of.conversations
    done.only_typed += len(of.typed)
    _note(tx, events.PERSON_ERASED, of, by, {"rows": done.counts, "called_off": called_off, "by_hand": by_hand})


def _scrub_others(tx: Connection, of: Holdings, wipe: Wipe) -> None:
    """What others said and booked stays theirs; only the address goes."""
    for room in (leads, visitors, conversations, booking, routing, adapters, sync, diary):
        room.scrub_others(tx, of.site_id, wipe)
    outbox.scrub_others(tx, of.site_id, wipe, [meeting.id for meeting in of.invited])


def _note(tx: Connection, name: str, of: Holdings, by: Actor, data: Mapping[str, Any]) -> None:
    """The fact. Who it was can be told only by somebody who has the address and our key."""
    person = ids.keyed_digest("person", of.address)
    events.record(tx, name, site_id=of.site_id, subject=("person", person), actor=by, data=data)


def _counts(found: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for tables in found:
        for name, some in tables.items():
            counts[name] = counts.get(name, 0) + len(some)
    return {name: count for name, count in counts.items() if count}


def _plain(some: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    return [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row._mapping.items()}
        for row in some
    ]
