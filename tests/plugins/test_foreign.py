"""What others wrote is kept, or refused in a sentence; never is it a fault of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from plugins.calendar.microsoft import watch as graph
from plugins.crm.hubspot import hooks as hubspot
from plugins.crm.webhook import Webhook
from plugins.errors import InvalidInput
from plugins.fields import validate
from plugins.hooks import Heard, HookCall
from plugins.records import MemoryRecords
from plugins.signing import new_secret, signed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
URL, SECRET = "https://usher.example/v1/hooks/con_1", new_secret()
BODIES = {"deep": b"[" * 100_000, "half a pair": b'[{"a": "\\ud800"}]', "no text": b"\xff\xfe\x00", "empty": b""}


def of_graph(body: bytes) -> Heard:
    return graph.hear(HookCall("POST", URL, {}, body, NOON, SECRET))


def of_hubspot(body: bytes) -> Heard:
    stamp = str(int(NOON.timestamp() * 1000))
    mark = base64.b64encode(hmac.digest(SECRET.encode(), f"POST{URL}".encode() + body + stamp.encode(), hashlib.sha256))
    headers = {"X-HubSpot-Request-Timestamp": stamp, "X-HubSpot-Signature-v3": mark.decode()}
    return hubspot.hear(HookCall("POST", URL, headers, body, NOON), SECRET, None)


def of_a_program(body: bytes) -> Heard:
    program = Webhook(validate(Webhook.fields, {"url": URL, "secret": SECRET}), records=MemoryRecords())
    return program.hear(HookCall("POST", URL, signed([SECRET], "msg_1", NOON, body), body, NOON))


@pytest.mark.parametrize("hear", [of_graph, of_hubspot, of_a_program])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_cannot_be_read_is_refused(hear: Callable[[bytes], Heard], body: bytes) -> None:
    with pytest.raises(InvalidInput):
        hear(body)
