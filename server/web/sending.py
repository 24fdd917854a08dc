"""A frame as the bytes of a WebSocket message; what goes to many is encoded once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from server.live import Shared


def encode(frame: Mapping[str, Any]) -> bytes:
    """A text frame (RFC 6455 section 5.2, server to client: unmasked) of the frame's JSON.

    One that `live` hands to many listeners keeps its bytes for the next of them.
    """
    if not isinstance(frame, Shared):
        return _encode(frame)
    if frame.encoded is None:
        frame.encoded = _encode(frame)
    return frame.encoded


def _encode(frame: Mapping[str, Any]) -> bytes:
    return framed(json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode())


def framed(body: bytes) -> bytes:
    """A text frame of this UTF-8."""
    size = len(body)
    if size < 126:
        return bytes((0x81, size)) + body
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + body
    return b"\x81\x7f" + size.to_bytes(8, "big") + body
