"""The webhooks of the made-up HubSpot: what changed, in batches, with true signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from plugins.hooks import HookCall
from plugins.testing.fakes.hubspot.portal import TYPE_IDS, Portal
from plugins.testing.fakes.hubspot.sign_in import CLIENT_SECRET

NAMES = {"contacts": "contact", "companies": "company"}


class Sender:
    """`events` are what is to be told; `told_by(url)` is the call with them, signed as HubSpot signs."""

    portal: Portal
    app_id: int

    def forget_events(self) -> None:
        self.events: list[dict[str, Any]] = []

    def note_changes(self, type: str, id: str, values: Mapping[str, str], source: str, by: str) -> None:
        for name, value in values.items():
            self.note(f"{NAMES[type]}.propertyChange", id, source, by, propertyName=name, propertyValue=value)

    def note(self, what: str, id: str, source: str = "CRM_UI", by: str = "userId:1", **more: Any) -> dict[str, Any]:
        """An event, such as contact.deletion."""
        event = {
            "eventId": 100 + len(self.events), "subscriptionId": 3329277, "portalId": self.portal.id,
            "appId": self.app_id, "occurredAt": round(time.time() * 1000), "subscriptionType": what,
            "attemptNumber": 0, "objectId": int(id), "changeSource": source, "sourceId": by, **more,
        }  # fmt: skip
        if what.startswith("object."):
            event.setdefault("objectTypeId", TYPE_IDS["contacts"])
        self.events.append(event)
        return event

    def told_by(
        self, url: str, at: datetime, *, events: Sequence[Mapping[str, Any]] | None = None, secret: str = CLIENT_SECRET
    ) -> HookCall:
        """The POST to `url` with these events, or all; `attemptNumber` of each is as it stands there."""
        body = json.dumps(self.events if events is None else list(events)).encode()
        stamp = str(round(at.timestamp() * 1000))
        decoded = re.sub(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", lambda m: chr(int(m[1], 16)), url, flags=re.I)
        signed = hmac.digest(secret.encode(), f"POST{decoded}{body.decode()}{stamp}".encode(), hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "X-HubSpot-Signature-v3": base64.b64encode(signed).decode(),
            "X-HubSpot-Request-Timestamp": stamp,
        }
        return HookCall("POST", url, headers, body, at)
