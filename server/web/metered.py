"""What is told at /metrics of calls to services: counted over all processes and restarts, but for the breakers, which
each process has for itself."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy import Connection

from plugins import limits, meter
from plugins.meter import Count
from server import clock
from server.meters import service as meters

_COUNTERS = {
    meter.CALLS: ("usher_adapter_calls", "Calls to services, by outcome.", "adapter", "operation", "outcome"),
    meter.HELD: ("usher_adapter_calls_held", "Calls that were held back.", "adapter", "operation", "reason"),
    meter.TRIES: ("usher_delivery_tries", "Tries of deliveries; again is a retry.", "kind", "operation", "outcome"),
}
_BOUNDS = [*map(str, meter.BOUNDS), "+Inf"]


def families(tx: Connection) -> Iterator[Metric]:
    """All metrics of calls, retries, gates and breakers."""
    counts = meters.all_of(tx)
    for what, (name, about, *labels) in _COUNTERS.items():
        family = CounterMetricFamily(name, about, labels=labels)
        for count, value in counts.items():
            if count.what == what:
                family.add_metric([count.adapter, count.operation, count.label], value)
        yield family
    yield _seconds(counts)
    yield from _breakers(counts)


def _seconds(counts: Mapping[Count, float]) -> Metric:
    labels = ["adapter", "operation"]
    family = HistogramMetricFamily("usher_adapter_call_seconds", "How long calls took.", labels=labels)
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for count, value in counts.items():
        if count.what == meter.BUCKETS:
            found[count.adapter, count.operation][count.label] = value
    for (adapter, operation), by_bound in found.items():
        rising = accumulate(by_bound.get(bound, 0) for bound in _BOUNDS)
        total = counts.get(Count(meter.SECONDS, adapter, operation), 0.0)
        family.add_metric([adapter, operation], list(zip(_BOUNDS, rising, strict=True)), total)
    return family


def _breakers(counts: Mapping[Count, float]) -> Iterator[Metric]:
    opened = CounterMetricFamily("usher_adapter_breaker_opened", "How often a breaker opened.", labels=["adapter"])
    for count, value in counts.items():
        if count.what == meter.OPENED:
            opened.add_metric([count.adapter], value)
    about = "1 while this process leaves the connection alone, or tries whether it is well again."
    state = GaugeMetricFamily("usher_adapter_breaker_open", about, labels=["connection", "process"])
    for connection, of in sorted(limits.known().items()):
        state.add_metric([connection, str(os.getpid())], float(of.state(clock.now()) != "closed"))
    yield from (opened, state)
