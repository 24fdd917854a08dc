"""Time zones by name: those of the IANA database, never what a name happens to mean on one machine."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

# Files that lie among the zones but are none: this machine's own clock, a set of rules, "not set up yet".
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All of them. Gathered once: it means walking through the folders of the machine."""
    return frozenset(available_timezones()) - _NO_ZONES


def is_zone(name: str) -> bool:
    """Whether it is a zone such as Europe/Berlin; `right/…`, `posix/…`, paths and other spellings are not."""
    return name in zone_names()
