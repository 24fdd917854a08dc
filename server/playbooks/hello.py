"""What a browser says when it arrives, made safe to store: known devices, real zones, tags that look like languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from server.config.version import Version
from server.config.zones import is_zone
from server.playbooks.page import page_of, visit_of
from server.visitors.service import Arrival, Consent, Visitor

DEVICES = ("desktop", "mobile", "tablet")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")


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
    consent: bool = False  # what the page says of it
    discreet: bool = False  # the browser asks not to be tracked
    identity: str | None = None  # a token that the site's own server has signed
    present: str = ""  # id of the visitor who has said hello before and now signs in

    @classmethod
    def from_frame(cls, frame: Mapping[str, Any], *, address: str = "", discreet: bool = False) -> Hello:
        """From a `hello` frame that server.web.frames has read. `discreet`: the request's headers ask for it too."""
        discreet = discreet or bool(frame.get("discreet"))
        arrival = Arrival(
            device=frame["device"] if frame["device"] in DEVICES else "desktop",
            locale=_locale(frame["locale"]),
            zone=frame["zone"] if is_zone(frame["zone"]) else "",
            seed=frame["seed"],
            page=page_of(frame["page"]),
            visit=visit_of(frame.get("visit") or {}),
            data=frame.get("data") or {},
        )
        return cls(
            site=frame["site"],
            arrival=arrival,
            token=frame.get("token"),
            identity=frame.get("identity"),
            after=max(0, frame.get("after") or 0),
            playbook=frame.get("playbook") or "",
            address="" if discreet else address,
            consent=bool(frame.get("consent")),
            discreet=discreet,
        )

    @classmethod
    def of_present(cls, site: str, visitor: Visitor, page: Mapping[str, Any], identity: str) -> Hello:
        """Of a visitor who is here and signs in now: as if they came anew."""
        about = {"device": visitor.device, "locale": visitor.locale, "zone": visitor.zone, "seed": visitor.seed}
        arrival = Arrival(**about, page=page_of(page), visit=visit_of({}), data={})
        consent = {"consent": visitor.consented, "discreet": visitor.discreet}
        return cls(site=site, arrival=arrival, identity=identity, present=visitor.id, **consent)

    def under(self, version: Version) -> Hello:
        """What of it the site's consent mode lets us keep: without consent only the page the visitor is on."""
        site = version.site
        consent = Consent.under(site.consent, told=self.consent, discreet=self.discreet, version_id=version.id)
        told = self.arrival
        if not consent.recorded:
            told = replace(told, visit=visit_of({}), page={**told.page, "referrer": "", "utm": {}})
        return replace(self, arrival=replace(told, consent=consent))


def _locale(told: str) -> str:
    """ "" for what is no language tag; the site's own language is used then."""
    head, _, tail = told.strip().replace("_", "-").partition("-")
    tag = f"{head.lower()}-{tail}" if tail else head.lower()
    return tag if len(tag) <= 20 and _LOCALE.fullmatch(tag) else ""
