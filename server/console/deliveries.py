"""Deliveries: what the outside must hear, what went wrong in words, trying again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.console import here
from server.console.redaction import redacted
from server.outbox import service as outbox

bp = Blueprint("deliveries", __name__, url_prefix="/deliveries")

A_PAGE = 50
STATES = ("dead", "waiting", "leased", "done", "withdrawn")


@bp.get("")
def index() -> ResponseReturnValue:
    """The newest deliveries; `?state=` shows those of one state, `?before=` goes on."""
    here.need("see_deliveries")
    state = request.args.get("state") if request.args.get("state") in STATES else None
    one = here.chosen()
    with here.database().reading() as tx:
        found = outbox.latest(tx, one.id if one else None, state, A_PAGE + 1, request.args.get("before"))
        counts = outbox.counts(tx)
    more = url_for(".index", state=state, before=found[A_PAGE - 1].id) if len(found) > A_PAGE else None
    return render_template(
        "deliveries/index.html", found=found[:A_PAGE], state=state, states=STATES, counts=counts, more=more
    )


@bp.get("/<delivery_id>")
def show(delivery_id: str) -> ResponseReturnValue:
    """One delivery: what was to be said, how often it was tried, what the other side answered."""
    here.need("see_deliveries")
    with here.database().reading() as tx:
        row = outbox.get(tx, delivery_id)
    return render_template(
        "deliveries/show.html", delivery=row, payload=redacted(row.payload), result=redacted(row.result)
    )


@bp.post("/<delivery_id>/retry")
def retry(delivery_id: str) -> ResponseReturnValue:
    """Try it again now."""
    here.need("retry_delivery")
    outbox.retry(here.database(), delivery_id, here.user().actor)
    flash("It will be tried again at once.", "done")
    return redirect(url_for(".show", delivery_id=delivery_id), 303)
