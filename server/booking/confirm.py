"""Confirm a hold: what the visitor tells is checked, the meeting is booked once, and everybody is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from server import clock, events
from server.booking import holds, offers, repeats, store
from server.booking.connected.rechecking import CalendarUnread, is_unread
from server.booking.invitations import calendar_events, links, messages
from server.booking.store import BOOKED, HELD, Meeting
from server.config.service import Version
from server.errors import Conflict, Invalid
from server.events import Actor
from server.leads import service as leads
from server.leads.values import FieldValue

MOST_GUESTS = 10
_LONGEST = {"name": 200, "phone": 60, "answer": 2_000}


def confirm(
    tx: Connection,
    version: Version,
    meeting_id: str,
    *,
    name: str,
    email: str,
    guests: Sequence[str] = (),
    answers: Mapping[str, Any] | None = None,
    phone: str = "",
    place: str = "",
    zone: str = "",
    locale: str = "",
    key: str | None = None,
    actor: Actor = holds.VISITOR,
) -> Meeting:
    """Make a held time a meeting. Twice is once: the same attendee (or `key`) gets the same meeting back.

    Gone when the hold has expired, with the nearest open starts; Invalid for what cannot be used, naming the field.
    CalendarUnread when connected calendars have to be read first (rechecking.py): nothing has changed, try again then.
    `place`: which of the meeting type's locations the visitor chose, by its kind; "" is the first.
    A person who has a meeting at this very time already gets that one, and the hold is let go.
    """
    attendee = leads.email_key(plain_email(email, "email"))
    if key and (done := repeats.confirmed(tx, version.site_id, key, attendee)):
        return done
    held = store.get(tx, meeting_id)
    if held is None or held.site_id != version.site_id:
        return repeats.after_release(tx, version, meeting_id, attendee)
    told = _told(version, held, name, email, guests, answers or {}, phone, zone, locale)
    told["place"] = _place(version, held, place, told["phone"])
    if held.status != HELD:
        return repeats.again(held, attendee)
    if held.held_until <= clock.now():
        raise repeats.over(tx, version, held.type, held.pool, held.rep, held.start_at)
    if is_unread(tx, version, held):
        raise CalendarUnread(held, version)
    told["confirm_key"] = key
    other = store.booked_by(tx, version.site_id, told["attendee"], held.start_at)
    return _instead(tx, held, other, actor) if other else _book(tx, version, held, told, actor)


def plain_email(text: str, field: str) -> str:
    """The address as mail servers know it; Invalid."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        raise Invalid("This does not look like an e-mail address; please check it.", field=field) from None


def _book(tx: Connection, version: Version, held: Meeting, told: dict[str, Any], actor: Actor) -> Meeting:
    now = clock.now()
    values = {
        **told,
        "status": BOOKED,
        "held_until": None,
        "booked_at": now,
        "changed_at": now,
        "calendar_key": calendar_events.calendar_key(held.id, 0),
    }
    try:
        with tx.begin_nested():  # who turns out to have a meeting then has not told us anything new of themselves
            values["lead_id"] = _lead(tx, version, held, told, actor)
            taken = store.change(tx, held.id, (HELD,), values)
    except IntegrityError:  # the same person, at the same moment, from another tab
        other = store.booked_by(tx, version.site_id, told["attendee"], held.start_at)
        if other is None:
            raise Conflict("This key was used for another meeting before; use a new key.", field="key") from None
        return _instead(tx, held, other, actor)
    meeting = store.get(tx, held.id)
    if meeting is None:
        return repeats.after_release(tx, version, held.id, told["attendee"])
    if not taken:
        return repeats.again(meeting, told["attendee"])
    messages.booked(tx, version, meeting)
    _record(tx, meeting, actor)
    return meeting


def _record(tx: Connection, meeting: Meeting, actor: Actor) -> None:
    events.record(
        tx,
        events.MEETING_BOOKED,
        site_id=meeting.site_id,
        subject=("meeting", meeting.id),
        actor=actor,
        version_id=meeting.version_id,
        conversation_id=meeting.conversation_id,
        data={
            "rep": meeting.rep,
            "pool": meeting.pool,
            "type": meeting.type,
            "start": meeting.start_at.isoformat(),
            "lead_id": meeting.lead_id,
        },
    )


def _instead(tx: Connection, held: Meeting, other: Meeting, actor: Actor) -> Meeting:
    store.lock_calendars(tx, held.site_id, [row.rep for row in store.hosts_of(tx, [held.id])])
    holds.release(tx, held, reason="the visitor has a meeting at this time already", actor=actor)
    return other


def _told(
    version: Version,
    held: Meeting,
    name: str,
    email: str,
    guests: Sequence[str],
    answers: Mapping[str, Any],
    phone: str,
    zone: str,
    locale: str,
) -> dict[str, Any]:
    address = plain_email(email, "email")
    if len(guests) > MOST_GUESTS:
        raise Invalid(f"Up to {MOST_GUESTS} guests can be invited.", field="guests")
    others = dict.fromkeys(plain_email(guest, "guests") for guest in guests)
    if zone:
        offers.zone_of(zone)
    return {
        "name": _line(name, "name", required=True),
        "email": address,
        "attendee": leads.email_key(address),
        "phone": _line(phone, "phone"),
        "guests": [guest for guest in others if guest != address],
        "answers": _answers(version, held, answers),
        "zone": zone or held.zone,
        "locale": locale[:20] or held.locale,
    }


def _answers(version: Version, held: Meeting, answers: Mapping[str, Any]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for question in links.type_of(version, held).questions:
        answer = str(answers.get(question.id) or "").strip()[: _LONGEST["answer"]]
        if question.required and not answer:
            label = question.label.in_locale(held.locale).render({})
            raise Invalid(f"Please answer: {label}", field=f"answers.{question.id}")
        if answer:
            kept[question.id] = answer
    return kept


def _place(version: Version, held: Meeting, wanted: str, phone: str) -> str:
    """What is chosen, "" where the meeting type leaves no choice. A call that was chosen needs a number."""
    of = links.type_of(version, held)
    kinds = [one.kind for one in of.places]
    if wanted and wanted not in kinds:
        raise Invalid(f"This meeting can take place by: {', '.join(kinds)}.", field="place")
    if not of.locations:
        return ""
    chosen = wanted or kinds[0]
    if chosen == "phone" and not phone:
        raise Invalid("Please tell us the number to call.", field="phone")
    return chosen


def _line(text: str, field: str, *, required: bool = False) -> str:
    """One line without control characters: it goes into mail headers and calendars."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if required and not plain:
        raise Invalid(f"Please tell us your {field}.", field=field)
    if len(plain) > _LONGEST[field]:
        raise Invalid(f"This {field} is too long; {_LONGEST[field]} characters at most.", field=field)
    return plain


def _lead(tx: Connection, version: Version, held: Meeting, told: dict[str, Any], actor: Actor) -> str:
    """The person becomes a lead (product.md section 5, row 1), with what the form told."""
    lead, _ = leads.meet(
        tx,
        version.site_id,
        email=told["email"],
        source="booking",
        actor=actor,
        version_id=version.id,
        conversation_id=held.conversation_id,
    )
    said = [FieldValue(field, told[field], "form", "booking") for field in ("email", "name", "phone") if told[field]]
    return str(leads.learn(tx, lead, said).id)
