"""Meetings in the chat: held, booked, moved and cancelled through the booking room, shown and told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from server.booking import service as booking
from server.booking.schema import Meetings
from server.booking.service import SlotTaken
from server.conversations.frames import moment as stamp
from server.errors import Gone
from server.playbooks import forms, times
from server.routing.team import Team

if TYPE_CHECKING:
    from server.playbooks.turn import Turn


def hold(turn: Turn, start: datetime) -> bool:
    """Keep the time for this visitor for a few minutes; False when it is gone."""
    step = turn.memory.step
    key = f"{turn.conversation.id}:{turn.heard.seq}"
    try:
        held = booking.hold(
            turn.tx,
            turn.version,
            meeting=step["meeting"],
            start=start,
            conversation_id=turn.conversation.id,
            key=key,
            **times.who(turn),
        )
    except SlotTaken:
        return False
    step["held"] = turn.memory.hold = held.id
    step["hold"] = {"start": stamp(held.start_at), "end": stamp(held.end_at), "expires_at": stamp(held.held_until)}
    return True


def let_go(turn: Turn) -> None:
    """Give back a time that was held and not booked."""
    held = turn.memory.step.pop("held", "")
    if held:
        booking.release(turn.tx, turn.version, held)
        turn.memory.hold = ""
        turn.memory.step.pop("hold", None)


def confirm(turn: Turn) -> bool:
    """Book the held time with what is known; show the meeting. False when the hold is over and the time is gone."""
    given = forms.given(turn)
    try:
        booked = booking.confirm(
            turn.tx,
            turn.version,
            turn.memory.step["held"],
            zone=turn.zone,
            locale=turn.locale,
            guests=(),
            key=f"{turn.conversation.id}:{turn.memory.step['held']}",
            **given,
        )
    except (SlotTaken, Gone):
        turn.memory.step.pop("held")
        return False
    turn.memory.hold, turn.memory.meeting = "", booked.id
    turn.say(turn.word("booked", **told(turn, booked)), part=card(turn, booked))
    return True


def move(turn: Turn, meeting_id: str, start: datetime) -> bool:
    """Move a meeting to another time; False when that time is gone."""
    try:
        moved = booking.reschedule(turn.tx, turn.version, meeting_id, start, turn.visitor_actor)
    except SlotTaken:
        return False
    turn.memory.meeting = moved.id
    turn.say(turn.word("rescheduled", **told(turn, moved)), part=card(turn, moved))
    return True


def cancel(turn: Turn, meeting_id: str) -> None:
    """Cancel a meeting of theirs."""
    meeting = theirs(turn)
    if meeting is None or meeting.id != meeting_id:
        turn.say(turn.word("no_meeting"))
        return
    booking.cancel(turn.tx, turn.version, meeting_id, turn.visitor_actor, "cancelled in the chat")
    if turn.memory.meeting == meeting_id:
        turn.memory.meeting = ""
    turn.say(turn.word("cancelled"))


def theirs(turn: Turn) -> Any:
    """The visitor's next meeting: booked in this conversation, or by the lead that this browser is known to be."""
    ours = turn.memory.meeting
    lead = turn.visitor.lead_id
    found = booking.upcoming(turn.tx, conversation_id=turn.conversation.id, lead_id=lead)
    return next((one for one in found if one.id == ours), found[0] if found else None)


def card(turn: Turn, meeting: Any) -> dict[str, Any]:
    """The `meeting` part of docs/protocol.md."""
    return {"kind": "meeting", "meeting": booking.shape(turn.version, meeting, turn.locale)}


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
