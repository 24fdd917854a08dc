"""The page of one meeting, for whoever has its link: look, move, cancel. Works without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import clock
from server.booking import service as booking
from server.booking.invitations import links
from server.booking.service import Meeting, SlotTaken
from server.config import service as config
from server.config.service import Version
from server.config.zones import is_zone, zone_names
from server.conversations.frames import moment
from server.errors import Conflict, Gone, Invalid, NotFound, UsherError
from server.events import Actor
from server.web import origins, words

bp = Blueprint(
    "meeting_page", __name__, template_folder="templates", static_folder="static", static_url_path="/m-static"
)

DAYS_SHOWN = 14
MOST_SLOTS = 60
FARTHEST = timedelta(days=750)
REFUSALS = {
    "notice": "too_soon",
    "limit": "full",
    **dict.fromkeys(("window", "outside_hours", "off_grid", "later_that_day", "calendar"), "impossible"),
}


@bp.get("/m/<token>")
def show(token: str) -> str:
    """The meeting as it is now."""
    meeting, version = _find(token)
    return _render("meeting.html", token, meeting, version, told=_told(meeting))


@bp.get("/m/<token>/invite.ics")
def invite(token: str) -> Response:
    """The invitation as a file."""
    with origins.database().reading() as tx:
        meeting = booking.find_by_token(tx, token)
        text = booking.invitation(tx, config.version(tx, meeting.version_id), meeting)
    response = Response(text, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="meeting.ics"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/m/<token>/reschedule")
def choose(token: str) -> ResponseReturnValue:
    """Open times to move the meeting to."""
    meeting, version = _find(token)
    return _choices(token, meeting, version) if _can_change(meeting) else _as_it_is(token)


@bp.post("/m/<token>/reschedule")
def move(token: str) -> ResponseReturnValue:
    """Move the meeting; when the time was taken meanwhile, show what is open now."""
    start = None
    try:
        start = _start(request.form.get("start", ""))
        with origins.database().transaction() as tx:
            meeting = booking.find_by_token(tx, token)
            version, by = config.active_of(tx, meeting.site_id), _visitor(meeting)
            booking.reschedule(tx, version, meeting.id, start, by=by, seen=_seen())
    except (Conflict, Gone, Invalid) as refused:
        meeting, version = _find(token)
        if isinstance(refused, Gone) or refused.code == "changed":
            return _as_it_is(token, changed=refused.code == "changed")
        return _choices(token, meeting, version, note=_note(refused, start)), refused.status
    return redirect(url_for("meeting_page.show", token=token, told="moved"), 303)


@bp.get("/m/<token>/cancel")
def ask_cancel(token: str) -> ResponseReturnValue:
    """Are you sure?"""
    meeting, version = _find(token)
    return _render("cancel.html", token, meeting, version) if _can_change(meeting) else _as_it_is(token)


@bp.post("/m/<token>/cancel")
def cancel(token: str) -> ResponseReturnValue:
    """Cancel the meeting; twice is once."""
    reason = request.form.get("reason", "").strip()[:500]
    try:
        with origins.database().transaction() as tx:
            meeting = booking.find_by_token(tx, token)
            version, by = config.active_of(tx, meeting.site_id), _visitor(meeting)
            booking.cancel(tx, version, meeting.id, by=by, reason=reason, seen=_seen())
    except (Conflict, Gone) as refused:
        return _as_it_is(token, changed=refused.code == "changed")
    return redirect(url_for("meeting_page.show", token=token, told="cancelled"), 303)


@bp.errorhandler(NotFound)
@bp.errorhandler(Invalid)
def refuse(error: UsherError) -> ResponseReturnValue:
    """A link that leads nowhere, or words that cannot be kept: said in the meeting's language, else the browser's."""
    if not request.accept_mimetypes.accept_html:
        return error.as_json(), error.status
    token = (request.view_args or {}).get("token", "")
    try:
        meeting, version = _find(token)
        locale, site_name = meeting.locale, version.site.name
    except NotFound:
        locale, site_name, token = words.best_of(request.accept_languages), "", ""
    said = words.in_locale(locale)
    sentence = said["bad_link" if isinstance(error, NotFound) else "unusable"]
    told = {"words": said, "locale": locale, "site_name": site_name, "token": token, "sentence": sentence}
    return render_template("refused.html", **told), error.status


def _note(refused: UsherError, start: datetime | None) -> str:
    """Which of our words say why the time was refused; nobody was faster where it could never be booked."""
    if isinstance(refused, Invalid):
        return "choose_shown"
    if not isinstance(refused, SlotTaken):
        return "other_meeting"
    if start is not None and start <= clock.now():
        return "passed"
    return REFUSALS.get(refused.extra["reason"], "taken")


def _as_it_is(token: str, *, changed: bool = False) -> ResponseReturnValue:
    """What cannot be changed (any more), or was changed by somebody else meanwhile."""
    meeting, version = _find(token)
    told = {"text": words.in_locale(meeting.locale)["changed"], "bad": True} if changed else None
    return _render("meeting.html", token, meeting, version, told=told), 409 if changed else 410


def _find(token: str) -> tuple[Meeting, Version]:
    with origins.database().reading() as tx:
        meeting = booking.find_by_token(tx, token)
        return meeting, config.active_of(tx, meeting.site_id)


def _choices(token: str, meeting: Meeting, version: Version, *, note: str = "") -> str:
    zone = request.values.get("zone") or meeting.zone
    local = ZoneInfo(zone if is_zone(zone) else meeting.zone)
    start = _first(local)
    end = start + timedelta(days=DAYS_SHOWN)
    look: dict[str, Any] = {"start": start, "end": end, "zone": local.key, "limit": MOST_SLOTS}
    with origins.database().reading() as tx:
        takers = booking.takers(tx, version, meeting)
        found = booking.open_times(tx, version, takers, **look, exclude_meeting=meeting.id)
    days = [
        {"name": _day(day, meeting), "slots": [_slot(one, local, meeting) for one in starts]}
        for day, starts in _others(found, meeting)
    ]
    told = {"text": words.in_locale(meeting.locale)[note]} if note else None
    more = {"days": days, "zone": local.key, "zones": sorted(zone_names()), "next_from": found.next_from}
    begins = start.astimezone(local).date().isoformat() if start > clock.now() else ""
    return _render("reschedule.html", token, meeting, version, told=told, begins=begins, **more)


def _others(found: booking.SlotList, meeting: Meeting) -> list[tuple[date, list[datetime]]]:
    """The days with their open times, without the time at which the meeting is now; a day is shown whole."""
    days = found.days()
    if found.next_from and len(days) > 1 and days[-1][0] == found.next_from:
        days.pop()  # cut off by the limit: it begins the next page
    days = [(day, [one for one in starts if one != meeting.start_at]) for day, starts in days]
    return [(day, starts) for day, starts in days if starts]


def _seen() -> int | None:
    """The meeting's SEQUENCE that the page has shown."""
    return request.form.get("seen", type=int)


