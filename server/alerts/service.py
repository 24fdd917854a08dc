"""Tell those whom alerts.yml names, by deliveries in the transaction of the reaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from server import clock, settings
from server.alerts.schema import TITLES, Alert, Alerts, Recipient
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
        for by, to in sorted({(one.by, to) for one in alert.to for to in _reached(version.part(Team), one, known)})
    )


def _queue(tx: Connection, version: Version, event: Event, known: About, alert: Alert, by: str, to: str) -> bool:
    matter = known.lead_id or known.conversation_id or event.subject_id
    once = known.conversation_id if event.name.startswith(IN_A_TALK) else event.id
    about_it = f"{alert.id}\0{event.name}\0{once}\0{by}\0{to}"
    return outbox.queue(
        tx,
        site_id=version.site_id,
        key=f"alert:{hashlib.sha256(about_it.encode()).hexdigest()[:40]}",
        order_key=f"alert:{by}:{matter}",
        subject=("lead", known.lead_id) if known.lead_id else (event.subject_kind, event.subject_id),
        **_delivery(version, event, known, alert, by, to, matter),
    )


def _delivery(
    version: Version, event: Event, known: About, alert: Alert, by: str, to: str, matter: str
) -> dict[str, Any]:
    title = (alert.title or TITLES[event.name]).render(known.values).strip()[:200]
    text = "\n".join(part for part in (alert.text.render(known.values) if alert.text else "", event.reason) if part)
    facts = {label: str(value) for label, value in _facts(known)}
    url = _url(event, known)
    if by != "mail":
        message = {"title": title, "text": text, "to": to, "url": url, "facts": facts, "thread_key": matter}
        sent = {"alert": {**message, "urgent": alert.urgent}}
        return {"kind": f"notify.{by}", "operation": "send_alert", "payload": sent}
    rep = next((one for one in version.part(Team).reps if one.email == to), None)
    body = "\n".join([text, *([""] if text else []), *(f"{label}: {value}" for label, value in facts.items()), "", url])
    site = version.site
    mail = {"to": to, "to_name": rep.name if rep else "", "subject": title, "text": body, "thread_key": matter}
    mail |= {"from_address": site.mail.from_address, "from_name": site.mail.from_name or site.name}
    return {"kind": "notify", "operation": "send_mail", "payload": {"mail": mail}}


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


def _reached(team: Team, to: Recipient, known: About) -> list[str]:
    """Addresses or numbers of those who are meant; nobody where the owner is not known or has none."""
    if to.by not in ("mail", "twilio"):
        return [to.to]
    name = known.owner if to.to == "owner" else to.to
    reps = _reps(team, name)
    if reps is None:
        return [name] if name else []
    found = [rep.email if to.by == "mail" else rep.phone for rep in reps if rep.active]
    return [one for one in found if one]


def _reps(team: Team, name: str) -> list[Rep] | None:
    """The reps of this id, pool or queue; None when it is none of these."""
    if name in team.reps_by_id:
        return [team.reps_by_id[name]]
    group = team.pools_by_id.get(name) or team.queues_by_id.get(name)
    return [team.reps_by_id[member] for member in group.members] if group else None
