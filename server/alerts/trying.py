"""Look at an alert as its owner does: whom it would reach now, what stands in its way, and a message to try it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from plugins import registry
from plugins.errors import PluginError
from plugins.fields import from_environment
from server import ids, settings
from server.adapters import connections
from server.alerts import service
from server.alerts.schema import Alert, Alerts, Recipient
from server.config.version import Version
from server.errors import NotFound
from server.outbox import service as outbox
from server.routing.team import Team

OWNER = "owner"


@dataclass(frozen=True)
class Way:
    """One recipient of an alert: how, to whom in words, and why not ("" when it would arrive)."""

    by: str
    to: str
    problem: str = ""


def ways(tx: Connection, version: Version, alert: Alert) -> list[Way]:
    """Every recipient as things stand now."""
    return [_way(tx, version, one) for one in alert.to]


def send(tx: Connection, version: Version, alert_id: str, by: str) -> int:
    """Queue a message that says it is a test to all whom the alert reaches but an owner, whom it has only when it
    happens. The number of messages. NotFound."""
    alert = next((one for one in version.part(Alerts).alerts if one.id == alert_id), None)
    if alert is None:
        raise NotFound(f"There is no alert {alert_id}.")
    meant = [one for one in alert.to if not (one.to == OWNER and one.by in service.PEOPLE_BY)]
    reached = sorted({(one.by, to) for one in meant for to in service.reached(version.part(Team), one)})
    words = service.Words(
        title=f"Test: {alert_id}", text=f"{by} tries whether this alert arrives.",
        url=f"{settings.get().public_url.rstrip('/')}/alerts", urgent=alert.urgent,
    )  # fmt: skip
    return sum(
        outbox.queue(
            tx, site_id=version.site_id, key=f"alert:test:{ids.new_token()}", subject=("alert", alert_id),
            **service.delivery(version, words, way, to),
        )
        for way, to in reached
    )  # fmt: skip


def _way(tx: Connection, version: Version, to: Recipient) -> Way:
    named = to.to or ("" if to.by in service.PEOPLE_BY else "its own place")
    if to.by in service.PEOPLE_BY and to.to == OWNER:
        return Way(to.by, "the lead's owner, or who meets", _not_there(tx, version, to.by))
    reps = service.reps(version.part(Team), to.to)
    missing: Sequence[str] = ()
    if reps is not None:
        named = ", ".join(rep.name for rep in reps)
        missing = [rep.name for rep in reps if to.by == "twilio" and not rep.phone]
    without = f"{', '.join(missing)}: no phone in team.yml" if missing else ""
    return Way(to.by, named, _not_there(tx, version, to.by) or without)


def _not_there(tx: Connection, version: Version, by: str) -> str:
    """Why this way is closed altogether."""
    if by == "mail":
        return "Mail is not set up: USHER_MAIL_TO" if settings.get().mail_to == "none" else ""
    try:
        found, adapter = connections.serving(tx, version, f"notify.{by}"), registry.load("notify", by)
    except PluginError as problem:
        return problem.user_message
    given = from_environment(adapter.fields, "notify", by, settings.adapter_environment())
    if found is None or found.state == "draft" or (found.from_environment and not given):
        return f"{by} is not connected"
    return found.problem if found.state == "broken" else ""
