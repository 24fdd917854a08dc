"""The shapes that travel to widget and console; docs/protocol.md describes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server import links

FORGOTTEN = {"t": "forgotten"}
"""The visitor was erased."""


def moment(at: datetime) -> str:
    """UTC in ISO 8601 with a Z, whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def message(row: Any) -> dict[str, Any]:
    """A Message of the protocol."""
    return {
        "seq": row.seq,
        "id": row.client_id,
        "author": row.author,
        "name": row.name,
        "text": links.plain(row.text),
        "at": moment(row.at),
        "node": row.node,
        "citations": links.cited(row.citations),
        "part": links.shown(row.part),
    }


def message_frame(row: Any) -> dict[str, Any]:
    """`message`: somebody said something."""
    return {"t": "message", "message": message(row)}


def state_frame(state: str, agent: dict[str, Any]) -> dict[str, Any]:
    """`state`: a person took over, or gave back."""
    return {"t": "state", "state": state, "agent": agent}
