"""Only the site's own pages: a foreign origin, `null` and none are refused with 403 and one line in the log."""

from __future__ import annotations

import logging

import pytest

from tests.web.conftest import ORIGIN, from_page

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
DOORS = {
    "config": ("GET", "/v1/sites/acme/config", {}),
    "slots": ("GET", "/v1/slots?site=acme&meeting=demo", {}),
    "holds": ("POST", "/v1/holds", {"json": {"site": "acme", "meeting": "demo", "start": "2026-03-02T09:00:00Z"}}),
    "meetings": ("POST", "/v1/meetings", {"json": {"site": "acme", "hold": "x", "name": "A", "email": "a@b.example"}}),
    "chat": ("GET", "/v1/chat?site=acme", {"headers": UPGRADE}),
}
FOREIGN = ["https://evil.example", "null", "", f"{ORIGIN}.evil.example", ORIGIN.upper(), f"{ORIGIN}/", None]


@pytest.mark.parametrize("door", DOORS)
def test_a_page_that_is_not_on_the_list_gets_nothing(app, caplog, door):
    method, path, more = DOORS[door]
    for origin in FOREIGN:
        caplog.clear()
        asking = app.test_client() if origin is None else from_page(app, origin)
        with caplog.at_level(logging.INFO):
            answer = asking.open(path, method=method, **more)
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden"), origin
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert [record.name for record in caplog.records] == ["usher.origins"]


@pytest.mark.parametrize("path", ["/v1/holds", "/v1/meetings"])
def test_a_foreign_page_is_refused_before_it_sends(app, caplog, path):
    assert from_page(app).options(path).headers["Access-Control-Allow-Origin"] == ORIGIN
    assert from_page(app, "https://evil.example").options(path).status_code == 403
    assert len(caplog.records) == 1


def test_without_an_origin_only_a_page_of_this_server_is_answered(app):
    for says, status in (("same-origin", 200), ("same-site", 403), ("cross-site", 403)):
        answer = app.test_client().get("/v1/slots?site=acme&meeting=demo", headers={"Sec-Fetch-Site": says})
        assert answer.status_code == status


def test_a_socket_names_its_site(app):
    for path in ("/v1/chat", "/v1/chat?site=nobody"):
        assert from_page(app).get(path, headers=UPGRADE).status_code == 404
