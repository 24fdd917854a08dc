"""Connections: which services the sites use and how these stand; connect, change, test and end them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from plugins.adapter import Adapter
from plugins.errors import ConfigError
from server import events
from server.adapters import connections, own_calendars
from server.adapters.connections import Connection
from server.console import connection_forms as forms
from server.console import here
from server.console.calendar_choice import after_connecting
from server.console.gate import local_path
from server.console.here import SiteHere
from server.console.leaving import BACK, BROWSER, leave_for
from server.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from server.outbox import service as outbox
from server.routing.team import Team

bp = Blueprint("connections", __name__, url_prefix="/connections")
TYPED = "connecting_typed"
"""Where the session holds what was entered for a connection that works, until signing in has ended well."""
MOST_TYPED = 1500
"""Characters of it: browsers forget a session of more than 4 KB."""
CAME = "connecting_came"
"""Where it holds the last sign-in that ended well: who goes back and agrees once more comes with the same state."""
UNFINISHED = "What you entered is not kept yet: signing in did not end well. Enter secrets again, then sign in."


@bp.get("")
def index() -> ResponseReturnValue:
    """The connections of the site looked at, or of every site."""
    here.need("see_connections")
    with here.database().reading() as tx:
        found = [(site, connections.all_of(tx, site.id)) for site in _sites()]
        stuck = {row.connection_id: row.paused for row in outbox.stuck(tx)}
        left = {one.id for site in _sites() for one in own_calendars.of_nobody(tx, site.id, _team(site))}
    return render_template("connections/index.html", found=found, stuck=stuck, left=left, forms=forms)


@bp.get("/choose")
def choose() -> ResponseReturnValue:
    """Which service is to be connected."""
    here.need("manage_connections")
    site = _site(request.args.get("site"))
    offered = [(kind, *words, forms.services(kind)) for kind, words in forms.KINDS.items()]
    with here.database().reading() as tx:
        made = connections.all_of(tx, site.id)
    taken = {one.adapter: one for one in made if not one.rep and not one.from_environment}
    serving = {one.kind: one for one in taken.values() if one.serves and one.kind in ("crm", "calendar")}
    return render_template(
        "connections/choose.html", site=site, offered=offered, taken=taken, serving=serving, forms=forms
    )


@bp.get("/new/<kind>/<name>")
def new(kind: str, name: str) -> ResponseReturnValue:
    """The settings of a service that is not connected yet."""
    here.need("manage_connections")
    site, adapter = _site(request.args.get("site")), forms.adapter_of(kind, name)
    with here.database().reading() as tx:
        there = next((one for one in connections.all_of(tx, site.id, kind) if _is(one, name)), None)
    if there is not None:
        return redirect(url_for(".show", connection_id=there.id), 303)
    return _form(site, adapter, None)


@bp.post("/new/<kind>/<name>")
def add(kind: str, name: str) -> ResponseReturnValue:
    """Try the settings, and keep them when the service accepts them; or go there to sign in."""
    here.need("manage_connections")
    return _save(_site(request.form.get("site")), forms.adapter_of(kind, name), None)


@bp.get("/callback")
def callback() -> ResponseReturnValue:
    """Where a service sends people back to after they have agreed, or not."""
    told = {name: request.args.get(name, "") for name in ("state", "code", "error")}
    answer = connections.Answer(**told, description=request.args.get("error_description", ""))
    back = local_path(session.pop(BACK, None), url_for(".index"))
    try:
        made = connections.finish(
            here.database(), answer, browser=session.get(BROWSER, ""), actor=here.user().actor, need=_need_for
        )
    except (Invalid, Gone, Conflict) as refusal:
        if isinstance(refusal, Gone) and (there := _connected_by(answer.state)) is not None:
            flash(f"{forms.title_of(there)} is connected already, as {there.label}.", "done")
        else:
            flash(refusal.message, "problem")
        return redirect(back, 303)
    session.pop(TYPED, None)
    session[CAME] = {"state": answer.state, "id": made.id}
    flash(f"{forms.title_of(made)} is connected as {made.label}.", "done")
    after_connecting(made)
    return redirect(back if made.rep else url_for(".show", connection_id=made.id), 303)


@bp.get("/<connection_id>")
def show(connection_id: str) -> ResponseReturnValue:
    """One connection: how it stands, what happened to it, its settings."""
    one = _mine(connection_id)
    return _form(_site_of(one), None if one.state == connections.OFF else _adapter(one), one)


@bp.post("/<connection_id>")
def change(connection_id: str) -> ResponseReturnValue:
    """Other settings; they are tried before they are kept."""
    one = _mine(connection_id, manage=True)
    return _save(_site_of(one), forms.adapter_of(one.kind, one.name), one)


@bp.post("/<connection_id>/check")
def check(connection_id: str) -> ResponseReturnValue:
    """Ask the service now whether it works."""
    one = _mine(connection_id, manage=True)
    told = connections.check(here.database(), one.id)
    if not told.ok:
        flash(told.message, "problem")
    else:
        flash(" ".join([f"It works: {told.account or one.label}.", *told.warnings]), "done")
    return redirect(url_for(".show", connection_id=one.id), 303)


@bp.post("/<connection_id>/sign-in")
def sign_in(connection_id: str) -> ResponseReturnValue:
    """Sign in at the service again, with the settings as they are."""
    one = _mine(connection_id, manage=True)
    if one.from_environment:
        raise Conflict("The operator has set this one up; change it there.")
    site = _site_of(one)
    fresh = connections.draft(here.database(), site.version, one.kind, one.name, rep=one.rep, actor=here.user().actor)
    return leave_for(fresh, back=_back(url_for(".show", connection_id=one.id)))


@bp.post("/<connection_id>/disconnect")
def disconnect(connection_id: str) -> ResponseReturnValue:
    """End it: the service is asked to forget us, the secrets are deleted. Also that of a rep who has left."""
    one = _mine(connection_id, manage=not here.may("manage_connections"))
    back = redirect(_back(url_for(".index" if here.may("see_connections") else "console.home.show")), 303)
    if one.state == connections.OFF:
        flash(f"{forms.title_of(one)} had ended already.", "done")
        return back
    said = connections.disconnect(here.database(), one.id, actor=here.user().actor)
    flash(f"{forms.title_of(one)} is disconnected, and its secrets are deleted.", "done")
    if said:
        flash(f"The service could not be asked to forget us ({said}) End the access there, too.", "problem")
    return back


def _back(otherwise: str) -> str:
    """The page of ours that the form came from, where it says so."""
    return local_path(request.form.get("back"), otherwise)


def _save(site: SiteHere, adapter: type[Adapter], there: Connection | None) -> ResponseReturnValue:
    db, by, given = here.database(), here.user().actor, forms.entered(adapter, request.form)
    rep = there.rep if there else ""
    try:
        fresh = connections.draft(db, site.version, adapter.kind, adapter.name, given=given, actor=by, rep=rep)
        if request.form.get("later"):
            kept = connections.keep_draft(db, fresh, actor=by)
            flash("The settings are kept; nobody is signed in with them yet.", "done")
            return redirect(url_for(".show", connection_id=kept.id), 303)
        if connections.needs_sign_in(db, fresh):
            new_one = url_for(".new", kind=adapter.kind, name=adapter.name, site=site.key)
            page = leave_for(fresh, back=request.path if there else new_one)
            _remember(given.settings if there else {})
            return page
        made = connections.connect(db, fresh, actor=by)
    except (Invalid, Conflict) as refusal:
        return _form(site, adapter, there, refusal, given.settings), refusal.status
    flash(f"{adapter.title} is connected as {made.label}.", "done")
    if there and made.id != there.id:
        flash("It is another account than before: people and companies are looked up there anew.", "done")
    return redirect(url_for(".show", connection_id=made.id), 303)


def _form(
    site: SiteHere,
    adapter: type[Adapter] | None,
    one: Connection | None,
    refusal: Invalid | Conflict | None = None,
    typed: Mapping[str, Any] | None = None,
) -> str:
    problem, wrong = forms.wrong_in(adapter, refusal) if adapter else ("", {})
    if typed is None and (typed := _unfinished()) is not None:
        problem = UNFINISHED
    entered = forms.as_typed(adapter, typed) if adapter and typed is not None else {}
    with here.database().reading() as tx:
        diary = events.of_subject(tx, "connection", one.id) if one else []
        waiting = next((row for row in outbox.stuck(tx) if one and row.connection_id == one.id), None)
    inputs = forms.inputs(adapter, one, entered, wrong) if adapter else []
    sign_in = bool(adapter and connections.has_sign_in(adapter))
    hears = one is not None and one.serves and adapter is not None and adapter.hear is not Adapter.hear
    hook_address = connections.hook_address(one) if one and hears else ""
    return render_template(
        "connections/show.html", site=site, adapter=adapter, one=one, inputs=inputs, problem=problem, diary=diary,
        waiting=waiting, sign_in=sign_in, again=_signs_in(one), hook_address=hook_address, forms=forms,
        redirect_address=connections.redirect_address(),
        title=adapter.title if adapter else forms.title_of(one) if one else "",
    )  # fmt: skip


def _remember(settings: Mapping[str, Any]) -> None:
    small = sum(map(len, settings.values())) <= MOST_TYPED
    session[TYPED] = {"at": request.path, "settings": dict(settings)} if settings and small else None


def _unfinished() -> dict[str, Any] | None:
    """What was entered here before somebody left for the service and did not come back connected; once."""
    left = session.get(TYPED)
    if not left or left["at"] != request.path:
        return None
    session.pop(TYPED)
    return dict(left["settings"])


def _connected_by(state: str) -> Connection | None:
    """What this browser has connected by that very sign-in, if it works."""
    came = session.get(CAME)
    if not came or came["state"] != state:
        return None
    try:
        one = _mine(came["id"])
    except (NotFound, Forbidden):
        return None
    return one if one.state == connections.WORKING else None


def _signs_in(one: Connection | None) -> bool:
    """Whether it is by signing in that it is connected, so that it can be done again."""
    try:
        return one is not None and one.serves and connections.sign_in_of(here.database(), one) is not None
    except ConfigError:
        return False


def _sites() -> list[SiteHere]:
    return [one] if (one := here.chosen()) else here.sites()


def _site(key: str | None) -> SiteHere:
    """The site that is named, or looked at, or the only one."""
    found = next((one for one in here.sites() if one.key == key), None) if key else here.chosen()
    found = found or (here.sites()[0] if here.sites() and not key else None)
    if found is None:
        raise NotFound("There is no such site.")
    return found


def _site_of(one: Connection) -> SiteHere:
    found = here.site_of(one.site_id)
    if found is None:
        raise NotFound("There is no such connection.")
    return found


def _team(site: SiteHere) -> set[str]:
    return {rep.id for rep in site.version.part(Team).reps}


def _is(one: Connection, name: str) -> bool:
    return one.name == name and not one.rep and not one.from_environment


def _adapter(one: Connection) -> type[Adapter] | None:
    """None for an adapter that is gone, or is not connected here."""
    try:
        return forms.adapter_of(one.kind, one.name)
    except NotFound:
        return None


def _mine(connection_id: str, *, manage: bool = False) -> Connection:
    """The connection, if the person may see (`manage`: change) it: reps their own. Others learn nothing of it."""
    deed = "manage_connections" if manage else "see_connections"
    with here.database().reading() as tx:
        if not here.may(deed) and not here.user().rep:
            here.need(deed)
        one = connections.get(tx, connection_id)
    if one.rep and one.rep == here.user().rep:
        return one
    if one.rep and manage:
        raise Forbidden("Only the rep themself can change their own calendar's connection.")
    here.need(deed)
    return one


def _need_for(rep: str) -> None:
    if not rep:
        here.need("manage_connections")
    elif rep != here.user().rep:
        raise Forbidden("You can connect your own calendar only.")
