"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from server.console import gate, here
from server.errors import SignInNeeded
from server.people import service as people

bp = Blueprint("sign_in", __name__)

OF_ADDRESS = "20 per 15 minutes"
OF_EMAIL = "8 per 15 minutes"


def _failed(response: Response) -> bool:
    return response.status_code == 401


def _email() -> str:
    return "sign-in of " + people.folded(request.form.get("email", ""))


@bp.get("/sign-in")
def show() -> ResponseReturnValue:
    """The form, or on to the console for those who are signed in."""
    wanted = gate.local_path(request.args.get("next"), url_for("console.home.show"))
    if current_user.is_authenticated:
        return redirect(wanted)
    return render_template("sign_in/show.html", next=wanted, email="")


@bp.post("/sign-in")
@gate.limiter.limit(OF_ADDRESS, deduct_when=_failed)
@gate.limiter.limit(OF_EMAIL, key_func=_email, deduct_when=_failed)
def enter() -> ResponseReturnValue:
    """Sign in; what the session held before is forgotten, so nobody can have prepared it."""
    email, wanted = (
        request.form.get("email", ""),
        gate.local_path(request.form.get("next"), url_for("console.home.show")),
    )
    try:
        user = people.authenticate(here.database(), email, request.form.get("password", ""))
    except SignInNeeded as error:
        return render_template("sign_in/show.html", next=wanted, email=email, problem=error.message), error.status
    session.clear()
    login_user(gate.SignedIn(user))
    session.permanent = True
    return redirect(wanted, 303)


@bp.post("/sign-out")
def leave() -> ResponseReturnValue:
    """Forget the session of this browser."""
    logout_user()
    session.clear()
    return redirect(url_for(".show"), 303)
