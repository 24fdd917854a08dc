"""Why a time is offered or not: each rep, each rule, in words, from the same rules as the list of open times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server import clock
from server.booking import service as booking
from server.booking.schema import Meetings
from server.booking.service import Verdict
from server.console import glass, here
from server.console.here import SiteHere
from server.errors import Forbidden, NotFound, UsherError
from server.routing.team import Team

bp = Blueprint("why", __name__, url_prefix="/availability/why")

WORDS = {
    "free": ("Free", "good"),
    "window": ("Not among the dates that can be booked", "plain"),
    "notice": ("Too soon", "warn"),
    "outside_hours": ("Outside hours", "plain"),
    "off_grid": ("Not a starting time", "plain"),
    "busy": ("Busy", "bad"),
    "hold": ("Held for a visitor", "warn"),
    "buffer": ("Buffer", "warn"),
    "limit": ("Limit reached", "warn"),
    "later_that_day": ("Later that day", "plain"),
    "calendar": ("Calendar silent", "bad"),
}
PRIVATE = ("busy", "buffer", "calendar")  # what colleagues are busy with is theirs
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_MEETING = re.compile(r"\bmeeting (mtg_\w+)")


@dataclass(frozen=True)
class Answer:
    """One rep at that moment; `because` only for those whose reasons the person may read."""

    rep: str
    name: str
    label: str
    tone: str
    because: str


@bp.get("")
def show() -> ResponseReturnValue:
    """The form, and with `meeting`, `date` and `time` the answer: `pool` as it is booked there, else with `rep`."""
    site = _site()
    zone = here.zone_of(site.id)
    given = {name: request.args.get(name, "") for name in ("meeting", "pool", "rep", "date", "time")}
    found, problem = {}, ""
    if given["date"] and given["time"]:
        try:
            found = _answer(site, zone, given)
        except UsherError as error:
            problem = error.message
        except ValueError:
            problem = "Choose a date and a time."
    team, types = site.version.part(Team), site.version.part(Meetings).meetings
    return render_template(
        "availability/why.html",
        site=site, sites=here.sites(), zone=zone, given=given, types=types, problem=problem,
        pools=[pool.id for pool in team.pools], reps=team.reps, **found,
    )  # fmt: skip


def localised(text: str, zone: str) -> str:
    """A reason with its moments on the zone's clock: "Tue 3 Mar 2026, 09:00 to 09:30"."""
    moments = _STAMP.findall(text)
    shown = dict.fromkeys(moments, "")
    day = ""
    for stamp in shown:
        at = datetime.fromisoformat(stamp)
        shown[stamp] = glass.time(at, zone) if glass.day(at, zone) == day else glass.moment(at, zone)
        day = glass.day(at, zone)
    return _STAMP.sub(lambda found: shown[found[0]], text)


def _answer(site: SiteHere, zone: str, given: dict[str, str]) -> dict[str, object]:
    day = date.fromisoformat(given["date"])
    local = ZoneInfo(zone)
    start = datetime.combine(day, time.fromisoformat(given["time"]).replace(tzinfo=None), local).astimezone(UTC)
    if not 2000 < day.year < 2500:
        raise ValueError(given["date"])
    first, last = (datetime.combine(day + timedelta(days=n), time(), local).astimezone(UTC) for n in (0, 1))
    with here.database().reading() as tx:
        asked = booking.ask(
            tx, site.version, given["meeting"], given["pool"] or None, [given["rep"]] if given["rep"] else None
        )
        told = booking.why_not(tx, site.version, asked, start)
        open_then = booking.open_times(tx, site.version, asked, start=first, end=last, zone=zone)
        names = {name: _about(tx, name) for one in told.values() for name in _MEETING.findall(one.because)}
    answers = [_shown(site, zone, rep, verdict, names) for rep, verdict in told.items()]
    return {
        "start": start,
        "answers": answers,
        "needed": asked.needed,
        "free": sum(one.answer == "free" for one in told.values()),
        "offered": start in open_then.starts,
        "open_then": [(glass.time(one, zone), one == start) for one in open_then.starts],
        "next_from": open_then.next_from,
        "past": start <= clock.now(),
    }


def _shown(site: SiteHere, zone: str, rep: str, verdict: Verdict, names: dict[str, str]) -> Answer:
    label, tone = WORDS.get(verdict.answer, (verdict.answer.replace("_", " "), "plain"))
    because = ""
    if here.may("manage_availability") or rep == here.user().rep or verdict.answer not in PRIVATE:
        because = _MEETING.sub(lambda found: names.get(found[1], "a meeting"), localised(verdict.because, zone))
    return Answer(rep, here.rep_name(site.id, rep), label, tone, because)


def _about(tx: booking.Connection, meeting_id: str) -> str:
    """A meeting that stands in the way, as people call it."""
    try:
        meeting = booking.visible(tx, meeting_id, here.sight("see_all_meetings"))
    except NotFound:
        return "a meeting"
    kind = here.meeting_name(meeting.site_id, meeting.type)
    return f"{kind} with {meeting.name or 'a visitor'}"


def _site() -> SiteHere:
    if not (here.may("manage_availability") or here.user().rep):
        raise Forbidden("Only reps, supervisors and owners can look into availability.")
    wanted = request.args.get("site")
    sites: Sequence[SiteHere] = here.sites()
    found = next((one for one in sites if one.key == wanted), here.chosen() or (sites[0] if sites else None))
    if found is None:
        raise NotFound("There is no site yet.")
    return found
