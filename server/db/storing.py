"""What no database takes: asked of what strangers send before anybody keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def storable(value: Any) -> bool:
    """False for a NUL or half a surrogate pair anywhere."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, Mapping):
        return all(storable(key) and storable(one) for key, one in value.items())
    return all(map(storable, value)) if isinstance(value, list | tuple) else True
