"""GET /metrics: for the operator only, counted in the database at the moment of asking."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plugins import registry
from plugins.records import MemoryRecords
from server import settings
from server.booking import service as booking
from server.config import folder
from server.config import service as config
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
            lambda: registry.open("calendar", "wall", {}, records=MemoryRecords()),
        )
        monday.advance(timedelta(minutes=10))
        found = told(client)
        assert found["usher_calendars", site, ("state", "ok")] == everybody - 1
        assert found["usher_calendars", site, ("state", "failing")] == 1
        assert found["usher_calendars_oldest_reading_seconds", site] == 600
        monday.advance(timedelta(minutes=21))
        assert told(client)["usher_calendars", site, ("state", "stale")] == everybody - 1


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
