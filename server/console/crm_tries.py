"""Try the CRM's mapping on sample records: what would be made, changed and left, and why. It writes nothing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from plugins.errors import PluginError
from server.adapters import connections
from server.console import crm_forms, here
from server.console.crm import head_of, site_of
from server.console.crm import page as mapping_page
from server.console.here import SiteHere
from server.errors import Invalid
from server.leads import service as leads
from server.sync import service as sync
from server.sync.schema import Crm

bp = Blueprint("crm_tries", __name__, url_prefix="/crm/<site_key>/try")

OFFERED = 25
CHOSEN_FIRST = 5


@bp.get("")
def show(site_key: str) -> ResponseReturnValue:
    """Which leads to try it on."""
    here.need("apply_config")
    return _page(site_of(site_key))


@bp.post("")
def run(site_key: str) -> ResponseReturnValue:
    """Look at the CRM and say what would happen; with the rows of a mapping in the form, by that one."""
    here.need("apply_config")
    site, crm = site_of(site_key), None
    chosen = request.form.getlist("lead")[: sync.MOST_SAMPLES]
    if "rows" in request.form:
        form = crm_forms.read(site.version.part(Crm))
        if form.crm is None:
            form.is_stale = request.form.get("seen") != site.version.id
            return mapping_page(site, form), Invalid.status
        crm, chosen = form.crm, sync.latest_leads(here.database(), site.id, CHOSEN_FIRST)
    made_up = sync.MADE_UP if "made_up" in request.form or crm is not None else ()
    with here.database().reading() as tx:
        known = {lead.id for lead, _ in leads.latest(tx, [site.id], limit=200)}
    try:
        tried = sync.dry_run(
            here.database(), site.id, lead_ids=[one for one in chosen if one in known], made_up=made_up, crm=crm
        )
    except PluginError as problem:
        return _page(site, problem=connections.to_asker(problem.user_message))
    return _page(site, tried=tried, unsaved=crm is not None, chosen=chosen)


def _page(site: SiteHere, **more: Any) -> str:
    with here.database().reading() as tx:
        found = [(lead, known) for lead, known in leads.latest(tx, [site.id], limit=OFFERED)]
    return render_template(
        "crm/try.html",
        offered=found,
        **{"tried": None, "unsaved": False, "problem": "", "first": CHOSEN_FIRST, **more, "chosen": more.get("chosen")},
        **head_of(site),
    )
