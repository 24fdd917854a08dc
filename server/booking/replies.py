"""Answers to invitations that come by mail (RFC 6047): read from the operator's mailbox, and what follows from them.

| who | DECLINED | ACCEPTED, TENTATIVE | COUNTER |
|---|---|---|---|
| visitor | cancels the meeting, by the same rules as the link | noted | noted; gets the link to choose another time |
| guest | noted, no longer invited, hosts are told | noted | noted, hosts are told |
| host | noted, the host and supervisors are asked to hand it over | noted | noted |

Everything else is left alone and counted.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError

from plugins.emails import fold
from plugins.errors import InvalidInput, PluginError
from plugins.inbox import Inbox, Message
from server import clock, events
from server.booking import changes, store
from server.booking.invitations import answered, calendar_events, links
from server.booking.invitations.reply import COUNTER, DECLINED, Reply, Unusable, read
from server.booking.store import AHEAD, Meeting
from server.config import service as config
from server.config.service import Version
from server.db import AWAY, Database
from server.events import Actor
from server.leads.service import email_key
from server.people import service as people
from server.people.rights import OWNER, SUPERVISOR

INBOX = "inbox"
NOWHERE = ""
"""The mailbox serves all sites, so how far it was read belongs to none."""
MOST_PORTIONS = 20
_ID = re.compile(r"[a-z]{1,8}_[0-9a-z]{1,40}")
_FAST_CLOCK = timedelta(days=1)
"""How far a sender's clock may be ahead; an answer of later would shut out all others."""
_log = logging.getLogger("usher.replies")


def read_mailbox(db: Database, open_inbox: Callable[[], Inbox]) -> Counter[str]:
    """Read what has come since the last time. Returns how often what was done: {"cancelled": 1, "seen before": 4}.

    Harmless twice and in two processes at once: an answer counts once, whoever reads it. A mailbox that does not answer
    is noted with its reason, and read on from the same place later. Nothing is called inside a transaction.
    """
    done: Counter[str] = Counter()
    try:
        inbox = open_inbox()
        try:
            for _ in range(MOST_PORTIONS):
                with db.reading() as tx:
                    known = mailbox_state(tx)
                received = inbox.fetch(known.position if known else "")
                done.update(_take(db, message) for message in received.messages)
                _keep(db, {"position": received.position, "read_at": clock.now(), "failed_at": None, "problem": ""})
                if not received.more:
                    break
        finally:
            inbox.close()
    except PluginError as problem:
        _log.warning("the mailbox cannot be read: %s", problem)
        _keep(db, {"failed_at": clock.now(), "problem": problem.user_message})
    if done:
        _log.info("mails read: %s", ", ".join(f"{count} {what}" for what, count in sorted(done.items())))
    return done


def mailbox_state(tx: Connection) -> Any:
    """When the mailbox was last read or failed, and why (a row of reading_positions); None before the first time."""
    return next((row for row in store.positions(tx, NOWHERE) if row.source == INBOX), None)


@dataclass(frozen=True)
class _Known:
    """Whom an answer is from: the visitor, a guest, or the host of this id."""

    role: str
    actor: Actor
    address: str
    host: str = ""


def _take(db: Database, message: Message) -> str:
    """What was done with one mail, in a few words; a mail that breaks something is left alone like any other."""
    if message.skipped:
        return f"skipped: {message.skipped}"
    try:
        reply = read(message.raw)
        with db.transaction() as tx:
            return _decide(tx, reply)
    except Unusable as why:
        return str(why)
    except (InterfaceError, *AWAY):  # the database is away: the mail is read again later
        raise
    except Exception:  # noqa: BLE001 - one mail must not keep all later ones from being read
        _log.exception("the mail %s could not be used", message.id)
        return "broke"


def _decide(tx: Connection, reply: Reply) -> str:
    name = reply.uid.partition("@")[0]
    found = store.get(tx, name) if _ID.fullmatch(name) else None
    if found is None or found.uid != reply.uid:
        return "not about a meeting of ours"
    hosts = [row.rep for row in store.hosts_of(tx, [found.id])]
    store.lock_calendars(tx, found.site_id, hosts)
    meeting, version = changes.get(tx, found.id), config.active_of(tx, found.site_id)
    who = _known(version, meeting, hosts, reply.by)
    if who is None:
        return "from somebody who is not invited"
    if meeting.status not in AHEAD or meeting.start_at <= clock.now():
        return "about a meeting that is over"
    if reply.sequence < meeting.sequence:
        return "about an invitation that was changed since"
    if reply.stamp > clock.now() + _FAST_CLOCK:
        return "from the future"
    kept = _as_kept(reply)
    if not _is_newer(kept, meeting.replies.get(email_key(who.address))):
        return "seen before"
    _note(tx, meeting, who, reply, kept)
    return _ACTS.get(reply.answer if reply.method != COUNTER else COUNTER, _noted)(tx, version, meeting, who, reply)


