"""When this happens, do that. The whole list is here; nothing listens anywhere else.

A reaction runs in a transaction of the worker, after the commit of what it reacts to, and once: the same transaction
marks the event as handled. It queues deliveries and changes our own tables; it never calls the outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from server import events
from server.booking import service as booking
from server.config import service as config
from server.enrichment import service as enrichment
from server.events import SYSTEM, Actor, Event
from server.leads import crm
from server.leads import service as leads

Reaction = Callable[[Connection, Event], None]


def tell_crm_about_the_lead(tx: Connection, event: Event) -> None:
    """The CRM hears of new, changed and assigned leads."""
    crm.tell(tx, event.subject_id, event.id)


def ask_about_the_lead(tx: Connection, event: Event) -> None:
    """A new lead is looked up by the site's enrichment adapters."""
    enrichment.ask(tx, config.active_of(tx, event.site_id), event.subject_id, event.id)


def give_the_lead_to_whom_it_meets(tx: Connection, event: Event) -> None:
    """A lead that nobody owns belongs to the rep it has booked a meeting with."""
    meeting = booking.get(tx, event.subject_id)
    if meeting.lead_id and leads.get(tx, meeting.lead_id).owner_rep is None:
        leads.assign(
            tx, meeting.lead_id, meeting.rep, kind="routed", actor=SYSTEM, reason="booked a meeting with this rep"
        )


def give_turns_back_for_no_fit(tx: Connection, event: Event) -> None:
    """A disqualified lead's meetings cost their reps no turn, where the pool says so."""
    by = Actor(event.actor_kind, event.actor_id, event.actor_name)
    version = config.active_of(tx, event.site_id)
    booking.credit_disqualified(tx, version, event.subject_id, by=by, reason=event.reason)


def learn_what_was_delivered(tx: Connection, event: Event) -> None:
    """What an enrichment adapter answered becomes field values."""
    if event.data["kind"].startswith("enrichment."):
        enrichment.learn(tx, event.data["subject"][1], event.data["operation"], event.data["result"])


REACTIONS: Mapping[str, tuple[Reaction, ...]] = {
    events.LEAD_CREATED: (tell_crm_about_the_lead, ask_about_the_lead),
    events.LEAD_CHANGED: (tell_crm_about_the_lead,),
    events.LEAD_ASSIGNED: (tell_crm_about_the_lead,),
    events.LEAD_CLAIMED: (tell_crm_about_the_lead,),
    events.LEAD_DISQUALIFIED: (tell_crm_about_the_lead, give_turns_back_for_no_fit),
    events.MEETING_BOOKED: (give_the_lead_to_whom_it_meets,),
    events.DELIVERY_DONE: (learn_what_was_delivered,),
}
