"""GET /metrics in Prometheus' format, for the operator. Everything is counted in the database, so that several
processes say the same and a restart forgets nothing; only the state of breakers is the answering process's own."""

from __future__ import annotations

import hmac
import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from server import clock, settings
from server.adapters import connections
from server.booking import service as booking
from server.config import service as config
from server.errors import NotFound
from server.meters import service as meters
from server.outbox import service as outbox
from server.web import metered, origins

bp = Blueprint("metrics", __name__)

CALENDAR_STATES = ("ok", "unread", "failing", "stale")
_HOPS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


@bp.get("/metrics")
def metrics() -> Response:
    """What is counted now; for others than the operator there is nothing at this address."""
    if not _may_look():
        raise NotFound("There is nothing at this address.")
    registry = CollectorRegistry(auto_describe=False)
    meters.keep(origins.database())
    with origins.database().reading() as tx:
        registry.register(_Counted(tx))
        body = generate_latest(registry)
    return Response(body, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _may_look() -> bool:
    """With the token of USHER_METRICS_TOKEN; without one, from this machine and through no proxy."""
    token = settings.get().metrics_token.get_secret_value()
    if token:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
    return _is_here(request.remote_addr or "") and not any(name in request.headers for name in _HOPS)


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class _Counted(Collector):
    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def describe(self) -> list[Metric]:
        """Nothing beforehand: names are known once they are counted."""
        return []

    def collect(self) -> Iterator[Metric]:
        keys = {site.id: site.key for site in config.sites(self._tx)}
        yield from self._calendars()
        deliveries = _gauge("usher_deliveries", "Deliveries by state; dead ones wait for a person.", "state")
        for state, count in sorted(outbox.counts(self._tx).items()):
            deliveries.add_metric([state], count)
        meetings = _gauge("usher_meetings", "Meetings by status.", "site", "status")
        for site_id, status, count in booking.counts(self._tx):
            meetings.add_metric([keys.get(site_id, ""), status], count)
        holds = _gauge("usher_holds_alive", "Times that are held for visitors right now.", "site")
        alive = booking.holds_alive(self._tx)
        for site_id, key in sorted(keys.items(), key=lambda pair: pair[1]):
            holds.add_metric([key], alive.get(site_id, 0))
        yield from (deliveries, meetings, holds, self._connections(keys))
        yield from metered.families(self._tx)

    def _connections(self, keys: Mapping[str, str]) -> Metric:
        about = "Connections to services by state; broken ones wait for a person."
        found = _gauge("usher_connections", about, "site", "adapter", "state")
        for (site_id, adapter, state), number in sorted(connections.counts(self._tx).items()):
            found.add_metric([keys.get(site_id, ""), adapter, state], number)
        return found

    def _calendars(self) -> Iterator[Metric]:
        about = "Connected calendars of active reps; all states but ok keep the rep out."
        count = _gauge("usher_calendars", about, "site", "state")
        oldest = _gauge("usher_calendars_oldest_reading_seconds", "Age of the reading longest ago.", "site")
        lost = _gauge("usher_calendars_not_followed", "Calendars whose changes cannot be read.", "site")
        for site in config.sites(self._tx):
            active = site.active_version_id and config.version(self._tx, site.active_version_id)
            found = booking.calendar_states(self._tx, active) if active else []
            by_state = Counter(one.state for one in found)
            for state in CALENDAR_STATES:
                count.add_metric([site.key, state], by_state[state])
            lost.add_metric([site.key], sum(bool(one.not_followed) for one in found))
            read = [one.read_at for one in found if one.read_at is not None]
            if read:
                oldest.add_metric([site.key], (clock.now() - min(read)).total_seconds())
        yield from (count, oldest, lost)


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=labels)
