"""What a client must send to get a WebSocket (RFC 6455, section 4.2.1); the library answers less with a fault."""

from __future__ import annotations

import base64

from flask import abort, current_app, request

from server.errors import Invalid

KEY_BYTES, VERSION = 16, "13"


def check() -> None:
    """Invalid for what is no handshake; 426 for another version, naming ours."""
    told = request.headers
    wants = told.get("Upgrade", "").lower() == "websocket" and "upgrade" in told.get("Connection", "").lower()
    if not wants or request.method != "GET" or not _is_key(told.get("Sec-WebSocket-Key", "")):
        raise Invalid("This address takes WebSockets by GET, or frames by POST.", code="no_handshake")
    if told.get("Sec-WebSocket-Version") != VERSION:
        abort(current_app.response_class(status=426, headers={"Sec-WebSocket-Version": VERSION}))


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False
