"""Meetings in the chat: held, booked, moved and cancelled through the booking room, shown and told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from server import clock
from server.booking import service as booking
from server.booking.schema import Meetings
from server.conversations import service as conversations
from server.conversations.frames import moment as stamp
from server.errors import Conflict, Gone, Invalid, NotFound, SlotTaken, UsherError
from server.playbooks import forms, times, whose
from server.routing.team import Team

if TYPE_CHECKING:
    from server.playbooks.turn import Turn


class Lost(Exception):
    """The time cannot be had (any more); `nearest` are open ones close to it. `expired`: it was held, too long."""

    def __init__(self, nearest: Sequence[datetime] = (), *, expired: bool = False) -> None:
        super().__init__("the time cannot be had")
        self.nearest = nearest
        self.expired = expired


def hold(turn: Turn, start: datetime) -> None:
    """Keep the time for this visitor for a few minutes. Lost when it is gone or was never on offer."""
    step = turn.memory.step
    try:
        held = whose.hold(
            turn.tx,
            turn.version,
            whose.of(turn),
            meeting=step["meeting"],
            start=start,
            conversation_id=turn.conversation.id,
            lead_id=turn.lead_id,
            key=f"{turn.conversation.id}:{turn.heard.seq}",
            actor=turn.visitor_actor,
        )
    except (SlotTaken, Invalid, NotFound) as refused:
        raise Lost(_nearest(refused)) from None
    step["held"] = turn.memory.hold = held.id
    step["hold"] = {"start": stamp(held.start_at), "end": stamp(held.end_at), "expires_at": stamp(held.held_until)}


def forget_hold(turn: Turn) -> None:
    """The visitor turned to something else: booking lets a hold go when they hold another time, or when it expires."""
    turn.memory.hold = ""
    for name in ("held", "hold"):
        turn.memory.step.pop(name, None)


def day_given_up(turn: Turn) -> str | None:
    """The day, on the visitor's clock, of a held time whose hold is over; None while it is held, or nothing is."""
    held = turn.memory.step.get("hold", {})
    start, until = times.moment(held.get("start")), times.moment(held.get("expires_at"))
    if start is None or until is None or until > clock.now():
        return None
    return start.astimezone(ZoneInfo(turn.zone)).date().isoformat()


def confirm(turn: Turn) -> None:
    """Book the held time with what is known, and show the meeting. A hold that is over is taken up again while the time
    is free; Lost when it is not. Invalid when something that was filled in cannot be used."""
    held = turn.memory.step["held"]
    if refusal := turn.refused.of(held):
        forget_hold(turn)
        raise Lost(_nearest(refusal))
    try:
        booked = _confirmed(turn)
    except Gone:
        start = times.moment(turn.memory.step.get("hold", {}).get("start"))
        booked = _taken_up_again(turn, start)
    except Conflict as refused:
        forget_hold(turn)
        raise Lost(_nearest(refused)) from None
    turn.memory.hold = ""
    if booked.id != turn.memory.step["held"]:
        _show_other(turn, booked)
        return
    turn.memory.meeting = booked.id
    turn.say(turn.word("booked", **told(turn, booked)), part=card(turn, booked))


def _confirmed(turn: Turn) -> Any:
    held = turn.memory.step["held"]
    return booking.confirm(
        turn.tx,
        turn.version,
        held,
        zone=turn.zone,
        locale=turn.locale,
        key=f"{turn.conversation.id}:{held}",
        actor=turn.visitor_actor,
        **forms.given(turn),
    )


def _taken_up_again(turn: Turn, start: datetime | None) -> Any:
    forget_hold(turn)
    if start is None:
        raise Lost(expired=True)
    try:
        hold(turn, start)
        return _confirmed(turn)
    except Lost as lost:
        raise Lost(lost.nearest, expired=True) from None
    except (Gone, Conflict) as refused:
        forget_hold(turn)
        raise Lost(_nearest(refused), expired=True) from None


