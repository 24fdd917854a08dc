"""Tell those whom alerts.yml names, by deliveries in the transaction of the reaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from server import clock, settings
from server.alerts.schema import PEOPLE_BY, TITLES, Alert, Alerts, Recipient
from server.alerts.values import About, about
from server.config.version import Version
from server.errors import NotFound
from server.events import Event
from server.outbox import service as outbox
from server.routing.team import Rep, Team

IN_A_TALK = ("conversation.", "question.")
"""Alerts about these come once in a conversation; all others each time it happens."""
FRESH = timedelta(hours=1)
"""What is older is no news, such as what waited while the worker was away."""
FACTS = (
    ("Company", "account", "name"),
    ("Employees", "account", "employees"),
    ("E-mail", "lead", "email"),
    ("Phone", "lead", "phone"),
    ("Title", "lead", "title"),
    ("Page", "page", "path"),
)


def tell(tx: Connection, version: Version, event: Event) -> int:
    """Queue the alerts about this event; the number of messages. The same event again, or the same once more in its
    conversation, adds none."""
    wanted = [alert for alert in version.part(Alerts).alerts if alert.active and event.name in alert.on]
    if not wanted or clock.now() - event.at > FRESH:
        return 0
    try:
        known = about(tx, version, event)
    except NotFound:  # erased meanwhile
        return 0
    said = [alert for alert in wanted if alert.when is None or alert.when.judge(known.values).answer == "yes"]
    return sum(
        _queue(tx, version, event, known, alert, by, to)
        for alert in said
        for by, to in sorted({(one.by, to) for one in alert.to for to in reached(version.part(Team), one, known.owner)})
    )


@dataclass(frozen=True)
class Words:
    """What an alert says, whatever carries it. `matter`: what later alerts of the same thread share."""

    title: str
    text: str
    url: str
    facts: Mapping[str, str] = field(default_factory=dict)
    matter: str = ""
    urgent: bool = False


def delivery(version: Version, words: Words, by: str, to: str) -> dict[str, Any]:
    """Kind, operation and payload of the message to one address, number or channel."""
    if by != "mail":
        alert: dict[str, Any] = {"title": words.title, "text": words.text, "to": to, "url": words.url}
        alert |= {"facts": dict(words.facts), "thread_key": words.matter, "urgent": words.urgent}
        return {"kind": f"notify.{by}", "operation": "send_alert", "payload": {"alert": alert}}
    rep = next((one for one in version.part(Team).reps if one.email == to), None)
    facts = "\n".join(f"{label}: {value}" for label, value in words.facts.items())
    body = "\n\n".join(part for part in (words.text, facts, words.url) if part)
    mail = {"to": to, "to_name": rep.name if rep else "", "subject": words.title, "text": body}
    site = version.site
    mail |= {"from_address": site.mail.from_address, "from_name": site.mail.from_name or site.name}
    return {"kind": "notify", "operation": "send_mail", "payload": {"mail": {**mail, "thread_key": words.matter}}}


def _queue(tx: Connection, version: Version, event: Event, known: About, alert: Alert, by: str, to: str) -> bool:
    once = known.conversation_id if event.name.startswith(IN_A_TALK) else event.id
    about_it = f"{alert.id}\0{event.name}\0{once}\0{by}\0{to}"
    words = _words(event, known, alert)
    return outbox.queue(
        tx,
        site_id=version.site_id,
        key=f"alert:{hashlib.sha256(about_it.encode()).hexdigest()[:40]}",
        order_key=f"alert:{by}:{words.matter}",
        subject=("lead", known.lead_id) if known.lead_id else (event.subject_kind, event.subject_id),
        **delivery(version, words, by, to),
    )


def _words(event: Event, known: About, alert: Alert) -> Words:
    title = (alert.title or TITLES[event.name]).render(known.values).strip()[:200]
    told = alert.text.render(known.values) if alert.text else ""
    return Words(
        title=title,
        text="\n".join(part for part in (told, event.reason) if part),
        url=_url(event, known),
        facts={label: str(value) for label, value in _facts(known)},
        matter=known.lead_id or known.conversation_id or event.subject_id,
        urgent=alert.urgent,
    )


def _facts(known: About) -> Iterator[tuple[str, Any]]:
    for label, namespace, name in FACTS:
        value = (known.values.get(namespace) or {}).get(name)
        if value not in (None, ""):
            yield label, value
    if known.meeting is not None:
        yield "When", known.meeting.start_at.strftime("%Y-%m-%d %H:%M UTC")


def _url(event: Event, known: About) -> str:
    root = settings.get().public_url.rstrip("/")
    if event.subject_kind == "connection":
        return f"{root}/connections"
    if known.meeting is not None:
        return f"{root}/meetings/{known.meeting.id}"
    if event.name.startswith(IN_A_TALK):
        return f"{root}/conversations/{known.conversation_id}"
    return f"{root}/leads/{known.lead_id}"


def reached(team: Team, to: Recipient, owner: str = "") -> list[str]:
    """Addresses or numbers of those who are meant; nobody where the owner is not known or has none."""
    if to.by not in PEOPLE_BY:
        return [to.to]
    name = owner if to.to == "owner" else to.to
    meant = reps(team, name)
    if meant is None:
        return [name] if name else []
    found = [rep.email if to.by == "mail" else rep.phone for rep in meant if rep.active]
    return [one for one in found if one]


def reps(team: Team, name: str) -> list[Rep] | None:
    """The reps of this id, pool or queue; None when it is none of these."""
    if name in team.reps_by_id:
        return [team.reps_by_id[name]]
    group = team.pools_by_id.get(name) or team.queues_by_id.get(name)
    return [team.reps_by_id[member] for member in group.members] if group else None
