"""Users, for owners: who can sign in, with which role."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.console import here, words
from server.errors import Conflict, Invalid
from server.people import service as people

bp = Blueprint("users", __name__, url_prefix="/users")

FIELDS = ("email", "name", "role", "rep", "password")


@bp.get("")
def index() -> ResponseReturnValue:
    """Everybody who can or could sign in."""
    return _page()


@bp.post("")
def add() -> ResponseReturnValue:
    """A new user."""
    here.need("manage_users")
    given = {name: request.form.get(name, "") for name in FIELDS}
    try:
        user = people.add(here.database(), **given, actor=here.user().actor)
    except (Invalid, Conflict) as error:
        return _page({**given, "password": ""}, error.message), error.status
    flash(f"{user.name} can sign in now.", "done")
    return redirect(url_for(".index"), 303)


@bp.post("/<user_id>/role")
def change_role(user_id: str) -> ResponseReturnValue:
    """Another role, or another rep of team.yml."""
    here.need("manage_users")
    role, rep = request.form.get("role", ""), request.form.get("rep", "")
    user = people.change_role(here.database(), user_id, role, rep, here.user().actor)
    flash(f"{user.name} is {user.role} now.", "done")
    return redirect(url_for(".index"), 303)


@bp.post("/<user_id>/password")
def set_password(user_id: str) -> ResponseReturnValue:
    """A new password for somebody who lost theirs."""
    here.need("manage_users")
    user = people.set_password(here.database(), user_id, request.form.get("password", ""), here.user().actor)
    flash(f"{user.name} has a new password; tell them on a safe way, and to change it.", "done")
    return redirect(url_for(".index"), 303)


@bp.post("/<user_id>/deactivate")
def deactivate(user_id: str) -> ResponseReturnValue:
    """Shut a user out at once."""
    here.need("manage_users")
    user = people.deactivate(here.database(), user_id, here.user().actor)
    flash(f"{user.name} is signed out and cannot sign in.", "done")
    return redirect(url_for(".index"), 303)


@bp.post("/<user_id>/activate")
def activate(user_id: str) -> ResponseReturnValue:
    """Let a user in again."""
    here.need("manage_users")
    user = people.activate(here.database(), user_id, here.user().actor)
    flash(f"{user.name} can sign in again.", "done")
    return redirect(url_for(".index"), 303)


def _page(given: dict[str, str] | None = None, problem: str = "") -> str:
    here.need("manage_users")
    with here.database().reading() as tx:
        found = people.everybody(tx)
    return render_template("users/index.html", found=found, roles=words.ROLES, given=given or {}, problem=problem)
