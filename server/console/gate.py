"""What stands before every console page: who is signed in, CSRF on each change, rates, and headers."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from server.console import here
from server.errors import Conflict, Gone, Invalid, SignInNeeded, Unavailable, UsherError
from server.people import service as people
from server.people.service import User

OPEN = {"console.static", "console.scripts.script", "console.sign_in.show", "console.sign_in.enter"}
SESSION_DAYS = 7

csrf = CSRFProtect()
limiter = Limiter(here.address, storage_uri="memory://", strategy="moving-window")


class SignedIn(UserMixin):
    """What Flask-Login holds: our user; the session names the user's stamp, so that a new stamp ends it."""

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        return f"{self.user.id} {self.user.session_stamp}"


def init_app(app: Flask, console: Blueprint) -> None:
    """Put the gate before all pages of `console`; the visitor's doors are left alone."""
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,  # the visitor's doors know no cookie, so they need no token
        WTF_CSRF_TIME_LIMIT=None,  # a page may stay open as long as its session
        PERMANENT_SESSION_LIFETIME=timedelta(days=SESSION_DAYS),
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    csrf.init_app(app)
    limiter.init_app(app)
    manager = LoginManager()
    manager.user_loader(_user_of)
    # Not manager.init_app: its hook reads the session after every request: `Vary: Cookie` on the visitor's files.
    app.login_manager = manager  # type: ignore[attr-defined]
    console.before_request(_guard)
    console.after_request(_harden)
    console.register_error_handler(CSRFError, _stale_page)
    for refusal in (Conflict, Gone, Invalid, Unavailable):
        console.register_error_handler(refusal, _say_it_on_the_page)


def local_path(text: str | None, otherwise: str) -> str:
    """`text` when it is a path of this server (no scheme, no host, no trick with slashes), else `otherwise`."""
    good = text and text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if good and text else otherwise


def where_they_were() -> str:
    """The path of the page that sent the form, or the start page."""
    before = urlsplit(request.referrer or "")
    same = before.netloc == request.host
    return local_path(before.path if same else None, url_for("console.home.show"))


def _user_of(session_id: str) -> SignedIn | None:
    user_id, _, stamp = session_id.partition(" ")
    user = people.of_session(here.database(), user_id, stamp)
    return SignedIn(user) if user else None


def _guard() -> ResponseReturnValue | None:
    csrf.protect()
    if request.endpoint in OPEN or current_user.is_authenticated:
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    sign_in = url_for("console.sign_in.show", next=wanted if wanted != "/" else None)
    if here.is_piece():
        return Response(status=401, headers={"HX-Redirect": url_for("console.sign_in.show")})
    if request.method == "GET":
        return redirect(sign_in)
    raise SignInNeeded("Your session has ended; sign in again.")


def _harden(response: Response) -> Response:
    # Flask-WTF compares the referrer of each HTTPS post with our own address.
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint == "console.static" and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _stale_page(error: CSRFError) -> ResponseReturnValue:
    sentence = "This page was open for too long; go back, load it again and repeat what you did."
    return render_template("problem.html", sentence=sentence, status=400), 400


def _say_it_on_the_page(error: UsherError) -> ResponseReturnValue:
    """A refused deed brings its person back to where they were, with the reason."""
    if request.method != "POST":
        return render_template("problem.html", sentence=error.message, status=error.status), error.status
    flash(error.message, "problem")
    if here.is_piece():
        return Response(status=error.status, headers={"HX-Refresh": "true"})
    return redirect(where_they_were(), 303)
