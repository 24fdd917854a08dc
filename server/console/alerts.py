"""Alerts: who hears at once of what, as alerts.yml says it, what stands in the way, and a try."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.alerts import trying
from server.alerts.schema import Alerts
from server.console import here
from server.console.here import SiteHere
from server.errors import NotFound
from server.outbox import service as outbox

bp = Blueprint("alerts", __name__, url_prefix="/alerts")

LATEST = 20


@bp.get("")
def index() -> ResponseReturnValue:
    """The alerts of the site looked at, or of every site, and the newest messages."""
    here.need("see_connections")
    sites = [one for one in ([here.chosen()] if here.chosen() else here.sites()) if one]
    with here.database().reading() as tx:
        found = [
            (site, [(one, trying.ways(tx, site.version, one)) for one in site.version.part(Alerts).alerts])
            for site in sites
        ]
        sent = [row for site in sites for row in outbox.of_family(tx, site.id, "alert", LATEST)]
    newest = sorted(sent, key=lambda row: row.id, reverse=True)[:LATEST]
    return render_template("alerts/index.html", found=found, sent=newest)


@bp.post("/try")
def send() -> ResponseReturnValue:
    """Send a test to all whom one alert reaches."""
    here.need("manage_connections")
    site = _site(request.form.get("site", ""))
    with here.database().transaction() as tx:
        count = trying.send(tx, site.version, request.form.get("alert", ""), here.user().name)
    if count:
        flash(f"{count} test {'message is' if count == 1 else 'messages are'} on the way; see below what became of it.")
    else:
        flash("This alert reaches only the owner of a lead: there is nobody to send a test to.", "problem")
    return redirect(url_for(".index"), 303)


def _site(key: str) -> SiteHere:
    found = next((site for site in here.sites() if site.key == key), None)
    if found is None:
        raise NotFound("There is no such site.")
    return found
