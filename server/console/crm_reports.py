"""What the CRM holds of ours, compared: agreement over time, what is missing or differs, telling it again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.booking import service as booking
from server.console import crm_words, glass, here
from server.console.crm import head_of, site_of
from server.db import Connection
from server.errors import Invalid, NotFound
from server.leads import service as leads
from server.sync import service as sync

bp = Blueprint("crm_reports", __name__, url_prefix="/crm/<site_key>/compare")

SHOWN = 100


@bp.get("")
def show(site_key: str) -> ResponseReturnValue:
    """The comparisons, the newest with what it found; `?kind=` shows findings of one kind."""
    here.need("see_deliveries")
    site = site_of(site_key)
    kind = request.args.get("kind") if request.args.get("kind") in crm_words.FINDINGS else None
    with here.database().reading() as tx:
        found = list(sync.reports(tx, site.id))
        newest = next((one for one in found if one.ended_at is not None), None)
        rows = sync.findings(tx, newest.id, kind, limit=SHOWN) if newest is not None else ()
        names = {row.subject_id: _name_of(tx, row) for row in rows}
    open_ones = sum(newest.counts.get(name, 0) for name in sync.REPAIRABLE) if newest is not None else 0
    return render_template(
        "crm/compare.html",
        reports=found,
        newest=newest,
        under_way=bool(found) and found[0].ended_at is None,
        rows=rows,
        kind=kind,
        names=names,
        repairable=sync.REPAIRABLE,
        open_ones=open_ones,
        **head_of(site),
    )


@bp.post("")
def ask(site_key: str) -> ResponseReturnValue:
    """Compare now; the worker does it, and the page shows it when it is done."""
    here.need("retry_delivery")
    site = site_of(site_key)
    sync.ask(here.database(), site.id, by=here.user().actor)
    flash("The comparison has begun. Load this page again in a moment.", "done")
    return redirect(url_for(".show", site_key=site.key), 303)


@bp.post("/<report_id>/repair")
def repair(site_key: str, report_id: str) -> ResponseReturnValue:
    """Tell the CRM again: of one finding (`number`), or of all that can be mended so."""
    here.need("retry_delivery")
    site = site_of(site_key)
    number = request.form.get("number", "")
    if number and not number.isdecimal():
        raise Invalid("There is no such finding.", field="number")
    told = sync.repair(
        here.database(), site.id, report_id, by=here.user().actor, numbers=[int(number)] if number else None
    )
    flash("It is told again." if told == 1 else f"{told} records are told again; see Deliveries.", "done")
    return redirect(url_for(".show", site_key=site.key, kind=request.form.get("kind") or None), 303)


def _name_of(tx: Connection, row: Any) -> str:
    """What a person, a meeting or a company is called, as far as it is still here."""
    if row.subject_kind == "lead":
        person = leads.known(tx, row.subject_id).lead
        return str(person.get("name") or person.get("email") or "Unnamed lead")
    if row.subject_kind == "meeting":
        return _meeting(tx, row.subject_id)
    company = leads.known(tx, None, row.subject_id).account if row.subject_kind == "account" else {}
    return str(company.get("name") or company.get("domain") or "")


def _meeting(tx: Connection, meeting_id: str) -> str:
    try:
        found = booking.get(tx, meeting_id)
    except NotFound:
        return ""
    when = glass.moment(found.start_at, here.zone_of(found.site_id))
    return f"{here.meeting_name(found.site_id, found.type)} with {found.name or 'a visitor'}, {when}"
