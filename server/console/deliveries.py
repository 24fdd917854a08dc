"""Deliveries: what the outside must hear, what went wrong in words and who has to act; trying again and withdrawing."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection as Transaction

from server.adapters import connections
from server.adapters.connections import Connection
from server.console import here
from server.console.redaction import redacted
from server.errors import NotFound
from server.outbox import service as outbox

bp = Blueprint("deliveries", __name__, url_prefix="/deliveries")

A_PAGE = 50
STATES = ("dead", "paused", "waiting", "leased", "done", "withdrawn")


@dataclass(frozen=True)
class Held:
    """What waits for a person at one connection; `connection` is None where none is known any more."""

    id: str | None
    connection: Connection | None
    kind: str
    paused: int
    dead: int
    problem: str
    problem_class: str


@bp.get("")
def index() -> ResponseReturnValue:
    """The newest deliveries, and by connection what waits for a person; `?state=` and `?connection=` narrow it,
    `?before=` goes on."""
    here.need("see_deliveries")
    state = request.args.get("state") if request.args.get("state") in STATES else None
    asked, one = request.args.get("connection"), here.chosen()
    site_id = one.id if one else None
    with here.database().reading() as tx:
        found = outbox.latest(tx, site_id, state, A_PAGE + 1, request.args.get("before"), asked)
        counts = outbox.counts(tx, site_id)
        held = [_held(tx, row) for row in outbox.stuck(tx, site_id)]
        only = _connection(tx, asked) if asked else None
    going_on = {"state": state, "connection": asked, "before": found[A_PAGE - 1].id} if len(found) > A_PAGE else None
    return render_template(
        "deliveries/index.html",
        found=found[:A_PAGE],
        held=held,
        only=only,
        asked=asked,
        state=state,
        states=STATES,
        counts=counts,
        more=url_for(".index", **going_on) if going_on else None,
    )


@bp.get("/<delivery_id>")
def show(delivery_id: str) -> ResponseReturnValue:
    """One delivery: what was to be said, how often it was tried, what the other side answered."""
    here.need("see_deliveries")
    with here.database().reading() as tx:
        row = outbox.get(tx, delivery_id)
        connection = _connection(tx, row.connection_id)
    return render_template(
        "deliveries/show.html",
        delivery=row,
        connection=connection,
        payload=redacted(row.payload),
        result=redacted(row.result),
    )


@bp.post("/<delivery_id>/retry")
def retry(delivery_id: str) -> ResponseReturnValue:
    """Try it again now."""
    here.need("retry_delivery")
    outbox.retry(here.database(), delivery_id, here.user().actor)
    flash("It will be tried again at once.", "done")
    return redirect(url_for(".show", delivery_id=delivery_id), 303)


@bp.post("/<delivery_id>/withdraw")
def withdraw(delivery_id: str) -> ResponseReturnValue:
    """It is not to be delivered any more."""
    here.need("retry_delivery")
    outbox.withdraw(here.database(), delivery_id, here.user().actor)
    flash("It is withdrawn and will not be delivered.", "done")
    return redirect(url_for(".show", delivery_id=delivery_id), 303)


@bp.post("/connections/<connection_id>/retry")
def retry_all(connection_id: str) -> ResponseReturnValue:
    """Try all again that are paused or failed with this connection."""
    here.need("retry_delivery")
    tried = outbox.retry_all(here.database(), connection_id, here.user().actor)
    flash(f"{tried} {'delivery is' if tried == 1 else 'deliveries are'} tried again now.", "done")
    return redirect(url_for(".index", connection=connection_id), 303)


def _held(tx: Transaction, row: outbox.Delivery) -> Held:
    connection = _connection(tx, row.connection_id)
    said = connection.problem if connection else ""
    kind = connection.problem_class if connection else ""
    state = "paused" if row.paused else "dead"
    for one in [] if said else outbox.latest(tx, row.site_id, state, 1, None, row.connection_id):
        said, kind = one.problem, one.problem_class
    return Held(row.connection_id, connection, row.kind, row.paused, row.dead, said, kind)


def _connection(tx: Transaction, connection_id: str | None) -> Connection | None:
    try:
        return connections.get(tx, connection_id) if connection_id else None
    except NotFound:
        return None
