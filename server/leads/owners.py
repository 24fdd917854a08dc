"""Who owns a lead: assign, claim, and the history without gap or overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from server import clock, events, ids
from server.db import Database
from server.errors import Conflict, Invalid, NotFound
from server.events import Actor
from server.leads import store
from server.leads.finding import get
from server.leads.store import Lead

DISQUALIFIED, CONVERTED = "disqualified", "converted"
FREE = ("new", "nurturing")
OWNED = ("assigned", "claimed")
ON_THE_WAY = ("working", "qualified", CONVERTED)
PEOPLE = ("rep", "user")
MOST_OF_A_REASON = 500


def assign(
    tx: Connection,
    lead_id: str,
    rep: str,
    *,
    kind: str,
    actor: Actor,
    reason: str,
    version_id: str | None = None,
    conversation_id: str | None = None,
) -> None:
    """Make `rep` the owner; the history has no gap and no overlap. Assigning to the present owner changes nothing."""
    lead = store.lock(tx, lead_id)
    if lead is None:
        raise NotFound("There is no such lead.")
    if lead.owner_rep == rep:
        return
    now, before = clock.now(), store.open_assignment(tx, lead_id)
    if before is not None:
        store.end_assignment(tx, before.id, now, reason)
    goes_on = actor.kind == "crm" and lead.status in ON_THE_WAY
    status = {} if goes_on else {"status": "assigned", "status_at": now}
    store.change(tx, lead_id, {"owner_rep": rep, **status, "changed_at": now})
    _add_assignment(tx, lead, rep, kind, actor, reason)
    _owned_by_us(tx, lead_id, actor)
    events.record(
        tx,
        events.LEAD_ASSIGNED,
        site_id=lead.site_id,
        subject=("lead", lead_id),
        actor=actor,
        reason=reason,
        trigger=kind,
        version_id=version_id,
        conversation_id=conversation_id,
        data={"rep": rep, "before": lead.owner_rep},
    )


def claim(db: Database, lead_id: str, rep: str, actor: Actor) -> Lead:
    """Give a free lead to a rep, once, whoever else asks at the same moment (section 5, row 2). Conflict if owned."""
    with db.transaction() as tx:
        lead = get(tx, lead_id)
        if not store.take_if_free(tx, lead_id, rep, clock.now()):
            raise Conflict(f"{get(tx, lead_id).owner_rep} already owns this lead.")
        _add_assignment(tx, lead, rep, "claim", actor, "claimed on the desk")
        _owned_by_us(tx, lead_id, actor)
        events.record(
            tx, events.LEAD_CLAIMED, site_id=lead.site_id, subject=("lead", lead_id), actor=actor, data={"rep": rep}
        )
        return get(tx, lead_id)


def disqualify(
    tx: Connection,
    lead_id: str,
    *,
    reason: str,
    actor: Actor,
    version_id: str | None = None,
    conversation_id: str | None = None,
) -> Lead:
    """Not a fit (section 5, row 10), with the reason: nobody's any more, still visible to all and claimable.

    Twice is once. Invalid without a reason; Conflict for a lead that has become a customer.
    """
    why = " ".join(reason.split())[:MOST_OF_A_REASON]
    if not why:
        raise Invalid("Say why this lead is not a fit, so that others can read it.", field="reason")
    lead = store.lock(tx, lead_id)
    if lead is None:
        raise NotFound("There is no such lead.")
    if lead.status == DISQUALIFIED:
        return lead
    if lead.status == CONVERTED:
        raise Conflict("This lead has been converted; it cannot be disqualified any more.")
    now, before = clock.now(), store.open_assignment(tx, lead_id)
    if before is not None:
        store.end_assignment(tx, before.id, now, f"disqualified: {why}")
    store.change(tx, lead_id, {"owner_rep": None, "status": DISQUALIFIED, "status_at": now, "changed_at": now})
    events.record(
        tx,
        events.LEAD_DISQUALIFIED,
        site_id=lead.site_id,
        subject=("lead", lead_id),
        actor=actor,
        reason=why,
        version_id=version_id,
        conversation_id=conversation_id,
        data={"before": lead.owner_rep, "status_was": lead.status},
    )
    return get(tx, lead_id)


def follow_status(tx: Connection, lead_id: str, status: str, *, actor: Actor, reason: str) -> bool:
    """The lead stands where another system says: False when it does already, or its words mean nothing here. Statuses
    of leads that are nobody's take the owner away; those of owned ones mean nothing while nobody owns the lead."""
    lead = store.lock(tx, lead_id)
    if lead is None:
        raise NotFound("There is no such lead.")
    if status == lead.status or status not in (*FREE, *OWNED, *ON_THE_WAY, DISQUALIFIED):
        return False
    if status == DISQUALIFIED:
        if lead.status == CONVERTED:
            return False
        disqualify(tx, lead_id, reason=reason, actor=actor)
        return True
    if status in OWNED and (not lead.owner_rep or lead.status in OWNED):
        return False
    now, values = clock.now(), dict[str, str | None](status=status)
    before = store.open_assignment(tx, lead_id) if status in FREE else None
    if status in FREE:
        values["owner_rep"] = None
    if before is not None:
        store.end_assignment(tx, before.id, now, reason)
    store.change(tx, lead_id, {**values, "status_at": now, "changed_at": now})
    about = {"site_id": lead.site_id, "subject": ("lead", lead_id), "actor": actor, "reason": reason}
    events.record(tx, events.LEAD_STATUS_CHANGED, data={"status": status, "status_was": lead.status}, **about)
    return True


def assignments_of(tx: Connection, lead_id: str) -> Sequence[Any]:
    """Who owned the lead, oldest first."""
    return store.assignments_of(tx, lead_id)


def _owned_by_us(tx: Connection, lead_id: str, actor: Actor) -> None:
    """What a CRM says of the owner is over once a person, or the CRM itself, has named one of us."""
    if actor.kind in (*PEOPLE, "crm"):
        store.drop_value(tx, lead_id, "owner", "crm")


def _add_assignment(tx: Connection, lead: Lead, rep: str, kind: str, actor: Actor, reason: str) -> None:
    row = {
        "id": ids.new_id("assignment"),
        "site_id": lead.site_id,
        "lead_id": lead.id,
        "rep": rep,
        "kind": kind,
        "by_kind": actor.kind,
        "by_id": actor.id,
        "reason": reason,
        "started_at": clock.now(),
        "ended_at": None,
    }
    store.add_assignment(tx, row)
