"""Leads: the list, one of them with all that is known and where it came from, claiming."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import events
from server.booking import service as booking
from server.config import service as config
from server.console import here
from server.conversations import service as conversations
from server.db import Connection
from server.errors import Conflict
from server.leads import service as leads
from server.people.rights import Sight
from server.sync import service as sync
from server.visitors import service as visitors

bp = Blueprint("leads", __name__, url_prefix="/leads")

A_PAGE = 40
FIRST = ("name", "email", "phone", "title", "role", "company", "industry", "employees", "country")


@bp.get("")
def index() -> ResponseReturnValue:
    """The newest leads; `?show=mine|free|disqualified`, `?search=` in name, company and e-mail, `?before=` goes on."""
    show, search = request.args.get("show", "all"), request.args.get("search", "").strip()
    owner = here.speaker() if show == "mine" else None
    sight = Sight() if show == "free" else here.sight("see_all_leads")
    disqualified = {"free": False, "disqualified": True}.get(show)
    before = request.args.get("before")
    with here.database().reading() as tx:
        found = leads.latest(
            tx,
            here.looked_at(),
            limit=A_PAGE + 1,
            before=before,
            owner=owner,
            search=search,
            sight=sight,
            disqualified=disqualified,
        )
    last = found[A_PAGE - 1][0].id if len(found) > A_PAGE else None
    more = url_for(".index", show=show, search=search or None, before=last) if last else None
    return render_template("leads/index.html", found=found[:A_PAGE], show=show, search=search, more=more)


@bp.get("/<lead_id>")
def show(lead_id: str) -> ResponseReturnValue:
    """All that is known of a lead, told by whom, and what happened."""
    with here.database().reading() as tx:
        lead = leads.visible(tx, lead_id, here.sight("see_all_leads"))
        browsers = visitors.of_lead(tx, lead.id)
        crm, standings = sync.standings(tx, config.active_of(tx, lead.site_id), lead)
        about = {
            "lead": lead,
            "company": leads.account(tx, lead.account_id) if lead.account_id else None,
            "crm": crm,
            "standings": standings,
            "known": leads.known(tx, lead.id),
            "values": _told(tx, lead),
            "assignments": leads.assignments_of(tx, lead.id),
            "enrolments": leads.enrolments_of(tx, lead.id),
            "conversations": conversations.of_lead(tx, lead.id),
            "attribution": visitors.attribution(tx, browsers[0].id) if browsers else {},
            "meetings": booking.of_lead(tx, lead.site_id, lead.id),
            "vouched": next((one for one in browsers if "email" in (one.signed or {})), None),
            "events": events.of_subject(tx, "lead", lead.id),
        }
    site = here.site_of(lead.site_id)
    return render_template("leads/show.html", **about, site=site, zone=here.zone_of(site.id) if site else "UTC")


@bp.post("/<lead_id>/claim")
def claim(lead_id: str) -> ResponseReturnValue:
    """Make a free lead mine. Whoever comes second may not see the lead any more, so they land in the list."""
    here.need("claim")
    try:
        leads.claim(here.database(), lead_id, here.rep(), here.user().actor)
    except Conflict:
        flash("Somebody else owns this lead already.", "problem")
        return redirect(url_for(".index"), 303)
    flash("This lead is yours now.", "done")
    return redirect(url_for(".show", lead_id=lead_id), 303)


@bp.post("/<lead_id>/disqualify")
def disqualify(lead_id: str) -> ResponseReturnValue:
    """Not a fit: the reason is kept, the lead is nobody's and can still be claimed."""
    here.need("claim")
    with here.database().transaction() as tx:
        lead = leads.visible(tx, lead_id, here.sight("see_all_leads"))
        leads.disqualify(tx, lead.id, reason=request.form.get("reason", ""), actor=here.user().actor)
    flash("The lead is disqualified; whoever wants to can still claim it.", "done")
    return redirect(url_for(".show", lead_id=lead_id), 303)


def _place(field: str) -> tuple[int, str]:
    """Fields in the order in which people ask for them, the others after them by name."""
    return (FIRST.index(field) if field in FIRST else len(FIRST), field)


def _told(tx: Connection, lead: Any) -> list[dict[str, Any]]:
    """Every field with the value that counts first and what others told below it; the person's, then the company's."""
    rows = sorted(
        leads.field_values(tx, lead.id), key=lambda row: (row.subject_id != lead.id, _place(row.field), -row.rank)
    )
    fields: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        of = "account" if row.subject_id == lead.account_id else "lead"
        field = fields.setdefault((of, row.field), {"of": of, "name": row.field, "counts": row, "others": []})
        if field["counts"] is not row:
            field["others"].append(row)
    return list(fields.values())
