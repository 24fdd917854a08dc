"""When this happens, do that. The whole list is here; nothing listens anywhere else.

A reaction runs in a transaction of the worker, after the commit of what it reacts to, and once: the same transaction
marks the event as handled. It queues deliveries and changes our own tables; it never calls the outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from server import events
from server.adapters import connections
from server.alerts import service as alerts
from server.booking import service as booking
from server.config import service as config
from server.enrichment import service as enrichment
from server.events import SYSTEM, Actor, Event
from server.leads import service as leads
from server.outbox import service as outbox
from server.routing.schema import Segments
from server.sync import service as sync

Reaction = Callable[[Connection, Event], None]


def tell_crm_about_the_lead(tx: Connection, event: Event) -> None:
    """The CRM hears of new, changed and assigned leads."""
    sync.tell_lead(tx, event.subject_id, event.id)


def tell_crm_about_the_meeting(tx: Connection, event: Event) -> None:
    """… of meetings, from booked to held or missed."""
    sync.tell_meeting(tx, event.subject_id, event.id)


def tell_crm_what_was_said(tx: Connection, event: Event) -> None:
    """… of conversations that have ended; those that only rest are found by the timetable."""
    sync.tell_conversation(tx, event.subject_id)


def tell_crm_what_happened(tx: Connection, event: Event) -> None:
    """… of what people did and what was done with them (server/sync/activities.py)."""
    sync.tell_interaction(tx, event)


def tell_crm_of_the_mail(tx: Connection, event: Event) -> None:
    """… of mails that went out to visitors."""
    if event.data["kind"] == "notify":
        sync.tell_mail(tx, event)


def connect_the_lead(tx: Connection, event: Event) -> None:
    """A lead belongs to the company its address or its company's name leads to, unless a person says otherwise."""
    segments = config.active_of(tx, event.site_id).part(Segments)
    listed = [(one.name, one.domain) for one in segments.targets if one.name]
    listed += [(one.name, one.domain) for one in segments.customers if one.name]
    leads.connect(tx, event.subject_id, listed=listed)


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
    """What an enrichment adapter answered becomes field values, and the next one is asked for what is missing."""
    if event.data["kind"].startswith(enrichment.KIND):
        enrichment.delivered(tx, outbox.get(tx, event.subject_id))


def ask_another_source(tx: Connection, event: Event) -> None:
    """… also when one was given up."""
    if event.data["kind"].startswith(enrichment.KIND):
        delivery = outbox.get(tx, event.subject_id)
        enrichment.go_on(tx, config.active_of(tx, delivery.site_id), delivery)


def alert(tx: Connection, event: Event) -> None:
    """Those whom alerts.yml names hear of it."""
    alerts.tell(tx, config.active_of(tx, event.site_id), event)


def forget_what_calendars_told(tx: Connection, event: Event) -> None:
    """Where another service, or another account, keeps calendars from now on, they are read anew, and the events of
    what lies ahead go there."""
    if event.data["kind"] != "calendar":
        return
    version, rep = config.active_of(tx, event.site_id), str(event.data.get("rep") or "")
    if event.name != events.CONNECTION_CHANGED or event.data.get("another"):
        booking.forget_calendars(tx, version, event.subject_id, event.at, rep)
    if rep:
        booking.resettle(tx, version, [rep])


def distrust_what_a_broken_connection_told(tx: Connection, event: Event) -> None:
    """Nobody is booked by what a calendar told before its connection broke."""
    if event.data["kind"] == "calendar":
        connection = connections.get(tx, event.subject_id)
        if connections.refusal(connection) is not None:
            version = config.active_of(tx, event.site_id)
            booking.distrust_calendars(tx, version, connection.id, event.reason)


def learn_what_a_calendar_answered(tx: Connection, event: Event) -> None:
    """The video link that a service made for a meeting goes to whoever meets."""
    subject, about = event.data["subject"], event.data
    if about["kind"] == "calendar" and subject[0] == "meeting":
        version = config.active_of(tx, event.site_id)
        booking.heed_event(tx, version, subject[1], about["operation"], about["key"], about["result"] or {})


REACTIONS: Mapping[str, tuple[Reaction, ...]] = {
    events.LEAD_CREATED: (connect_the_lead, tell_crm_about_the_lead, ask_about_the_lead, alert),
    events.LEAD_CHANGED: (connect_the_lead, tell_crm_about_the_lead,),
    events.LEAD_ASSIGNED: (tell_crm_about_the_lead, alert),
    events.LEAD_CLAIMED: (tell_crm_about_the_lead,),
    events.LEAD_DISQUALIFIED: (tell_crm_about_the_lead, tell_crm_what_happened, give_turns_back_for_no_fit, alert),
    events.LEAD_STATUS_CHANGED: (tell_crm_about_the_lead,),
    events.LEAD_CONNECTED: (tell_crm_about_the_lead,),
    events.LEAD_DISCONNECTED: (tell_crm_about_the_lead,),
    events.LEAD_ENROLLED: (tell_crm_what_happened,),
    events.MEETING_BOOKED: (give_the_lead_to_whom_it_meets, tell_crm_about_the_meeting, alert),
    events.MEETING_RESCHEDULED: (tell_crm_about_the_meeting, alert),
    events.MEETING_REASSIGNED: (tell_crm_about_the_meeting,),
    events.MEETING_CANCELLED: (tell_crm_about_the_meeting, alert),
    events.MEETING_DONE: (tell_crm_about_the_meeting,),
    events.MEETING_NO_SHOW: (tell_crm_about_the_meeting, alert),
    events.MEETING_ANSWERED: (tell_crm_what_happened,),
    events.CONVERSATION_HANDED_OVER: (tell_crm_what_happened, alert),
    events.CONVERSATION_TAKEN_OVER: (tell_crm_what_happened,),
    events.CONVERSATION_QUALIFIED: (tell_crm_what_happened, alert),
    events.CONVERSATION_CLOSED: (tell_crm_what_was_said,),
    events.QUESTION_NOT_KNOWN: (tell_crm_what_happened, alert),
    events.VISITOR_TRACKED: (tell_crm_what_happened,),
    events.DELIVERY_DONE: (learn_what_was_delivered, tell_crm_of_the_mail, learn_what_a_calendar_answered),
    events.DELIVERY_DEAD: (ask_another_source,),
    events.CONVERSATION_STARTED: (alert,),
    events.CONNECTION_BROKEN: (distrust_what_a_broken_connection_told, alert),
    events.CONNECTION_CONNECTED: (forget_what_calendars_told,),
    events.CONNECTION_CHANGED: (forget_what_calendars_told,),
    events.CONNECTION_DISCONNECTED: (forget_what_calendars_told,),
}
