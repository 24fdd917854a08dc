"""Meetings: what is ahead and what was, why this rep, and how it ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import clock, events
from server.booking import service as booking
from server.booking.service import Meeting
from server.config import service as config
from server.config.service import Version
from server.console import gate, here, meeting_facts
from server.db import Connection
from server.errors import Forbidden, NotFound
from server.outbox import service as outbox
from server.people.rights import Sight
from server.routing.team import Team

bp = Blueprint("meetings", __name__, url_prefix="/meetings")

A_PAGE = 50
ENDINGS = {"done": "took place", "no_show": "is a no-show"}
TICK = timedelta(microseconds=1)


@bp.get("")
def index() -> ResponseReturnValue:
    """Upcoming ones, the next first, or `?show=past`, the latest first; `?rep=` for those who see all of them."""
    past = request.args.get("show") == "past"
    rep = request.args.get("rep") if here.may("see_all_meetings") else None
    edge = here.moment_given("from") or clock.now()
    span: dict[str, Any] = {"end": edge + TICK, "newest_first": True} if past else {"start": edge - TICK}
    with here.database().reading() as tx:
        sight = Sight(rep=rep) if rep else here.sight("see_all_meetings")
        found = booking.list_for(tx, here.looked_at(), sight=sight, limit=A_PAGE + 1, **span)
        gone = _orphans(tx) if here.may("see_all_meetings") and not past else []
    last = found[A_PAGE].start_at.isoformat() if len(found) > A_PAGE else None
    more = url_for(".index", show="past" if past else None, rep=rep, **{"from": last}) if last else None
    found, zones = found[:A_PAGE], sorted({here.zone_of(one.site_id) for one in [*found, *gone]})
    return render_template("meetings/index.html", found=found, past=past, rep=rep, more=more, gone=gone, zones=zones)


@bp.get("/<meeting_id>")
def show(meeting_id: str) -> ResponseReturnValue:
    """One meeting: who, when, where, why this rep, and whether everybody outside has heard of it."""
    with here.database().reading() as tx:
        meeting = _mine(tx, meeting_id)
        hosts = booking.hosts_of(tx, meeting)
        happened = events.of_subject(tx, "meeting", meeting.id)
        sent = outbox.of_subject(tx, "meeting", meeting.id)
    site = here.site_of(meeting.site_id)
    return render_template(
        "meetings/show.html",
        meeting=meeting,
        site=site,
        zone=here.zone_of(meeting.site_id),
        place=meeting_facts.place(site.version, meeting) if site else None,
        how=meeting_facts.how(meeting, happened),
        events=happened,
        decisions=[event for event in happened if event.trace],
        deliveries=sent,
        over=meeting.start_at <= clock.now(),
        changeable=_may_change(meeting),
        hosts=hosts,
        gone=[rep for rep in hosts if not _is_on_the_team(site, rep)] if site else [],
    )


@bp.post("/<meeting_id>/cancel")
def cancel(meeting_id: str) -> ResponseReturnValue:
    """Call it off: the visitor and the rep are told, the time is free again."""
    reason = request.form.get("reason", "").strip()
    with here.database().transaction() as tx:
        meeting = to_change(tx, meeting_id)
        by, seen = here.user().actor, seen_in_the_form()
        booking.cancel(tx, version_of(tx, meeting), meeting.id, by=by, reason=reason, seen=seen)
    flash("The meeting is cancelled; the visitor gets a mail.", "done")
    return redirect(back_to(url_for(".show", meeting_id=meeting_id)), 303)


@bp.post("/<meeting_id>/end")
def end(meeting_id: str) -> ResponseReturnValue:
    """Say how it went: `result` is done or no_show."""
    result = request.form.get("result", "")
    if result not in ENDINGS:
        raise NotFound("A meeting can only have taken place or be a no-show.")
    with here.database().transaction() as tx:
        meeting = to_change(tx, meeting_id)
        booking.mark(tx, version_of(tx, meeting), meeting.id, result, by=here.user().actor)
    flash(f"Kept: the meeting {ENDINGS[result]}.", "done")
    return redirect(url_for(".show", meeting_id=meeting_id), 303)


def seen_in_the_form() -> int | None:
    """The SEQUENCE of the meeting as the page has shown it: who acts on an older state is told to look again."""
    return request.form.get("seen", type=int)


def back_to(otherwise: str) -> str:
    """Where the form says that its person came from, such as a list of meetings to decide about."""
    return gate.local_path(request.form.get("next"), otherwise)


def version_of(tx: Connection, meeting: Meeting) -> Version:
    """What holds for the meeting's site now."""
    return config.active_of(tx, meeting.site_id)


def _orphans(tx: Connection) -> list[Meeting]:
    """Meetings ahead of people who are not on the team any more."""
    seen = [site for site in here.sites() if site.id in here.looked_at()]
    return [meeting for site in seen for meeting in booking.orphans(tx, site.version)]


def _mine(tx: Connection, meeting_id: str) -> Meeting:
    """The meeting, if the person who asks may see it; NotFound."""
    return booking.visible(tx, meeting_id, here.sight("see_all_meetings"))


def _may_change(meeting: Meeting) -> bool:
    own = bool(here.user().rep) and meeting.rep == here.user().rep
    return here.may("change_all_meetings") or (own and here.may("change_own_meetings"))


def to_change(tx: Connection, meeting_id: str) -> Meeting:
    """The meeting, if the person who asks may change it; NotFound, Forbidden."""
    meeting = _mine(tx, meeting_id)
    if not _may_change(meeting):
        raise Forbidden("Only the rep of this meeting, a supervisor or an owner can change it.")
    return meeting


def _is_on_the_team(site: here.SiteHere, rep: str) -> bool:
    known = site.version.part(Team).reps_by_id.get(rep)
    return known is not None and known.active
