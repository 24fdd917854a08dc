"""A rep's availability: the week as it is, out of office, own time, extra hours, and meetings that are in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import clock
from server.booking import service as booking
from server.config.zones import zone_names
from server.console import glass, here, own_time_forms, week_grid
from server.console.here import SiteHere
from server.errors import Forbidden, Invalid, NotFound
from server.routing.team import Rep, Team

bp = Blueprint("availability", __name__, url_prefix="/availability")

NO_REP = "Your user has no rep id, so there is no availability to show; an owner can set it under Users."
FARTHEST_WEEKS = 260
TOP = "main"  # where notices stand; without a fragment of its own, a redirect keeps the form's
KEPT = {"away": "Kept: out of office.", "blocked": "Kept: this time is blocked.", "open": "Kept: extra hours."}


@dataclass(frozen=True)
class Whose:
    """The rep whose availability is shown, and the site whose team.yml knows them."""

    site: SiteHere
    rep: Rep

    def zone_on(self, day: date) -> str:
        """The zone in which the hours of this date are read: another one on a journey."""
        return next((trip.zone for trip in self.rep.travel if trip.from_ <= day <= trip.to), self.rep.zone)

    def url(self, door: str = "show", **more: Any) -> str:
        """The address of a page about them."""
        return url_for(f"console.availability.{door}", site=self.site.key, rep=self.rep.id, **more)


@bp.get("")
def index() -> ResponseReturnValue:
    """One's own; those who look after others begin with the first of the team."""
    return _page(_first())


@bp.get("/<site>/<rep>")
def show(site: str, rep: str) -> ResponseReturnValue:
    """`?week=` is a date of the week to show."""
    return _page(_whose(site, rep))


@bp.post("/<site>/<rep>")
def add(site: str, rep: str) -> ResponseReturnValue:
    """Away, blocked or extra hours; what is not understood comes back with what was filled in."""
    whose = _whose(site, rep)
    try:
        wanted = own_time_forms.wanted(request.form, request.form.getlist("days"))
        with here.database().transaction() as tx:
            block = booking.add_own_time(tx, whose.site.id, rep, wanted, by=here.user().actor)
            met = booking.meetings_in(tx, [booking.own_time(tx, whose.site.id, rep, block)])
    except Invalid as error:
        given = {**request.form, "days": request.form.getlist("days")}
        return _page(whose, given, error.message), error.status
    flash(KEPT[wanted.kind], "done")
    if met:
        return redirect(whose.url("decide", block=block, _anchor=TOP), 303)
    return redirect(whose.url(week=wanted.start.date().isoformat(), _anchor=TOP), 303)


@bp.get("/<site>/<rep>/<block>")
def decide(site: str, rep: str, block: str) -> ResponseReturnValue:
    """The meetings that lie in one own time: give them to a colleague, move or cancel them, or keep them."""
    whose = _whose(site, rep)
    with here.database().reading() as tx:
        row = booking.own_time(tx, whose.site.id, rep, block)
        met = [meeting for meeting, _ in booking.meetings_in(tx, [row])]
    return render_template("availability/decide.html", whose=whose, row=row, met=met, said=_said(row))


@bp.post("/<site>/<rep>/<block>/remove")
def remove(site: str, rep: str, block: str) -> ResponseReturnValue:
    """As if it had never been said."""
    whose = _whose(site, rep)
    try:
        with here.database().transaction() as tx:
            booking.remove_own_time(tx, whose.site.id, rep, block, by=here.user().actor)
        flash("Deleted; the time is as it was before.", "done")
    except NotFound:
        flash("It was deleted before.", "done")
    return redirect(whose.url(_anchor=TOP), 303)


def _first() -> Whose:
    """Mine, or the first one I may look after."""
    sites = [one] if (one := here.chosen()) else here.sites()
    reps = [Whose(site, rep) for site in sites for rep in site.version.part(Team).reps]
    own = next((one for one in reps if one.rep.id == here.user().rep), None)
    if own is None and not here.may("manage_availability"):
        raise Forbidden(NO_REP)
    if own is None and not reps:
        raise NotFound("There is nobody in team.yml yet.")
    return own or reps[0]


def _whose(site_key: str, rep_id: str) -> Whose:
    if rep_id != here.user().rep:
        here.need("manage_availability")
    site = next((one for one in here.sites() if one.key == site_key), None)
    rep = site.version.part(Team).reps_by_id.get(rep_id) if site else None
    if site is None or rep is None:
        raise NotFound("There is no such rep in team.yml.")
    return Whose(site, rep)


def _page(whose: Whose, given: Mapping[str, Any] | None = None, problem: str = "") -> str:
    zone = whose.rep.zone
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    monday = _monday(request.args.get("week", ""), today)
    start, end = week_grid.bounds(monday, zone)[0], week_grid.bounds(monday + timedelta(days=6), zone)[1]
    with here.database().reading() as tx:
        week = booking.week(tx, whose.site.version, whose.rep.id, start, end)
        rows = booking.own_times_of(tx, whose.site.id, whose.rep.id, clock.now())
        met = booking.meetings_in(tx, rows)
    return render_template(
        "availability/show.html",
        whose=whose,
        others=_others(),
        zone=zone,
        zones=_zones(whose),
        today=today,
        monday=monday,
        grid=week_grid.lay_out(week.items, monday, zone),
        silent=week.silent,
        rows=[(row, _said(row)) for row in rows],
        met=met,
        given=given or {},
        problem=problem,
        forms=own_time_forms,
    )


def _others() -> list[Whose]:
    """Everybody whose availability the person may see."""
    if not here.may("manage_availability"):
        return []
    seen = [site for site in here.sites() if site.id in here.looked_at()]
    return [Whose(site, rep) for site in seen for rep in sorted(site.version.part(Team).reps, key=lambda rep: rep.name)]


def _zones(whose: Whose) -> tuple[list[str], list[str]]:
    """The zones that the rep is likely to mean, and all of them."""
    likely = [whose.rep.zone, whose.site.zone, *(trip.zone for trip in whose.rep.travel)]
    return list(dict.fromkeys(likely)), sorted(zone_names())


def _said(row: Any) -> str:
    return own_time_forms.in_words(row, _day)


def _day(day: date) -> str:
    return glass.date_words(day)


def _monday(text: str, today: date) -> date:
    """The Monday of the week asked for; of this one when none is, or one that is far away."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        asked = today
    if abs(asked - today) > timedelta(weeks=FARTHEST_WEEKS):
        asked = today
    return asked - timedelta(days=asked.weekday())
