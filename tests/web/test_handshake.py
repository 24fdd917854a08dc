"""What is no handshake gets an answer in one sentence, and what we need being away is no fault of ours in the log."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import text

from tests.web.test_origins import UPGRADE


@pytest.mark.parametrize(
    ("method", "change", "status"),
    [
        ("GET", {"Sec-WebSocket-Version": "8"}, 426),
        ("GET", {"Sec-WebSocket-Version": ""}, 426),
        ("GET", {"Sec-WebSocket-Key": ""}, 422),
        ("GET", {"Sec-WebSocket-Key": "c2hvcnQ="}, 422),
        ("GET", {"Sec-WebSocket-Key": "no base64 at all, sir!!!"}, 422),
        ("GET", {"Upgrade": "h2c"}, 405),
        ("GET", {"Connection": "close"}, 405),
        ("HEAD", {}, 422),
    ],
)
def test_what_is_no_handshake_is_refused_without_a_fault(client, caplog, method, change, status):
    answer = client.open("/v1/chat?site=acme", method=method, headers=UPGRADE | change)
    assert answer.status_code == status
    if status == 426:
        assert answer.headers["Sec-WebSocket-Version"] == "13"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_while_the_database_does_not_answer_everybody_is_asked_to_come_later(app, client, caplog):
    with app.extensions["usher_db"].transaction() as tx:
        tx.execute(text("ALTER TABLE sites RENAME TO gone"))
    answer = client.get("/v1/slots?site=acme&meeting=demo")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "unavailable")
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [("WARNING", None)]
