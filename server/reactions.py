"""When this happens, do that. The whole list is here; nothing listens anywhere else.

A reaction runs in a transaction of the worker, after the commit of what it reacts to, and once: the same transaction
marks the event as handled. It queues deliveries and changes our own tables; it never calls the outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from server import events
from server.events import Event
from server.leads import crm

Reaction = Callable[[Connection, Event], None]


def tell_crm_about_the_lead(tx: Connection, event: Event) -> None:
    """The CRM hears of new, changed and assigned leads."""
    crm.tell(tx, event.subject_id, event.id)


REACTIONS: Mapping[str, tuple[Reaction, ...]] = {
    events.LEAD_CREATED: (tell_crm_about_the_lead,),
    events.LEAD_CHANGED: (tell_crm_about_the_lead,),
    events.LEAD_ASSIGNED: (tell_crm_about_the_lead,),
    events.LEAD_CLAIMED: (tell_crm_about_the_lead,),
}