def _known(version: Version, meeting: Meeting, hosts: Sequence[str], address: str) -> _Known | None:
    if _is(meeting.email, address):
        return _Known("visitor", Actor("visitor", name=meeting.name), meeting.email)
    for guest in meeting.guests:
        if _is(guest, address):
            return _Known("guest", Actor("visitor", name=guest), guest)
    for name in hosts:
        rep = links.rep_of(version, meeting, name)
        if _is(rep.email, address):
            return _Known("host", Actor("rep", rep.id, rep.name), rep.email, rep.id)
    return None


def _is(email: str, address: str) -> bool:
    try:
        return fold(email) == address
    except InvalidInput:  # nobody's: the person was erased
        return False


def _as_kept(reply: Reply) -> dict[str, Any]:
    """The answer as it is kept with the meeting."""
    words = {
        name: value for name, value in asdict(reply).items() if name in ("method", "answer", "sequence", "comment")
    }
    wished = {"wished": reply.wished.isoformat()} if reply.wished else {}
    return {**words, **wished, "stamp": reply.stamp.isoformat(), "at": clock.now().isoformat()}


def _is_newer(kept: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """RFC 5546 2.1.5: by SEQUENCE, then DTSTAMP."""
    return before is None or (kept["sequence"], kept["stamp"]) > (before["sequence"], before["stamp"])


def _note(tx: Connection, meeting: Meeting, who: _Known, reply: Reply, kept: dict[str, Any]) -> None:
    """The answer stands with the meeting and in the diary, whatever follows from it."""
    store.change(tx, meeting.id, AHEAD, {"replies": {**meeting.replies, email_key(who.address): kept}})
    events.record(
        tx,
        events.MEETING_ANSWERED,
        site_id=meeting.site_id,
        subject=("meeting", meeting.id),
        actor=who.actor,
        trigger="mail",
        reason=reply.comment,
        version_id=meeting.version_id,
        conversation_id=meeting.conversation_id,
        data={"role": who.role, "answer": reply.method if reply.method == COUNTER else reply.answer, "by": who.address},
    )


def _declined(tx: Connection, version: Version, meeting: Meeting, who: _Known, reply: Reply) -> str:
    if who.role == "visitor":
        changes.cancel(tx, version, meeting.id, by=who.actor, reason=reply.comment)
        return "cancelled"
    if who.role == "guest":
        left = [guest for guest in meeting.guests if guest != who.address]
        event = f"{calendar_events.calendar_key(meeting.id, meeting.sequence)}:{len(left)}"
        store.change(tx, meeting.id, AHEAD, {"guests": left, "calendar_key": event, "changed_at": clock.now()})
        answered.guest_declined(tx, version, changes.get(tx, meeting.id), meeting, who.address, reply.comment)
        return "guest taken off"
    host = links.rep_of(version, meeting, who.host)
    answered.host_declined(tx, version, meeting, host, reply.comment, _watchers(tx))
    return "host declined"


def _wished(tx: Connection, version: Version, meeting: Meeting, who: _Known, reply: Reply) -> str:
    if who.role != "host":
        name, mine = who.actor.name or who.address, who.role == "visitor"
        answered.time_wished(tx, version, meeting, name, reply.wished, reply.comment, by_visitor=mine)
    return "another time wished"


def _noted(tx: Connection, version: Version, meeting: Meeting, who: _Known, reply: Reply) -> str:
    return "noted"


_ACTS = {DECLINED: _declined, COUNTER: _wished}


def _watchers(tx: Connection) -> list[people.User]:
    """Who looks after the reps: supervisors, else owners."""
    active = [user for user in people.everybody(tx) if user.active]
    return [one for one in active if one.role == SUPERVISOR] or [one for one in active if one.role == OWNER]


def _keep(db: Database, values: dict[str, Any]) -> None:
    with db.transaction() as tx:
        store.keep_position(tx, NOWHERE, INBOX, values)
