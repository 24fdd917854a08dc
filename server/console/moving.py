"""A meeting gets another time, or another rep: what is open, who is free, whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import clock
from server.booking import service as booking
from server.booking.service import Meeting, SlotTaken
from server.console import here, why
from server.console.meetings import back_to, seen_in_the_form, to_change, version_of
from server.db import Connection
from server.errors import Gone, Invalid

bp = Blueprint("moving", __name__, url_prefix="/meetings")

DAYS_SHOWN = 7
FARTHEST = timedelta(days=750)
AWAKE = (time(7), time(21))


@bp.get("/<meeting_id>/move")
def times(meeting_id: str) -> ResponseReturnValue:
    """Open times of a week, from `?from=`."""
    with here.database().reading() as tx:
        meeting = _ahead(tx, meeting_id)
        version = version_of(tx, meeting)
        zone = here.zone_of(meeting.site_id)
        start = _first(zone)
        end = _midnight(start, zone, DAYS_SHOWN)
        takers = booking.takers(tx, version, meeting)
        look = {"start": start, "end": end, "zone": zone, "exclude_meeting": meeting.id}
        found = booking.open_times(tx, version, takers, **look)
        who = booking.would_take(tx, version, meeting, start, end)
        hosts = booking.hosts_of(tx, meeting)
    offered = {one: _offer(meeting, one, zone, who.get(one, hosts), hosts) for one in found.starts}
    days = [(day, [offered[one] for one in starts if one != meeting.start_at]) for day, starts in found.days()]
    first = max(start, clock.now()).astimezone(ZoneInfo(zone)).date()
    return render_template(
        "meetings/move.html",
        meeting=meeting,
        zone=zone,
        days=[(day, starts) for day, starts in days if starts],
        first=first,
        last=(end - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date(),
        earlier=first - timedelta(days=DAYS_SHOWN) if start > clock.now() else None,
        later=found.next_from,
        reason=request.args.get("reason", ""),
    )


@bp.post("/<meeting_id>/move")
def move(meeting_id: str) -> ResponseReturnValue:
    """Move it; a time that was taken meanwhile brings back the open ones."""
    start, reason = _start(request.form.get("start", "")), _reason()
    try:
        with here.database().transaction() as tx:
            meeting = to_change(tx, meeting_id)
            by, seen = here.user().actor, seen_in_the_form()
            booking.reschedule(tx, version_of(tx, meeting), meeting.id, start, by=by, reason=reason, seen=seen)
    except SlotTaken as lost:
        flash(lost.message, "problem")
        shown, back = request.form.get("from") or None, request.form.get("next") or None
        return redirect(url_for(".times", meeting_id=meeting_id, next=back, **{"from": shown}), 303)  # type: ignore[arg-type]  # url_for's own keywords
    flash("The meeting has its new time; everybody gets a mail.", "done")
    return redirect(back_to(url_for("console.meetings.show", meeting_id=meeting_id)), 303)


@bp.get("/<meeting_id>/give")
def colleagues(meeting_id: str) -> ResponseReturnValue:
    """Who could take it at the same time, whose turn it is and why, and why the others cannot."""
    with here.database().reading() as tx:
        meeting = _ahead(tx, meeting_id)
        version = version_of(tx, meeting)
        found = booking.colleagues(tx, version, meeting)
        turn = booking.next_in_turn(tx, version, meeting)
        hosts = booking.hosts_of(tx, meeting)
        zone = here.zone_of(meeting.site_id)
    standings = {one.rep: one for one in turn.why} if turn else {}
    return render_template(
        "meetings/give.html",
        meeting=meeting,
        zone=zone,
        hosts=hosts,
        leaving=_leaving(hosts),
        found=[(one, why.localised(one.verdict.because, zone), standings.get(one.rep)) for one in found],
        turn=turn,
        labels=why.WORDS,
    )


@bp.post("/<meeting_id>/give")
def give(meeting_id: str) -> ResponseReturnValue:
    """`rep` takes it; an empty one: whoever is next in turn."""
    with here.database().transaction() as tx:
        meeting = to_change(tx, meeting_id)
        given = booking.reassign(
            tx,
            version_of(tx, meeting),
            meeting.id,
            request.form.get("rep") or None,
            by=here.user().actor,
            reason=_reason(),
            leaving=request.form.get("leaving", ""),
            seen=seen_in_the_form(),
        )
        hosts = booking.hosts_of(tx, given)
    names = ", ".join(here.rep_name(given.site_id, rep) for rep in hosts)
    flash(f"The meeting is with {names} now; everybody gets a mail.", "done")
    own = here.user().rep in hosts or here.may("see_all_meetings")
    address = url_for("console.meetings.show", meeting_id=meeting_id) if own else url_for("console.meetings.index")
    return redirect(back_to(address), 303)


@dataclass(frozen=True)
class Offer:
    """An open time: who takes it where that is somebody else, and the visitor's clock where it is early or late."""

    start: datetime
    by: str
    theirs: str


def _offer(meeting: Meeting, start: datetime, zone: str, takers: Sequence[str], hosts: Sequence[str]) -> Offer:
    others = [here.rep_name(meeting.site_id, rep) for rep in takers if rep not in hosts]
    there = start.astimezone(ZoneInfo(meeting.zone))
    odd = meeting.zone != zone and not AWAKE[0] <= there.time() <= AWAKE[1]
    same = there.date() == start.astimezone(ZoneInfo(zone)).date()
    return Offer(start, ", ".join(others), f"{there:%H:%M}" if odd and same else f"{there:%a %H:%M}" if odd else "")


def _ahead(tx: Connection, meeting_id: str) -> Meeting:
    meeting = to_change(tx, meeting_id)
    if meeting.status not in booking.AHEAD or meeting.start_at <= clock.now():
        raise Gone("This meeting has begun, or was cancelled, and cannot be changed any more.")
    return meeting


def _leaving(hosts: list[str]) -> str:
    """Which of several hosts it is taken from: the one asked for, else oneself, else the organizer."""
    wanted = request.args.get("leaving") or here.user().rep
    return wanted if wanted in hosts else hosts[0]


def _reason() -> str:
    return request.form.get("reason", "").strip()[:500]


def _first(zone: str) -> datetime:
    """The first moment of the day asked for; now when none is, or one that is past or far away."""
    now = clock.now()
    try:
        asked = datetime.combine(date.fromisoformat(request.args.get("from", "")), time(), ZoneInfo(zone))
        found = asked.astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return found if now < found < now + FARTHEST else now


def _midnight(start: datetime, zone: str, days: int) -> datetime:
    """The end of the last of so many local days, the one of `start` included."""
    day = start.astimezone(ZoneInfo(zone)).date() + timedelta(days=days)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _start(text: str) -> datetime:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        start = datetime.min
    if start.tzinfo is None:
        raise Invalid("Choose one of the times shown.", field="start")
    return start
