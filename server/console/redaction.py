"""What of a payload nobody may read: secrets by their names, and the tokens of links that open without a sign-in."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "•••"
_SECRET = re.compile(
    r"secret|password|passwd|token|authorization|credential|cookie|api_?key|private_?key|signature", re.I
)
_OWN_LINK = re.compile(r"(/m/)[A-Za-z0-9_.~-]{8,}")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")


def redacted(value: Any) -> Any:
    """The same value with what is secret replaced by `•••`."""
    if isinstance(value, dict):
        return {key: HIDDEN if _SECRET.search(str(key)) and kept else redacted(kept) for key, kept in value.items()}
    if isinstance(value, list):
        return [redacted(one) for one in value]
    if isinstance(value, str):
        return _BEARER.sub(rf"\1 {HIDDEN}", _OWN_LINK.sub(rf"\1{HIDDEN}", value))
    return value
