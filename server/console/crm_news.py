"""What comes in from the CRM: how far it was read, what it called to say and nobody could take over, what changed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from server import events
from server.adapters import connections
from server.console import here
from server.console.crm import head_of, site_of
from server.db import Connection
from server.events import Event
from server.leads import service as leads
from server.sync import service as sync

bp = Blueprint("crm_news", __name__, url_prefix="/crm/<site_key>/news")

SHOWN = 50
NAMES = (events.CRM_CHANGED, events.CRM_RECORD_GONE, events.CRM_LINKED, events.CRM_UNLINKED)


@bp.get("")
def show(site_key: str) -> ResponseReturnValue:
    """The latest changes, what waits, what was given up."""
    here.need("see_deliveries")
    site = site_of(site_key)
    with here.database().reading() as tx:
        about = {
            "place": sync.place_of(tx, site.version),
            "messages": connections.unsettled_messages(tx, site.id, "crm", SHOWN),
            "changes": [(one, _named(tx, one)) for one in events.latest(tx, site.id, NAMES, SHOWN)],
        }
    return render_template("crm/news.html", **about, **head_of(site))


@bp.post("")
def read(site_key: str) -> ResponseReturnValue:
    """Ask the CRM now; the worker does it within seconds."""
    here.need("retry_delivery")
    site = site_of(site_key)
    sync.read_at_once(here.database(), site.id)
    flash("The CRM is asked within seconds. Load this page again in a moment.", "done")
    return redirect(url_for(".show", site_key=site.key), 303)


@bp.post("/retry")
def retry(site_key: str) -> ResponseReturnValue:
    """Try again what was given up."""
    here.need("retry_delivery")
    site = site_of(site_key)
    with here.database().transaction() as tx:
        number = connections.retry_messages(tx, site.id, "crm")
    flash("It is tried again." if number == 1 else f"{number} messages are tried again.", "done")
    return redirect(url_for(".show", site_key=site.key), 303)


def _named(tx: Connection, event: Event) -> dict[str, Any]:
    """Whom a change is about, as far as they are still here."""
    if event.subject_kind == "lead":
        known = leads.known(tx, event.subject_id).lead
        return {"name": known.get("name") or known.get("email") or "A lead", "lead": event.subject_id}
    known = leads.known(tx, None, event.subject_id).account
    return {"name": known.get("name") or known.get("domain") or "A company"}
