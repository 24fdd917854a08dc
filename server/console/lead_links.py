"""What a lead is connected with: its company, its records in the CRM, what its address is; a person's word stands."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from plugins.enrichment import EmailType
from plugins.errors import PluginError
from server.config import service as config
from server.console import here
from server.db import Connection
from server.errors import Invalid
from server.leads import service as leads
from server.leads.service import Lead
from server.leads.values import FieldValue
from server.sync import service as sync

bp = Blueprint("lead_links", __name__, url_prefix="/leads")

PATIENCE_SECONDS = 8
EMAIL = {"email_validity": ("valid", "invalid"), "email_type": tuple(one.value for one in EmailType)}


@bp.get("/<lead_id>/connect")
def choose(lead_id: str) -> ResponseReturnValue:
    """Companies and records that the lead may belong to; `?search=` a name, domain or address."""
    here.need("connect_leads")
    search = request.args.get("search", "").strip()
    with here.database().reading() as tx:
        lead = _lead(tx, lead_id)
        known = leads.known(tx, lead.id)
        found = leads.suggestions(tx, lead, search)
        crm, standings = sync.standings(tx, config.active_of(tx, lead.site_id), lead)
        human = {row.field: row.value for row in leads.values_of(tx, lead.id) if row.origin == leads.HUMAN}
        company = leads.account(tx, lead.account_id) if lead.account_id else None
    records, trouble = _records(lead, search or str(known.lead.get("email") or "")) if crm else ((), "")
    about = {
        "known": known,
        "company": company,
        "human": human,
        "crm": crm,
        "standings": {one.kind: one for one in standings},
    }
    return render_template(
        "leads/connect.html", lead=lead, search=search, found=found, records=records, trouble=trouble, **about
    )


@bp.post("/<lead_id>/company")
def company(lead_id: str) -> ResponseReturnValue:
    """The lead works there: a company we know, or a new one by its domain."""
    here.need("connect_leads")
    with here.database().transaction() as tx:
        lead, actor = _lead(tx, lead_id), here.user().actor
        if account_id := request.form.get("account", ""):
            leads.connect_by_hand(tx, lead.id, account_id, actor=actor)
        else:
            leads.connect_new_by_hand(tx, lead.id, request.form.get("domain", ""), actor=actor)
    return _back(lead_id, "The lead is connected with this company.")


@bp.post("/<lead_id>/company/disconnect")
def leave_company(lead_id: str) -> ResponseReturnValue:
    """The lead does not work there."""
    here.need("connect_leads")
    with here.database().transaction() as tx:
        leads.disconnect_by_hand(tx, _lead(tx, lead_id).id, actor=here.user().actor)
    return _back(lead_id, "The lead is connected with no company now, and with none by itself.")


@bp.post("/<lead_id>/record")
def record(lead_id: str) -> ResponseReturnValue:
    """The lead, or its company, stands in this record of the CRM."""
    here.need("connect_leads")
    kind, record_id = request.form.get("kind", "lead"), request.form.get("record", "")
    with here.database().reading() as tx:
        lead = _lead(tx, lead_id)
    subject, by = _subject(lead, kind), here.user().actor
    try:
        sync.connect_record(here.database(), lead.site_id, kind, subject, record_id, by=by, seconds=PATIENCE_SECONDS)
    except PluginError as problem:
        raise Invalid(problem.user_message) from problem
    return _back(lead_id, "Connected with this record; what it says is known here now.")


@bp.post("/<lead_id>/record/disconnect")
def leave_record(lead_id: str) -> ResponseReturnValue:
    """The lead, or its company, does not stand in that record."""
    here.need("connect_leads")
    kind = request.form.get("kind", "lead")
    with here.database().transaction() as tx:
        lead = _lead(tx, lead_id)
        version = config.active_of(tx, lead.site_id)
        sync.disconnect_record(tx, version, kind, _subject(lead, kind), by=here.user().actor)
    return _back(lead_id, "Taken apart from the record; the CRM hears nothing of it until you connect it again.")


@bp.post("/<lead_id>/email")
def email(lead_id: str) -> ResponseReturnValue:
    """Somebody knows better whether the address is valid, and whose it is (S4-03)."""
    here.need("connect_leads")
    told = {name: request.form.get(name, "") for name in EMAIL}
    if wrong := [name for name, value in told.items() if value and value not in EMAIL[name]]:
        raise Invalid("This is none of the words for it.", field=wrong[0])
    by = here.user()
    values = [FieldValue(name, value, leads.HUMAN, by.actor.name) for name, value in told.items() if value]
    with here.database().transaction() as tx:
        lead = _lead(tx, lead_id)
        for name in [name for name, value in told.items() if not value]:
            leads.unlearn(tx, lead.id, name, leads.HUMAN)
        leads.learn(tx, lead, values)
    return _back(lead_id, "Kept. Your word stands, whatever is found out later.")


def _lead(tx: Connection, lead_id: str) -> Lead:
    return leads.visible(tx, lead_id, here.sight("see_all_leads"))


def _subject(lead: Lead, kind: str) -> str:
    subject = lead.account_id if kind == "account" else lead.id
    if not subject:
        raise Invalid("Connect the lead with a company first.", field="kind")
    return str(subject)


def _records(lead: Lead, search: str) -> tuple[Any, str]:
    try:
        return sync.candidates(here.database(), lead.site_id, search, seconds=PATIENCE_SECONDS), ""
    except PluginError as problem:
        return (), problem.user_message


def _back(lead_id: str, said: str) -> ResponseReturnValue:
    flash(said, "done")
    return redirect(url_for("console.leads.show", lead_id=lead_id), 303)
