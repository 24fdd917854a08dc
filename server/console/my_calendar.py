"""My calendar: a rep connects the services that their own calendars are in, and says which calendars block and which
one gets the meetings. Everybody sees and changes their own only; an owner may end a connection under Connections."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from plugins.adapter import Adapter
from plugins.errors import PluginError
from server.adapters import connections, own_calendars
from server.adapters.connections import Connection
from server.booking import service as booking
from server.booking.service import CalendarState
from server.console import connection_forms as forms
from server.console import here, leaving
from server.console.calendar_choice import after_connecting, read_now
from server.console.here import SiteHere
from server.errors import Conflict, Forbidden, Invalid, NotFound
from server.routing.schema import Rep, Team

bp = Blueprint("my_calendar", __name__, url_prefix="/my-calendar")


@dataclass(frozen=True)
class Offer:
    """A service that the rep may connect: by signing in there, or with own settings. `problem`: why not now."""

    name: str
    title: str
    about: str
    signs_in: bool
    problem: str = ""


@dataclass(frozen=True)
class Desk:
    """A rep's calendars on one site. `states` by connection and calendar; `fallback` is where meetings go while none of
    the rep's own gets them."""

    site: SiteHere
    rep: Rep
    made: list[Connection]
    states: dict[tuple[str, str], CalendarState]
    offers: list[Offer]
    fallback: str

    @property
    def gets_events(self) -> bool:
        return any(own_calendars.choice_of(one).events for one in self.made if one.serves)


@bp.get("")
def index() -> ResponseReturnValue:
    """What is connected, how it stands, and what could be."""
    here.need("connect_own_calendar")
    desks = [_desk(site) for site in _sites()]
    return render_template("my_calendar/index.html", desks=desks, choice_of=own_calendars.choice_of, forms=forms)


@bp.get("/connect/<name>")
def form(name: str) -> ResponseReturnValue:
    """The settings of a service that is connected without signing in there."""
    site, adapter = _site(), _adapter(name)
    if connections.has_sign_in(adapter):
        return redirect(url_for(".index"), 303)
    return _form(site, adapter)


@bp.post("/connect/<name>")
def connect(name: str) -> ResponseReturnValue:
    """Off to the service to sign in; or try the settings, and keep them when the service accepts them."""
    site, adapter, db, by = _site(), _adapter(name), here.database(), here.user().actor
    signs_in = connections.has_sign_in(adapter)
    given = None if signs_in else forms.entered(adapter, request.form)
    try:
        fresh = connections.draft(db, site.version, "calendar", name, given=given, actor=by, rep=here.rep())
        if connections.needs_sign_in(db, fresh):
            return leaving.leave_for(fresh, back=url_for(".index"))
        made = connections.connect(db, fresh, actor=by)
    except (Invalid, Conflict) as refusal:
        if signs_in:
            flash(refusal.message, "problem")
            return redirect(url_for(".index"), 303)
        return _form(site, adapter, refusal), refusal.status
    flash(f"{adapter.title} is connected as {made.label}.", "done")
    after_connecting(made)
    return redirect(url_for(".index"), 303)


@bp.post("/<connection_id>/choose")
def choose(connection_id: str) -> ResponseReturnValue:
    """Which calendars block, and which one gets the meetings; they are read at once."""
    one, site = _mine(connection_id)
    blocking, gets_events = request.form.getlist("blocks"), request.form.get("events", "")
    if not blocking and not gets_events:
        raise Invalid("Tick at least one calendar, or disconnect the service.")
    with here.database().transaction() as tx:
        booking.choose_calendars(tx, site.version, one.id, blocking, gets_events, actor=here.user().actor)
    read_now(site, one.rep)
    flash("Your calendars are kept, and were read just now.", "done")
    return redirect(url_for(".index"), 303)


@bp.post("/<connection_id>/look")
def look(connection_id: str) -> ResponseReturnValue:
    """Ask the service again which calendars there are."""
    one, _ = _mine(connection_id)
    after_connecting(one, again=True)
    return redirect(url_for(".index"), 303)


def _desk(site: SiteHere) -> Desk:
    rep = site.version.part(Team).reps_by_id[here.rep()]
    with here.database().reading() as tx:
        made = [one for one in connections.all_of(tx, site.id, "calendar") if one.rep == rep.id]
        states = booking.calendar_states(tx, site.version, [rep.id])
        serving = connections.serving(tx, site.version, "calendar")
    where = f"{forms.title_of(serving)} ({rep.calendar_id})" if serving else "Usher's own calendar"
    taken = {one.name for one in made}
    offers = [_offer(site, one) for one in forms.services("calendar") if not one.problem and one.name not in taken]
    offers.sort(key=lambda one: (bool(one.problem), not one.signs_in))
    return Desk(site, rep, made, {(one.connection_id, one.calendar): one for one in states}, offers, where)


def _offer(site: SiteHere, service: forms.Service) -> Offer:
    adapter = forms.adapter_of("calendar", service.name)
    if not connections.has_sign_in(adapter):
        return Offer(service.name, service.title, service.about, signs_in=False)
    db, problem = here.database(), "An owner has to set up the application for it first, under Connections."
    try:
        by = here.user().actor
        fresh = connections.draft(db, site.version, "calendar", service.name, rep=here.rep(), actor=by, checked=False)
        problem = "" if connections.sign_in_of(db, fresh) is not None else problem
    except (PluginError, Invalid):
        pass
    return Offer(service.name, service.title, service.about, signs_in=True, problem=problem)


def _form(site: SiteHere, adapter: type[Adapter], refusal: Invalid | Conflict | None = None) -> str:
    entered = {name: text for name, text in request.form.items() if refusal}
    problem, wrong = forms.wrong_in(adapter, refusal)
    shown = forms.inputs(adapter, None, entered, wrong)
    return render_template("my_calendar/form.html", site=site, adapter=adapter, inputs=shown, problem=problem)


def _sites() -> list[SiteHere]:
    """Where the person is a rep. Forbidden for who is none."""
    rep = here.user().rep
    sites = [one] if (one := here.chosen()) else here.sites()
    found = [site for site in sites if rep and rep in site.version.part(Team).reps_by_id]
    if not found:
        raise Forbidden("You are no rep of this website, so there is no calendar of yours to connect.")
    return found


def _site() -> SiteHere:
    here.need("connect_own_calendar")
    wanted = request.values.get("site")
    found = next((site for site in _sites() if wanted in (None, "", site.key)), None)
    if found is None:
        raise NotFound("There is no such site.")
    return found


def _adapter(name: str) -> type[Adapter]:
    return forms.adapter_of("calendar", name)


def _mine(connection_id: str) -> tuple[Connection, SiteHere]:
    here.need("connect_own_calendar")
    with here.database().reading() as tx:
        one = connections.get(tx, connection_id)
    site = here.site_of(one.site_id)
    if not one.rep or one.rep != here.user().rep or one.kind != "calendar" or site is None:
        raise Forbidden("Only the rep themself can change their own calendar's connection.")
    return one, site
