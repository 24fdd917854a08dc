"""Queue what the CRM must hear, in the caller's transaction, in order for each lead and each thing once.

A lead without an e-mail address cannot be recognised there, so nothing is queued for it; once the address is known,
everything that had happened is told in its order. Nothing is lost by waiting: what is told is read from our tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from plugins.crm import ActivityKind
from server import events
from server.booking import service as booking
from server.config import service as config
from server.config.service import Version
from server.conversations import service as conversations
from server.events import Event
from server.leads import service as leads
from server.outbox import service as outbox
from server.routing.team import Team
from server.sync import activities, fates, looking, mapping, store, transcripts, values
from server.sync.agreeing import changed_names
from server.sync.opened import serving_id
from server.sync.ours import COMPANIES, PEOPLE
from server.sync.schema import Crm
from server.sync.values import Known
from server.visitors import service as visitors

WAITING = ("waiting", "paused")
MEETING_STATES = {
    booking.BOOKED: "booked",
    booking.PENDING: "booked",
    booking.RESCHEDULED: "rescheduled",
    booking.CANCELLED: "cancelled",
    booking.DONE: "held",
    booking.NO_SHOW: "no_show",
}


def order_key(lead_id: str) -> str:
    """Deliveries about one lead go out one after the other: company, person, then what happened with them."""
    return f"lead:{lead_id}"


def lead(tx: Connection, lead_id: str, cause: str, *, again: bool = False) -> bool:
    """Company and person as we know them now; `cause` (an event's id) makes it once for each cause. With the first
    telling comes all that had happened before. False while there is no e-mail address. `again`: also what was told."""
    leads.lock(tx, lead_id)
    version = config.active_of(tx, leads.get(tx, lead_id).site_id)
    known = values.known(tx, version, lead_id)
    if not known.email:
        return False
    first = not _told_before(tx, lead_id)
    for operation, payload in _records(version, known):
        if again or not _is_told(tx, version, known, operation, payload):
            _queue_record(tx, known, operation, payload, cause)
    if first:
        _catch_up(tx, version, known)
    return True


def meeting(tx: Connection, meeting_id: str, cause: str, *, again: bool = False) -> bool:
    """The meeting as it stands now, after its person, under the same order; False when it has none (any more)."""
    found = booking.get(tx, meeting_id)
    if not (found.lead_id and found.email and found.status in MEETING_STATES):
        return False
    if not lead(tx, found.lead_id, cause):
        return False
    told = _meeting(config.active_of(tx, found.site_id), found)
    payload = {"person": _link_to(found.lead_id), "meeting": told}
    key = f"crm:meeting:{found.id}:{told['status']}:{found.sequence}{f':{cause}' if again else ''}"
    return _queue(tx, found.site_id, found.lead_id, "log_meeting", payload, key, ("meeting", found.id))


def meeting_now(tx: Connection, version: Version, meeting_id: str) -> dict[str, Any] | None:
    """plugins.crm.Meeting as JSON as it stands now; None for one that is nobody's any more."""
    found = booking.get(tx, meeting_id)
    return _meeting(version, found) if found.lead_id and found.status in MEETING_STATES else None


def interaction(tx: Connection, event: Event) -> bool:
    """An event of activities.TOLD becomes an activity of its lead, once; False when it has no lead that can be told of
    (yet), or the mapping leaves it out."""
    version = config.active_of(tx, event.site_id)
    lead_id = _lead_of(tx, event)
    if activities.TOLD[event.name].name not in version.part(Crm).interactions or not lead_id:
        return False
    if not _told_before(tx, lead_id):  # with the first telling everything that happened comes along
        return lead(tx, lead_id, event.id)
    return _tell_event(tx, lead_id, event)


def conversation(tx: Connection, conversation_id: str) -> int:
    """What was said since it was told last, as records of the lead; how many were queued."""
    talk = conversations.get(tx, conversation_id)
    if not talk.lead_id:
        return 0
    if not _told_before(tx, talk.lead_id):
        return int(lead(tx, talk.lead_id, f"chat:{talk.id}:{talk.seq}"))
    return _tell_conversation(tx, config.active_of(tx, talk.site_id), talk)


def mail(tx: Connection, event: Event) -> bool:
    """A mail about a meeting that went out to its visitor, by the event of its delivery."""
    row = outbox.by_key(tx, str(event.data.get("key", "")))
    if row is None or row.kind != "notify" or row.subject_kind != "meeting":
        return False
    found, sent = booking.get(tx, row.subject_id), row.payload.get("mail") or {}
    to = leads.email_key(str(sent.get("to", "")))
    wanted = "mail" in config.active_of(tx, row.site_id).part(Crm).interactions
    if not (wanted and found.lead_id and found.email and to == leads.email_key(found.email)):
        return False
    url = values.console_url("meetings", found.id)
    told = activities.activity(ActivityKind.EMAIL, event.at, f"Mail sent: {sent.get('subject', '')}", url=url)
    return _tell_activity(tx, row.site_id, found.lead_id, told, f"crm:mail:{row.id}", ("meeting", found.id))


def visit_key(session_id: str) -> str:
    """The delivery that tells of a visit."""
    return f"crm:visit:{session_id}"


def visit(tx: Connection, version: Version, over: Any, pages: Sequence[Any]) -> bool:
    """A visit that is over and touched pages of high intent."""
    subject = f"Visited {len(pages)} {'page' if len(pages) == 1 else 'pages'}"
    lines = [f"{page.path}{f' ({page.seconds} s)' if page.seconds else ''}" for page in pages]
    came = " / ".join(filter(None, (over.source, over.medium, over.campaign)))
    told = activities.activity(
        ActivityKind.PAGE, over.last_at, f"{subject}, from {came}" if came else subject, "\n".join(lines)
    )
    return _tell_activity(tx, version.site_id, over.lead_id, told, visit_key(over.id), ("lead", over.lead_id))


def _records(version: Version, known: Known) -> Iterator[tuple[str, dict[str, Any]]]:
    """The company first, so that the person can be filed under it."""
    crm = version.part(Crm)
    if known.domain and "domain" in crm.match:
        yield "upsert_company", {"company": mapping.company(crm, known)}
    yield "upsert_person", {"person": mapping.person(crm, known)}


def _catch_up(tx: Connection, version: Version, known: Known) -> None:
    """What happened before the address was known, in its order: events, then conversations that have ended."""
    talks = sorted(conversations.of_lead(tx, known.lead_id), key=lambda one: one.started_at)
    happened = [event for talk in talks for event in events.of_conversation(tx, talk.id)]
    _tell_events(tx, version, known.lead_id, [*happened, *events.of_subject(tx, "lead", known.lead_id)])
    for talk in talks:
        if talk.state == conversations.CLOSED:
            _tell_conversation(tx, version, talk)


def _tell_events(tx: Connection, version: Version, lead_id: str, happened: Sequence[Event]) -> None:
    wanted = version.part(Crm).interactions
    for event in sorted({event.id: event for event in happened}.values(), key=lambda event: event.id):
        if event.name in activities.TOLD and activities.TOLD[event.name].name in wanted:
            _tell_event(tx, lead_id, event)


def _tell_event(tx: Connection, lead_id: str, event: Event) -> bool:
    told, about = activities.of_event(event), (event.subject_kind, event.subject_id)
    return _tell_activity(tx, event.site_id, lead_id, told, f"crm:event:{event.id}", about)


def _tell_conversation(tx: Connection, version: Version, talk: Any) -> int:
    """What was said, after what happened in it before anybody knew whose conversation it is."""
    _tell_events(tx, version, talk.lead_id, events.of_conversation(tx, talk.id))
    if "transcript" not in version.part(Crm).interactions:
        return 0
    keys = [row.key for row in outbox.of_subject(tx, "conversation", talk.id) if row.kind == "crm"]
    told = transcripts.told_until(talk.id, keys)
    said = conversations.messages(tx, talk.id, told)
    count = 0
    for piece in transcripts.pieces(version, talk, said, told=told, facts=_facts(tx, talk)):
        key = transcripts.key_of(talk.id, piece.until)
        count += _tell_activity(tx, talk.site_id, talk.lead_id, piece.activity, key, ("conversation", talk.id))
    return count


def _facts(tx: Connection, talk: Any) -> list[tuple[str, str]]:
    """What stands above a transcript: how it ended, what was answered, where the visitor came from."""
    came = visitors.attribution(tx, talk.visitor_id)
    answers = values.answers_in_words(conversations.answers_of(tx, talk.id))
    return [
        ("Outcome", talk.outcome),
        ("Playbook", talk.playbook),
        ("Answers", answers.replace("\n", "; ")),
        ("First touch", _touch(came.get("first"))),
        ("Last touch", _touch(came.get("last"))),
    ]


def _touch(touch: Mapping[str, str] | None) -> str:
    if not touch:
        return ""
    named = [f"{name.replace('_', ' ')} {value}" for name, value in touch.items() if value]
    return ", ".join(named)


def _meeting(version: Version, found: Any) -> dict[str, Any]:
    """plugins.crm.Meeting as JSON."""
    rep = version.part(Team).reps_by_id.get(found.rep)
    where = booking.place(version, found)
    return {
        "uid": found.uid,
        "start": found.start_at.isoformat(),
        "end": found.end_at.isoformat(),
        "zone": found.zone,
        "title": booking.title(version, found),
        "status": MEETING_STATES[found.status],
        "description": "\n".join(f"{name}: {answer}" for name, answer in found.answers.items()),
        "location": where.url or where.text,
        "url": values.console_url("meetings", found.id),
        "owner_email": rep.email if rep else "",
        "guests": found.guests,
    }


def _lead_of(tx: Connection, event: Event) -> str:
    if event.subject_kind == "lead":
        return str(event.subject_id)
    if event.subject_kind == "meeting":
        return booking.get(tx, event.subject_id).lead_id or ""
    if event.conversation_id:
        return conversations.get(tx, event.conversation_id).lead_id or ""
    return visitors.get(tx, event.subject_id).lead_id or "" if event.subject_kind == "visitor" else ""


def _told_before(tx: Connection, lead_id: str) -> bool:
    """Whether the person was queued ever: then what happened before was as well."""
    return any(row.operation == "upsert_person" for row in outbox.of_subject(tx, "lead", lead_id) if row.kind == "crm")


def _is_told(tx: Connection, version: Version, known: Known, operation: str, payload: Mapping[str, Any]) -> bool:
    """Whether nothing has to be queued: one that was tried and waits will say what we know when it goes out; one with
    the same words is on its way, or came to the CRM that serves now."""
    mine = [row for row in outbox.of_subject(tx, "lead", known.lead_id) if row.operation == operation]
    last = mine[-1] if mine else None
    if last is None or (last.state in WAITING and last.attempts):
        return last is not None
    if last.state not in (*WAITING, "leased", "done"):
        return False
    of = ("account", known.account_id) if operation == "upsert_company" else ("lead", known.lead_id)
    link = store.link(tx, serving_id(tx, version), *of)
    if link is not None and link.by == looking.APART:
        return True
    if last.payload != payload:
        return last.state == "done" and link is not None and _is_agreed(link, operation, last.payload, payload)
    return last.state != "done" or bool(link is not None and link.record_id)


def _is_agreed(link: Any, operation: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether all that differs from what was told last is what the CRM holds already: it came from there."""
    record, on = ("company", COMPANIES) if operation == "upsert_company" else ("person", PEOPLE)
    told, said = (mapping.said_in(on, payload.get(record) or {}) for payload in (before, now))
    same_place = (before.get(record) or {}).get("company_ref") == (now.get(record) or {}).get("company_ref")
    return bool(link.record_id) and same_place and all(
        name in link.told and fates.same(said.get(name), link.told[name]) for name in changed_names(told, said)
    )  # fmt: skip


def _tell_activity(
    tx: Connection, site_id: str, lead_id: str, activity: Mapping[str, Any], key: str, about: tuple[str, str]
) -> bool:
    payload = {"person": _link_to(lead_id), "activity": activity}
    return _queue(tx, site_id, lead_id, "log_activity", payload, key, about)


def _queue_record(tx: Connection, known: Known, operation: str, payload: Mapping[str, Any], cause: str) -> bool:
    record = operation.removeprefix("upsert_")
    key = f"crm:{record}:{known.account_id if record == 'company' else known.lead_id}:{cause}"
    about = ("lead", known.lead_id)
    replaces = f"{order_key(known.lead_id)}:{record}"
    return _queue(tx, known.site_id, known.lead_id, operation, payload, key, about, replaces)


def _link_to(lead_id: str) -> dict[str, list[str]]:
    return {mapping.LINK: ["lead", lead_id]}


def _queue(
    tx: Connection, site_id: str, lead_id: str, operation: str, payload: Mapping[str, Any], key: str,
    about: tuple[str, str], replaces: str = "",
) -> bool:  # fmt: skip
    return outbox.queue(
        tx,
        site_id=site_id,
        kind="crm",
        operation=operation,
        payload=payload,
        key=key[:200],
        order_key=order_key(lead_id),
        replaces=replaces,
        subject=about,
    )