def _show_other(turn: Turn, other: Any) -> None:
    """The person has another meeting at this very time: it is shown to whom it belongs, and named to nobody else."""
    if _is_theirs(turn, other):
        turn.memory.meeting = other.id
        turn.say(turn.word("already_booked", **told(turn, other)), part=card(turn, other))
    else:
        turn.say(turn.word("other_meeting", email=other.email))


def show_booked(turn: Turn) -> bool:
    """Another tab, or the same form once more: the meeting that there is already. False when there is none."""
    booked = theirs(turn)
    if booked is None:
        return False
    turn.say(turn.word("already_booked", **told(turn, booked)), part=card(turn, booked))
    return True


def move(turn: Turn, meeting_id: str, start: datetime) -> None:
    """Move a meeting to another time. Lost when that time is gone."""
    try:
        moved = booking.reschedule(
            turn.tx, turn.version, meeting_id, start, by=turn.visitor_actor, reason="in the chat"
        )
    except Gone:
        turn.say(turn.word("too_late"))
        return
    except (Conflict, Invalid) as refused:
        raise Lost(_nearest(refused)) from None
    turn.memory.meeting = moved.id
    turn.say(turn.word("rescheduled", **told(turn, moved)), part=card(turn, moved))


def cancel(turn: Turn, meeting_id: str) -> None:
    """Cancel a meeting of theirs."""
    meeting = theirs(turn)
    if meeting is None or meeting.id != meeting_id:
        turn.say(turn.word("no_meeting"))
        return
    try:
        gone = booking.cancel(turn.tx, turn.version, meeting_id, by=turn.visitor_actor, reason="in the chat")
    except Gone:
        turn.say(turn.word("too_late"))
        return
    if turn.memory.meeting == meeting_id:
        turn.memory.meeting = ""
    turn.say(turn.word("cancelled"), part=card(turn, gone))


def theirs(turn: Turn) -> Any:
    """The visitor's next meeting: booked in this conversation, or by the lead that they are. Who has only typed an
    address has the meetings that were booked in their own browser, not those of whoever the address belongs to."""
    found, visitor = list(booking.of_conversation(turn.tx, turn.conversation.id)), turn.visitor
    if visitor.lead_id:
        of_lead = booking.of_lead(turn.tx, turn.conversation.site_id, visitor.lead_id)
        own = conversations.ids_of(turn.tx, visitor.id)
        found += [one for one in of_lead if "email" in (visitor.signed or {}) or one.conversation_id in own]
    ahead = [one for one in found if one.status in booking.AHEAD and one.start_at > clock.now()]
    ahead.sort(key=lambda one: (one.id != turn.memory.meeting, one.start_at))
    return ahead[0] if ahead else None


def _is_theirs(turn: Turn, meeting: Any) -> bool:
    own = conversations.ids_of(turn.tx, turn.visitor.id)
    return meeting.conversation_id in own or (
        "email" in (turn.visitor.signed or {}) and meeting.lead_id == turn.lead_id
    )


def card(turn: Turn, meeting: Any) -> dict[str, Any]:
    """The `meeting` part of docs/protocol.md."""
    return {"kind": "meeting", "meeting": booking.shown(turn.version, meeting)}


def told(turn: Turn, meeting: Any) -> dict[str, str]:
    """What sentences say of a meeting: its name, when it is on the visitor's clock, with whom."""
    of = turn.version.part(Meetings).by_id.get(meeting.type)
    rep = turn.version.part(Team).reps_by_id.get(meeting.rep)
    return {
        "name": of.named(turn.locale) if of else meeting.type,
        "when": times.local(turn, meeting.start_at),
        "rep": rep.name if rep else meeting.rep,
    }


def show_resource(turn: Turn, address: str) -> None:
    """Routing says that a page helps this visitor more than a person."""
    part = {"kind": "offer", "title": turn.word("have_a_look"), "url": address, "text": ""}
    turn.say(turn.word("resource"), part=part)
    turn.reach("offer")


def _nearest(refused: UsherError) -> list[datetime]:
    found = [times.moment(one) for one in refused.extra.get("alternatives", ())]
    return [one for one in found if one is not None]
