"""Enrichment: which sources are asked in which order, what they cost today, and how right they are."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.config.version import Version
from server.console import here
from server.console.here import SiteHere
from server.enrichment import report, standing
from server.enrichment.report import Report, Sample
from server.errors import Invalid, NotFound

bp = Blueprint("enrichment", __name__, url_prefix="/enrichment")

MOST_BYTES = 200_000
MOST_SAMPLES = 25
WORDS = {
    "company_by_ip": "companies by network address",
    "company_by_domain": "companies by domain",
    "person_by_email": "people by e-mail",
    "device": "devices",
}
SEEN = ("company_by_ip", "company_by_domain", "person_by_email")


@bp.get("")
def index() -> ResponseReturnValue:
    """The site looked at; a choice where there are several."""
    here.need("see_connections")
    one = here.chosen() or (here.sites()[0] if len(here.sites()) == 1 else None)
    if one is not None:
        return redirect(url_for(".show", site_key=one.key))
    return render_template("enrichment/index.html", found=here.sites())


@bp.get("/<site_key>")
def show(site_key: str) -> ResponseReturnValue:
    """How the sources stand."""
    here.need("see_connections")
    return _page(_site(site_key))


@bp.post("/<site_key>/report")
def judge(site_key: str) -> ResponseReturnValue:
    """Hold what the sources say against samples: a file, or leads of whom people have told something. `as=csv` gives
    every value as a file; what was answered a moment ago is not asked again."""
    here.need("apply_config")
    site = _site(site_key)
    try:
        found = report.run(here.database(), site.version, _samples(site.version))
    except Invalid as problem:
        return _page(site, problem=problem.message, entered=request.form.get("samples", "")), 422
    if request.form.get("as") == "csv":
        named = {"Content-Disposition": f'attachment; filename="enrichment-{site.key}.csv"'}
        return Response(found.as_csv(), content_type="text/csv; charset=utf-8", headers=named)
    return _page(site, told=found, entered=request.form.get("samples", ""))


def _samples(version: Version) -> list[Sample]:
    text = request.form.get("samples", "")
    if text.strip():
        if len(text.encode()) > MOST_BYTES:
            raise Invalid("That is too much at once; the command `usher enrichment-report` takes more.")
        found = report.read(text)
        if len(found) > MOST_SAMPLES:
            raise Invalid(f"Up to {MOST_SAMPLES} samples here; the command `usher enrichment-report` takes more.")
        return found
    with here.database().reading() as tx:
        chosen = report.of_leads(tx, version, MOST_SAMPLES)
    if not chosen:
        raise Invalid("Of no lead has a person or the CRM told anything yet; enter samples instead.")
    return chosen


def _page(site: SiteHere, *, told: Report | None = None, problem: str = "", entered: str = "") -> str:
    with here.database().reading() as tx:
        found = standing.today(tx, site.version)
    asked = [(one, [WORDS[name] for name in SEEN if name in one.answers]) for one in found]
    return render_template(
        "enrichment/show.html",
        site=site,
        rule=site.version.site.enrichment,
        found=asked,
        told=told,
        problem=problem,
        entered=entered,
        most=MOST_SAMPLES,
    )


def _site(key: str) -> SiteHere:
    found = next((one for one in here.sites() if one.key == key), None)
    if found is None:
        raise NotFound("There is no such site.")
    return found
