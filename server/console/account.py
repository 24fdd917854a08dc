"""One's own account: change the password, end all sessions."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user

from server.console import gate, here
from server.people import service as people

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
def show() -> ResponseReturnValue:
    """Who I am here."""
    return render_template("account/show.html", user=here.user())


@bp.post("/password")
@gate.limiter.limit("10 per 15 minutes")
def change_password() -> ResponseReturnValue:
    """A new password; other browsers are signed out, this one stays."""
    user = people.change_password(
        here.database(), here.user(), request.form.get("old", ""), request.form.get("new", "")
    )
    login_user(gate.SignedIn(user))
    flash("Your password is changed; other browsers are signed out.", "done")
    return redirect(url_for(".show"), 303)


@bp.post("/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session of mine, this one too."""
    people.sign_out_everywhere(here.database(), here.user())
    logout_user()
    session.clear()
    return redirect(url_for("console.sign_in.show"), 303)
