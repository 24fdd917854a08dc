"""Site versions: what was applied when and by whom, what changed, going back, taking one home."""

from __future__ import annotations

import io
import zipfile

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.config import service as config
from server.config.service import Version
from server.console import here
from server.console.diff import files_of
from server.console.here import SiteHere
from server.errors import NotFound

bp = Blueprint("versions", __name__, url_prefix="/versions")


@bp.get("")
def index() -> ResponseReturnValue:
    """All versions of the site looked at, or of every site."""
    here.need("see_config")
    one = here.chosen()
    sites = [one] if one else here.sites()
    listed = [(site, config.versions(here.database(), site.id)) for site in sites]
    return render_template("versions/index.html", listed=listed)


@bp.get("/<key>/<int:number>")
def show(key: str, number: int) -> ResponseReturnValue:
    """One version, compared with `?with=` or the one before it."""
    here.need("see_config")
    site = _site(key)
    summaries = config.versions(here.database(), site.id)
    after, summary = _numbered(site, number), next(one for one in summaries if one.number == number)
    other = request.args.get("with", type=int)
    if other is None:
        other = max((one.number for one in summaries if one.number < number), default=None)
    before = _numbered(site, other) if other is not None else None
    changed = config.diff(before, after) if before else None
    return render_template(
        "versions/show.html",
        site=site,
        version=after,
        summary=summary,
        before=before,
        summaries=summaries,
        changed=changed,
        files=files_of(changed.text) if changed else [],
    )


@bp.post("/<key>/<int:number>/rollback")
def rollback(key: str, number: int) -> ResponseReturnValue:
    """Make an earlier version active again; running conversations keep theirs."""
    here.need("rollback")
    site = _site(key)
    version = config.rollback(here.database(), site.key, number, here.user().email)
    flash(f"Version {version.number} of {site.name} is active again.", "done")
    return redirect(url_for(".index"), 303)


@bp.get("/<key>/<int:number>.zip")
def export(key: str, number: int) -> ResponseReturnValue:
    """The site folder of a version, as a zip archive that unpacks into one folder."""
    here.need("see_config")
    version = _numbered(_site(key), number)
    packed, name = io.BytesIO(), f"{key}-{number}"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(config.export(version).items()):
            archive.writestr(zipfile.ZipInfo(f"{name}/{path}", _moment(version)), text)
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(packed.getvalue(), mimetype="application/zip", headers=headers)


def _site(key: str) -> SiteHere:
    found = next((site for site in here.sites() if site.key == key), None)
    if found is None:
        raise NotFound("There is no such site.")
    return found


def _numbered(site: SiteHere, number: int) -> Version:
    return config.numbered(here.database(), site.id, number)


def _moment(version: Version) -> tuple[int, int, int, int, int, int]:
    """A zip keeps the moment of the version, so that the same version is the same archive."""
    at = version.created_at
    return (at.year, at.month, at.day, at.hour, at.minute, at.second) if at else (1980, 1, 1, 0, 0, 0)
