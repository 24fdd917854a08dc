"""Rotation: whose turn it is in each pool and why, every entry of its account, and calibrating by hand."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.config import service as config
from server.console import here, rotation_words
from server.console.here import SiteHere
from server.errors import NotFound
from server.people import service as people
from server.routing import ledger
from server.routing import service as routing
from server.routing.schema import Pool, Team

bp = Blueprint("rotation", __name__, url_prefix="/rotation")

bp.record_once(lambda setup: setup.app.jinja_env.globals.update(turns=rotation_words))

A_PAGE = 30
FORETOLD = 20
FOR_ALL = (ledger.CALIBRATION, ledger.JOINED, ledger.LEFT)


@bp.get("")
def index() -> ResponseReturnValue:
    """Every pool that the person who asks may see, and who is next in it."""
    with here.database().reading() as tx:
        found = [
            (site, routing.rotation(tx, site.version, pool.id, 1))
            for site in here.sites()
            if site.id in here.looked_at()
            for pool in _seen(site)
        ]
    return render_template("rotation/index.html", found=found)


@bp.get("/<site_key>/<pool_id>")
def show(site_key: str, pool_id: str) -> ResponseReturnValue:
    """One pool: shares, the next twenty, the account (`?before=` goes on); `?again=1` makes all picks again."""
    site, pool = _pool(site_key, pool_id)
    before = request.args.get("before")
    with here.database().reading() as tx:
        rows = ledger.newest(tx, site.id, pool, before=before, limit=A_PAGE + 1)
        again = bool(request.args.get("again")) and here.may("see_all_pools")
        about = {
            "rotation": routing.rotation(tx, site.version, pool.id, FORETOLD),
            "entries": rows[:A_PAGE],
            "came_to_nothing": ledger.released(tx, [row.meeting_id for row in rows if row.meeting_id]),
            "users": {user.id: user.name for user in people.everybody(tx)},
            "replayed": routing.replay(tx, site.id, pool) if again else None,
        }
    more = url_for(".show", site_key=site_key, pool_id=pool_id, before=rows[A_PAGE - 1].id) if rows[A_PAGE:] else None
    return render_template(
        "rotation/show.html", site=site, pool=pool, zone=pool.zone, more=more, before=before, for_all=FOR_ALL,
        sharing=_sharing(site, pool), **about,
    )  # fmt: skip


@bp.post("/<site_key>/<pool_id>/calibrate")
def calibrate(site_key: str, pool_id: str) -> ResponseReturnValue:
    """Add to what a rep has had, or take from it: an exact amount, with a reason that all members read."""
    here.need("calibrate")
    site, _ = _pool(site_key, pool_id)
    rep = request.form.get("rep", "")
    with here.database().transaction() as tx:
        routing.calibrate(
            tx,
            config.active_of(tx, site.id),
            pool_id,
            rep,
            request.form.get("amount", ""),
            by=here.user().actor,
            reason=request.form.get("reason", "")[:500],
        )
    flash(f"Kept: {here.rep_name(site.id, rep)} is calibrated.", "done")
    return redirect(url_for(".show", site_key=site_key, pool_id=pool_id), 303)


def _seen(site: SiteHere) -> list[Pool]:
    """All pools for those who look after them; for a rep the pools they are in."""
    found = site.version.part(Team).pools
    return [pool for pool in found if here.may("see_all_pools") or here.user().rep in pool.members]


def _pool(site_key: str, pool_id: str) -> tuple[SiteHere, Pool]:
    for site in here.sites():
        for pool in _seen(site) if site.key == site_key else ():
            if pool.id == pool_id:
                return site, pool
    raise NotFound("There is no such pool.")


def _sharing(site: SiteHere, pool: Pool) -> Sequence[str]:
    """Other pools that count on the same account."""
    return [one.id for one in site.version.part(Team).pools if one.account == pool.account and one.id != pool.id]
