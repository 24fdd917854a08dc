"""What others wrote, as a terminal may show it."""

from __future__ import annotations

import json
import re
from typing import Any

_ORDERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys instead of showing it, what turns the direction of writing, and halves of pairs."""


def plain(text: str) -> str:
    """The text without them."""
    return _ORDERS.sub("", text)


def as_json(value: Any) -> str:
    """JSON that says them by their numbers."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return _ORDERS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
