"""What others wrote, made fit to be kept: JSON and texts that a file and a database take."""

from __future__ import annotations

import json
import re
from typing import Any

_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(body: bytes) -> Any:
    """What it says. ValueError for what is no JSON, is nested too deep to be read, or has a string that cannot be
    written: half a surrogate pair (RFC 8259, 8.2)."""
    text = body.decode(json.detect_encoding(body))
    try:
        said = json.loads(text)
        if _HALF_A_PAIR.search(text):  # or a whole one
            json.dumps(said, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    return said


def writable(text: str) -> str:
    """The text with a question mark for what cannot be written."""
    return text.encode("utf-8", "replace").decode()
