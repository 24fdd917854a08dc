"""GET /metrics: for the operator only, counted in the database at the moment of asking."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plugins import limits, registry
from plugins.errors import Transient
from plugins.meter import Count, Meter, here
from plugins.records import MemoryRecords
from server import clock, settings
from server.booking import service as booking
from server.config import folder
from server.config import service as config
from server.meters import service as meters
from server.sections import SECTIONS
from tests.booking.wall import connected
from tests.processes import ROOT
from tests.web.test_booking import first_start, hold, meet


def told(client, **more):
    answer = client.get("/metrics", **more)
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def meetings(found, status):
    return found.get(("usher_meetings", ("site", "acme"), ("status", status)), 0)


def test_meetings_holds_and_deliveries_are_counted_as_they_stand_now(client):
    before = told(client)
    assert before["usher_holds_alive", ("site", "acme")] == 0
    token = hold(client, first_start(client), pool="smb").json["hold"]["token"]
    assert told(client)["usher_holds_alive", ("site", "acme")] == 1
    assert meet(client, token).status_code == 201
    after = told(client)
    assert after["usher_holds_alive", ("site", "acme")] == 0
    assert meetings(after, "booked") == 1
    assert after["usher_deliveries", ("state", "waiting")] > 0


def test_a_hold_that_has_expired_is_not_alive(client, monday):
    hold(client, first_start(client))
    monday.advance(timedelta(minutes=6))
    assert told(client)["usher_holds_alive", ("site", "acme")] == 0


def test_connected_calendars_are_counted_by_state_with_the_age_of_the_oldest_reading(app, client, monday):
    with connected() as wall:
        files = folder.load(ROOT / "server" / "sample")
        files["site.yml"] = files["site.yml"].replace("calendar: builtin", "calendar: wall")
        version = config.apply(app.extensions["usher_db"], files, author="tests", sections=SECTIONS)
        site = ("site", "acme")
        everybody = told(client)["usher_calendars", site, ("state", "unread")]
        assert everybody > 3
        wall.down = {"grace@acme.example"}
        booking.read_ahead(
            app.extensions["usher_db"],
            version,
            lambda _: registry.open("calendar", "wall", {}, records=MemoryRecords()),
        )
        monday.advance(timedelta(minutes=10))
        found = told(client)
        assert found["usher_calendars", site, ("state", "ok")] == everybody - 1
        assert found["usher_calendars", site, ("state", "failing")] == 1
        assert found["usher_calendars_oldest_reading_seconds", site] == 600
        monday.advance(timedelta(minutes=21))
        assert told(client)["usher_calendars", site, ("state", "stale")] == everybody - 1


def calls(db):
    """What processes have counted that have ended since."""
    for seconds, outcome in ((0.02, "ok"), (0.3, "ok"), (40, "transient")):
        meter = Meter()
        meter.called("crm.acme", "find", outcome, seconds)
        meter.held("crm.acme", "find", "rate")
        meter.tried("crm", "find", "again")
        meter.opened("crm.acme")
        meters.keep(db, meter)


def test_calls_of_all_processes_are_counted_with_their_seconds_and_what_was_held_back(app, client):
    calls(app.extensions["usher_db"])
    found = told(client)
    of = (("adapter", "crm.acme"), ("operation", "find"))
    assert found["usher_adapter_calls_total", *of, ("outcome", "ok")] == 2
    assert found["usher_adapter_calls_total", *of, ("outcome", "transient")] == 1
    assert found["usher_adapter_calls_held_total", *of, ("reason", "rate")] == 3
    assert found["usher_adapter_breaker_opened_total", ("adapter", "crm.acme")] == 3
    assert found["usher_delivery_tries_total", ("kind", "crm"), ("operation", "find"), ("outcome", "again")] == 3
    for le, count in (("0.05", 1), ("0.5", 2), ("+Inf", 3)):
        assert found["usher_adapter_call_seconds_bucket", of[0], ("le", le), of[1]] == count
    assert found["usher_adapter_call_seconds_count", *of] == 3
    assert found["usher_adapter_call_seconds_sum", *of] == pytest.approx(40.32)


def test_what_this_process_has_counted_is_told_at_once_and_once(client):
    here.called("crm.now", "find", "ok", 0.1)
    name = ("usher_adapter_calls_total", ("adapter", "crm.now"), ("operation", "find"), ("outcome", "ok"))
    assert [told(client)[name] for _ in range(2)] == [1, 1]


def test_a_breaker_is_told_as_this_process_has_it(client, monday):
    of = limits.of("con_metrics")
    state = ("usher_adapter_breaker_open", ("connection", "con_metrics"), ("process", str(os.getpid())))
    assert told(client)[state] == 0
    for _ in range(limits.OPENS_AFTER):
        with pytest.raises(Transient), of.passing(clock.now):
            raise Transient("down")
    assert told(client)[state] == 1
    limits.forget()


def test_counts_that_cannot_be_noted_stay_for_the_next_time(app):
    meter = Meter()
    meter.called("crm.acme", "find", "ok", 0.1)

    class Away:
        def transaction(self):
            raise OSError

    with pytest.raises(OSError):
        meters.keep(Away(), meter)
    db = app.extensions["usher_db"]
    meters.keep(db, meter)
    with db.reading() as tx:
        assert meters.all_of(tx)[Count("calls", "crm.acme", "find", "ok")] == 1


@pytest.mark.parametrize(
    "asking",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"headers": {"X-Forwarded-For": "192.0.2.7"}},  # a proxy on this machine passes a stranger on
        {"headers": {"Forwarded": "for=192.0.2.7"}},
        {"environ_overrides": {"REMOTE_ADDR": "not an address"}},
    ],
)
def test_without_a_token_only_the_machine_itself_may_look(client, asking):
    assert client.get("/metrics").status_code == 200
    refused = client.get("/metrics", **asking)
    assert (refused.status_code, "usher_" in refused.text) == (404, False)


def test_with_a_token_whoever_has_it_may_look_and_nobody_else(client, monkeypatch):
    monkeypatch.setenv("USHER_METRICS_TOKEN", "an operator's secret")
    settings.get.cache_clear()
    from_outside = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    assert client.get("/metrics").status_code == 404
    for wrong in ("Bearer", "Bearer an operator's secre", "Basic an operator's secret", "Bearer caf\xe9"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 404
    assert told(client, headers={"Authorization": "Bearer an operator's secret"}, **from_outside)
