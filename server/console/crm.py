"""CRM: which of our values go to which of its fields and back, edited as text is, by a new site version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from plugins.errors import PluginError
from server.adapters import connections
from server.config import service as config
from server.console import crm_forms, crm_words, here
from server.console.crm_forms import Form
from server.console.here import SiteHere
from server.errors import ConfigProblems, Conflict, Invalid, NotFound
from server.routing.schema import Segments
from server.sections import SECTIONS
from server.sync import service as sync
from server.sync.ours import COMPANIES, NAMED, PEOPLE
from server.sync.schema import Crm
from server.sync.writing import text_of

bp = Blueprint("crm", __name__, url_prefix="/crm")

bp.record_once(lambda setup: setup.app.jinja_env.globals.update(crm_words=crm_words))

PATIENCE_SECONDS = 8
IDENTITY = ("email", "domain")


@bp.get("")
def index() -> ResponseReturnValue:
    """The site looked at; a choice where there are several."""
    here.need("see_config")
    one = here.chosen() or (here.sites()[0] if len(here.sites()) == 1 else None)
    if one is not None:
        return redirect(url_for(".show", site_key=one.key))
    with here.database().reading() as tx:
        found = [(site, sync.serving_name(tx, site.version), sync.linked(tx, site.version)) for site in here.sites()]
    return render_template("crm/index.html", found=found)


@bp.get("/<site_key>")
def show(site_key: str) -> ResponseReturnValue:
    """The mapping that holds."""
    here.need("see_config")
    site = site_of(site_key)
    return page(site, crm_forms.of_mapping(site.version.part(Crm)))


@bp.post("/<site_key>")
def save(site_key: str) -> ResponseReturnValue:
    """Make the mapping of the form a new version of the site; nothing else in the folder changes."""
    here.need("apply_config")
    site = site_of(site_key)
    form = crm_forms.read(site.version.part(Crm))
    if request.form.get("seen") != site.version.id:
        form.is_stale = True
        return page(site, form), Conflict.status
    if form.crm is None:
        return page(site, form), Invalid.status
    if form.crm == site.version.part(Crm):
        flash("Nothing was different, so nothing was kept.", "done")
        return redirect(url_for(".show", site_key=site.key), 303)
    files = config.export(site.version)
    files[Crm.FILE] = text_of(files.get(Crm.FILE, ""), form.crm)
    try:
        version = config.apply(here.database(), files, author=here.user().email, note="CRM mapping", sections=SECTIONS)
    except ConfigProblems as error:
        form.problem = error.message
        return page(site, form), Invalid.status
    flash(f"Kept as version {version.number}.", "done")
    return redirect(url_for(".show", site_key=site.key), 303)


def site_of(site_key: str) -> SiteHere:
    """The site of an address; NotFound."""
    found = next((site for site in here.sites() if site.key == site_key), None)
    if found is None:
        raise NotFound("There is no such site.")
    return found


def head_of(site: SiteHere) -> dict[str, Any]:
    """What stands above each of the CRM's pages."""
    with here.database().reading() as tx:
        name, linked = sync.serving_name(tx, site.version), sync.linked(tx, site.version)
    return {"site": site, "serving": name, "linked": linked}


def page(site: SiteHere, form: Form) -> str:
    """The mapping's page with what stands in the form."""
    found, makes_fields, trouble = _their_fields(site)
    fields = {on: [one for one in some if (one.ours or one.name) not in IDENTITY] for on, some in found.items()}
    return render_template(
        "crm/show.html",
        form=form,
        theirs=fields,
        lacking=[] if makes_fields else crm_forms.lacking(form, found),
        ours=_our_names(site),
        trouble=trouble,
        editable=here.may("apply_config"),
        **head_of(site),
    )


def _their_fields(site: SiteHere) -> tuple[Mapping[str, Sequence[Any]], bool, str]:
    """The fields of the connected CRM, and whether it makes others; without them names are typed, and the page says
    why."""
    try:
        with sync.opened(here.database(), site.id, seconds=PATIENCE_SECONDS) as at:
            found = {on: at.fields(on, fresh=True) or [] for on in (PEOPLE, COMPANIES)}
            makes_fields = at.crm.makes_fields
    except PluginError as problem:
        return {PEOPLE: [], COMPANIES: []}, True, connections.to_asker(problem.user_message)
    untold = "" if any(found.values()) else "This CRM does not tell which fields it has; type their names."
    return found, makes_fields, untold


def _our_names(site: SiteHere) -> list[tuple[str, str]]:
    """Our values with what they are called, and the criteria of this site."""
    criteria = [(f"answers.{one.id}", f"Answer: {one.name or one.id}") for one in site.version.part(Segments).criteria]
    return [*((name, field.title) for name, field in NAMED.items()), *criteria]
