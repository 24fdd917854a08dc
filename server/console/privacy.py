"""One person's data, for owners: how much there is, giving it out, erasing it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, json, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.console import here
from server.errors import Conflict, Invalid
from server.leads import service as leads
from server.leads.service import email_key
from server.people.rights import EVERYTHING
from server.privacy import service as privacy
from server.privacy.service import Who

bp = Blueprint("privacy", __name__, url_prefix="/leads/<lead_id>/data")

WITHOUT_ADDRESS = "erase"
SHOWN = (
    ("Conversations", ("conversations",)),
    ("Messages and answers", ("messages", "answers")),
    ("Facts and company", ("leads", "field_values", "assignments", "enrolments")),
    ("Visits and pages", ("visitors", "sessions", "page_views")),
    ("Meetings", ("meetings",)),
    ("Deliveries and mails", ("deliveries",)),
    ("Adapters' records", ("adapter_records",)),
    ("Diary", ("events",)),
)


@bp.get("")
def show(lead_id: str) -> ResponseReturnValue:
    """What is held about the person."""
    return _page(lead_id)


@bp.post("/export")
def export(lead_id: str) -> ResponseReturnValue:
    """All of it as a JSON file."""
    given = privacy.export(here.database(), _who(lead_id), by=here.user().actor)
    response = Response(json.dumps(given, ensure_ascii=False, indent=2), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{lead_id}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/erase")
def erase(lead_id: str) -> ResponseReturnValue:
    """Erase the person whose address was typed."""
    who = _who(lead_id)
    if email_key(request.form.get("typed", "")) != (email_key(who.email) or WITHOUT_ADDRESS):
        return _page(lead_id, "What you typed is something else; nothing was erased."), Invalid.status
    try:
        done = privacy.erase(
            here.database(), who, by=here.user().actor, cancel_meetings="cancel_meetings" in request.form
        )
    except Conflict as error:
        return _page(lead_id, error.message), error.status
    traces = "" if done.without_trace else "Traces may stay in the file for now."
    flash(" ".join(filter(None, ("The person is erased.", done.of_others, traces))), "done")
    return redirect(url_for("console.erasures.index"), 303)


def _who(lead_id: str) -> Who:
    here.need("erase")
    with here.database().reading() as tx:
        lead = leads.visible(tx, lead_id, EVERYTHING)
        return Who(str(leads.known(tx, lead.id).lead.get("email") or lead.email_key or ""), lead_id=lead.id)


def _page(lead_id: str, problem: str = "") -> str:
    who = _who(lead_id)
    with here.database().reading() as tx:
        lead = leads.visible(tx, lead_id, EVERYTHING)
        known = leads.known(tx, lead_id).lead
    look, site = privacy.look(here.database(), who), here.site_of(lead.site_id)
    about: dict[str, Any] = {
        "held": [(label, sum(look.counts.get(table, 0) for table in tables)) for label, tables in SHOWN],
        "ahead": look.ahead,
        "name": known.get("name") or who.email or "Unnamed lead",
        "typed": who.email or WITHOUT_ADDRESS,
    }
    return render_template(
        "privacy/show.html", lead=lead, email=who.email, problem=problem, zone=site.zone if site else "UTC", **about
    )
