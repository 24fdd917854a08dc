"""Signed-in visitors: the keys with which a site signs who its visitors are, how to use them, and what was refused."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import events
from server.console import here, signing
from server.db import Connection
from server.errors import NotFound
from server.visitors import keys

bp = Blueprint("signed_in", __name__, url_prefix="/signed-in")

MOST_REFUSED = 8


@bp.get("")
def index() -> ResponseReturnValue:
    """The keys of the site looked at, or of every site."""
    return _page()


@bp.post("/keys")
def add() -> ResponseReturnValue:
    """A new key; the answer is the only place where its secret is ever seen."""
    here.need("manage_keys")
    site = next((one for one in here.sites() if one.key == request.form.get("site")), None)
    if site is None:
        raise NotFound("There is no such site.")
    made, secret = keys.add(here.database(), site.id, here.user().actor)
    return _page(made, secret), 201


@bp.post("/keys/<key_id>/revoke")
def revoke(key_id: str) -> ResponseReturnValue:
    """End a key at once."""
    here.need("manage_keys")
    keys.revoke(here.database(), key_id, here.user().actor)
    flash("The key is revoked; what was signed with it opens nothing any more.", "done")
    return redirect(url_for(".index"), 303)


def _page(made: keys.Key | None = None, secret: str = "") -> str:
    here.need("manage_keys")
    one = here.chosen()
    sites = [one] if one else here.sites()
    with here.database().reading() as tx:
        listed = [(site, keys.listed(tx, site.id), _refused(tx, site.id)) for site in sites]
    valid = [key for _, found, _ in listed for key in found if key.revoked_at is None]
    kid = made.id if made else next((key.id for key in valid), "THE KEY'S ID")
    code = {"snippets": signing.snippets(kid), "on_page": signing.PAGE.strip()}
    return render_template("signed_in/index.html", listed=listed, made=made, secret=secret, **code)


def _refused(tx: Connection, site_id: str) -> list[events.Event]:
    return events.latest(tx, site_id, [events.IDENTITY_REFUSED], MOST_REFUSED)
