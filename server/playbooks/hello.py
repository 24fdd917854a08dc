"""What a browser says when it arrives, made safe to store: known devices, real zones, tags that look like languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from server.playbooks.page import page_of, visit_of
from server.visitors.service import Arrival

DEVICES = ("desktop", "mobile", "tablet")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_zones: frozenset[str] = frozenset(available_timezones())


@dataclass(frozen=True)
class Hello:
    """`after`: the last number the browser has; `playbook`: the one it showed; `address`: where it calls from."""

    site: str
    arrival: Arrival
    token: str | None = None
    after: int = 0
    playbook: str = ""
    address: str = ""
    known: Mapping[str, Any] = field(default_factory=dict)  # by place; what a rehearsal takes as known

    @classmethod
    def from_frame(cls, frame: Mapping[str, Any], *, address: str = "") -> Hello:
        """From a `hello` frame that server.web.frames has read."""
        arrival = Arrival(
            device=frame["device"] if frame["device"] in DEVICES else "desktop",
            locale=_locale(frame["locale"]),
            zone=frame["zone"] if frame["zone"] in _zones else "",
            seed=frame["seed"],
            page=page_of(frame["page"]),
            visit=visit_of(frame.get("visit") or {}),
            data=frame.get("data") or {},
        )
        return cls(
            site=frame["site"],
            arrival=arrival,
            token=frame.get("token"),
            after=max(0, frame.get("after") or 0),
            playbook=frame.get("playbook") or "",
            address=address,
        )


def _locale(told: str) -> str:
    """ "" for what is no language tag; the site's own language is used then."""
    head, _, tail = told.strip().replace("_", "-").partition("-")
    tag = f"{head.lower()}-{tail}" if tail else head.lower()
    return tag if len(tag) <= 20 and _LOCALE.fullmatch(tag) else ""
