"""What states, roles and events are called on the pages, and in which tone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plugins import errors

STATES: dict[str, dict[str, tuple[str, str]]] = {
    "conversation": {
        "bot": ("With the bot", ""),
        "waiting_rep": ("Waiting", "warn"),
        "rep": ("With a person", "mine"),
        "closed": ("Ended", "plain"),
    },
    "lead": {
        "new": ("New", "info"),
        "assigned": ("Assigned", "mine"),
        "claimed": ("Claimed", "mine"),
        "working": ("Working", "mine"),
        "qualified": ("Qualified", "good"),
        "converted": ("Converted", "good"),
        "nurturing": ("Nurturing", ""),
        "agent_working": ("With the agent", "info"),
        "needs_data": ("Needs data", "warn"),
        "disqualified": ("Disqualified", "plain"),
    },
    "meeting": {
        "held": ("Held", "warn"),
        "pending": ("Pending", "warn"),
        "booked": ("Booked", "info"),
        "rescheduled": ("Moved", "info"),
        "cancelled": ("Cancelled", "plain"),
        "done": ("Took place", "good"),
        "no_show": ("No-show", "bad"),
    },
    "delivery": {
        "waiting": ("Waiting", "info"),
        "paused": ("Paused", "warn"),
        "leased": ("On its way", "info"),
        "done": ("Delivered", "good"),
        "dead": ("Failed", "bad"),
        "withdrawn": ("Withdrawn", "plain"),
    },
    "connection": {
        "draft": ("Not connected yet", "warn"),
        "working": ("Working", "good"),
        "broken": ("Broken", "bad"),
        "off": ("Ended", "plain"),
    },
    "calendar": {
        "ok": ("Up to date", "good"),
        "unread": ("Not read yet", "warn"),
        "failing": ("Silent", "bad"),
        "stale": ("Out of date", "bad"),
    },
    "answer": {"met": ("Met", "good"), "not_met": ("Not met", "bad"), "unknown": ("Unknown", "warn")},
}
WHO = {
    errors.Who.OWNER: "The owner of the connection",
    errors.Who.GIVER: "Whoever gave the value or maps it",
    errors.Who.AUTHOR: "The author of the adapter",
}
ROLES = {
    "owner": "Everything, users too",
    "marketing": "Site versions, deliveries; reads all leads and conversations",
    "supervisor": "All leads, conversations, meetings and availability",
    "rep": "Own and free leads, own conversations, meetings and availability",
}
DECISIONS = {
    "playbook": "Which playbook greets the visitor",
    "routing": "Who is responsible",
    "pick": "Which rep gets the meeting",
    "answer": "What to answer",
    "slots": "Which times to offer",
}
REPLIES = {
    "ACCEPTED": "Accepted",
    "TENTATIVE": "Said maybe",
    "DECLINED": "Declined",
    "DELEGATED": "Sends somebody else",
    "COUNTER": "Wishes another time",
}
ANSWERS = {"yes": "Yes", "no": "No", "unknown": "Not known"}
DELIVERIES = {
    ("calendar", "create"): "Put into the calendar",
    ("calendar", "update"): "Move in the calendar",
    ("calendar", "cancel"): "Take out of the calendar",
    ("calendar", "video"): "Ask for the video link",
    ("crm", "upsert_person"): "Tell the CRM about the person",
    ("crm", "upsert_company"): "Tell the CRM about the company",
    ("crm", "log_activity"): "Tell the CRM what happened",
    ("crm", "log_meeting"): "Tell the CRM about the meeting",
    ("notify", "send_mail"): "Mail",
}
EVENTS = {
    "visitor.first_seen": "Visitor came for the first time",
    "visitor.identified": "The page told who the visitor is",
    "visitor.verified": "The site vouched for who the visitor is",
    "identity.refused": "A sign-in could not be verified",
    "identity_key.added": "Key for signed-in visitors made",
    "identity_key.revoked": "Key for signed-in visitors revoked",
    "visitor.tracked": "Something happened on the page",
    "visitor.consented": "Visitor agreed to be remembered",
    "visitor.withdrew": "Visitor took the consent back",
    "person.exported": "A person's data were given out",
    "person.erased": "A person was erased",
    "conversation.started": "Conversation started",
    "conversation.handed_over": "Handed over to a person",
    "conversation.taken_over": "Taken over",
    "conversation.given_back": "Given back to the bot",
    "conversation.qualified": "Qualified",
    "company.recognised": "The visitor's company was recognised",
    "conversation.closed": "Conversation ended",
    "conversation.joined": "An anonymous conversation became the signed-in visitor's",
    "playbook.chosen": "Playbook chosen",
    "question.answered": "Question answered from the knowledge",
    "question.not_known": "Question without an answer",
    "answer.kept": "Answer kept",
    "lead.created": "Lead created",
    "lead.changed": "Lead changed",
    "lead.assigned": "Lead assigned",
    "lead.claimed": "Lead claimed",
    "lead.enrolled": "Enrolled in a stream",
    "lead.routed": "Routed",
    "lead.disqualified": "Lead disqualified",
    "lead.status_changed": "Status of the lead changed",
    "lead.connected": "Connected with a company",
    "lead.disconnected": "Taken out of its company",
    "rotation.calibrated": "Turns calibrated by hand",
    "meeting.held": "Time held",
    "meeting.released": "Held time released",
    "meeting.passed_on": "Held time given on: the calendar was read again",
    "meeting.put_back": "Put back into the calendar where it was",
    "meeting.booked": "Meeting booked",
    "meeting.rescheduled": "Meeting moved",
    "meeting.answered": "Invitation answered by mail",
    "meeting.cancelled": "Meeting cancelled",
    "meeting.reassigned": "Meeting given to a colleague",
    "meeting.done": "Meeting took place",
    "meeting.no_show": "Nobody came to the meeting",
    "own_time.added": "Own time added",
    "own_time.removed": "Own time removed",
    "delivery.done": "Delivered",
    "delivery.dead": "Delivery failed",
    "delivery.retried": "Delivery tried again",
    "delivery.withdrawn": "Delivery withdrawn",
    "crm.changed": "Changed in the CRM",
    "crm.record_gone": "Deleted in the CRM",
    "crm.linked": "Connected with a record of the CRM",
    "crm.unlinked": "Taken apart from its record in the CRM",
    "crm.compared": "Compared with the CRM",
    "crm.repaired": "Repair with the CRM queued",
    "config.applied": "Site version applied",
    "config.rolled_back": "Went back to a site version",
    "connection.connected": "Service connected",
    "connection.changed": "Connection changed",
    "connection.disconnected": "Service disconnected",
    "connection.broken": "Connection broken: a person has to act",
    "connection.working": "Connection works again",
    "user.added": "User added",
    "user.signed_in": "Signed in",
    "user.changed": "User changed",
}


def state(kind: str, name: str) -> tuple[str, str]:
    """Label and tone of a state."""
    return STATES[kind].get(name, (sentence(name), ""))


def event(name: str) -> str:
    """What happened, in words."""
    return EVENTS.get(name, sentence(name.replace(".", " ")))


def reply(kept: Mapping[str, Any]) -> str:
    """How an invitation was answered, with the words that came along."""
    said = REPLIES.get(kept["method"]) or REPLIES.get(kept["answer"], sentence(kept["answer"]))
    return f"{said}: {kept['comment']}" if kept.get("comment") else said


def delivery(row: Any) -> tuple[str, str]:
    """What is to be told, and to whom."""
    title = DELIVERIES.get((row.kind, row.operation), sentence(row.operation))
    mail = row.payload.get("mail") or {}
    return (f"{title}: {mail['subject']}", str(mail.get("to", ""))) if "subject" in mail else (title, row.kind)


def who(problem_class: str) -> str:
    """Who has to act before what failed so can work; "" when time heals it."""
    kind = getattr(errors, problem_class, None) if problem_class else None
    return WHO.get(kind.who, "") if isinstance(kind, type) and issubclass(kind, errors.PluginError) else ""


def sentence(name: str) -> str:
    """`not_met` as "Not met"."""
    text = name.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def field(name: str) -> str:
    """A field of a lead or an account, custom ones (`fields.team_size`) included."""
    return {"email": "E-mail"}.get(name) or sentence(name.removeprefix("fields."))


def spaced(name: str) -> str:
    """`RateLimited` as "Rate limited"."""
    return sentence(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def plain(value: Any) -> str:
    """A stored value as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{sentence(str(name))}: {plain(one)}" for name, one in value.items()) or "–"
    return str(value)


def initials(name: str) -> str:
    """One or two letters that stand for a person."""
    letters = [word[0] for word in name.replace("@", " ").split() if word[0].isalnum()]
    return "".join(letters[:1] + letters[-1:] if len(letters) > 1 else letters) or "?"