def _first(local: ZoneInfo) -> datetime:
    """The first moment of the day asked for; now when none is, or one that is far away."""
    now = clock.now()
    try:
        asked = datetime.combine(date.fromisoformat(request.values.get("from", "")), time(), local).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return asked if now < asked < now + FARTHEST else now


def _render(template: str, token: str, meeting: Meeting, version: Version, **more: Any) -> str:
    said = words.in_locale(meeting.locale)
    return render_template(
        template,
        token=token,
        meeting=_shown(meeting, version, said),
        words=said,
        locale=meeting.locale,
        site_name=version.site.name,
        **more,
    )


def _shown(meeting: Meeting, version: Version, said: Mapping[str, str]) -> dict[str, Any]:
    """What the templates show of a meeting."""
    local, place = ZoneInfo(meeting.zone), links.place(version, meeting)
    start, end = meeting.start_at.astimezone(local), meeting.end_at.astimezone(local)
    return {
        **booking.shown(version, meeting),
        "title": links.type_of(version, meeting).named(meeting.locale),
        "state": _state(meeting, said),
        "sequence": meeting.sequence,
        "day": _day(start.date(), meeting),
        "time": f"{_time(start, meeting)} – {_time(end, meeting)}",
        "rep": links.rep_of(version, meeting).name,
        "place": place.text.removeprefix("https://"),
        "place_url": place.url,
        "guests": meeting.guests,
        "can_change": _can_change(meeting),
        "is_over": meeting.status == booking.CANCELLED,
    }


def _can_change(meeting: Meeting) -> bool:
    return meeting.status in booking.AHEAD and meeting.start_at > clock.now()


def _state(meeting: Meeting, said: Mapping[str, str]) -> str:
    """What has become of it, by its status and by the clock."""
    now = clock.now()
    if meeting.status in booking.AHEAD and meeting.start_at <= now:
        return said["state_begun"] if now < meeting.end_at else said["state_past"]
    return said.get(f"state_{meeting.status}", said["state_booked"])


def _told(meeting: Meeting) -> dict[str, Any] | None:
    said, what = words.in_locale(meeting.locale), request.args.get("told", "")
    if what == "moved" and meeting.status in booking.AHEAD:
        return {"text": said["moved"]}
    if what == "cancelled" and meeting.status == booking.CANCELLED:
        return {"text": said["cancelled"], "bad": True}
    return None


def _visitor(meeting: Meeting) -> Actor:
    return Actor("visitor", "", meeting.name or meeting.email)


def _start(text: str) -> datetime:
    try:
        start = datetime.fromisoformat(text)
        if start.tzinfo is not None:
            return start.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid("Choose one of the times shown.", field="start")


def _slot(start: datetime, local: ZoneInfo, meeting: Meeting) -> dict[str, str]:
    return {"start": moment(start), "time": _time(start.astimezone(local), meeting)}


def _day(day: date, meeting: Meeting) -> str:
    return format_date(day, "full", locale=_locale(meeting))


def _time(local: datetime, meeting: Meeting) -> str:
    return format_time(local.time(), "short", locale=_locale(meeting))


def _locale(meeting: Meeting) -> Locale:
    try:
        return Locale.parse(meeting.locale, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en")
