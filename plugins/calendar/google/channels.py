"""Channels by which Google tells that a calendar changed
(https://developers.google.com/workspace/calendar/api/guides/push). They say nothing of what changed, and end by
themselves; a new one is opened before that."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from plugins.calendar import Watch
from plugins.errors import InvalidInput, Permanent, PermissionDenied
from plugins.hooks import Heard, HookCall, HookMessage

UNTOLD = timedelta(days=1)
"""When a channel is renewed whose end Google does not tell."""


def wanted(callback: str, secret: str) -> dict[str, Any]:
    """A channel to be opened. Google gives `secret` back in X-Goog-Channel-Token."""
    return {"id": uuid4().hex, "type": "web_hook", "address": callback, "token": secret}


def opened(channel: Mapping[str, Any], made: Mapping[str, Any], subject: str, now: datetime) -> Watch:
    """The channel as it is kept. To close it Google wants to hear the resource, from whom it was opened by."""
    if not made.get("resourceId"):
        raise Permanent("Google opened a channel without a resource").at("calendar.google", "watch")
    told = str(made.get("expiration", ""))
    ends = datetime.fromtimestamp(int(told) / 1000, UTC) if told.isdigit() else now + UNTOLD
    return Watch(channel["id"], ends, f"{made['resourceId']} {subject}".strip())


def known(watch: Watch) -> tuple[dict[str, str], str]:
    """What closes a channel, and as whom."""
    resource, _, subject = watch.resource.partition(" ")
    return {"id": watch.id, "resourceId": resource}, subject


def heard(call: HookCall) -> Heard:
    """One call of Google's: that something changed, or ("sync") just that the channel is open."""
    said = {name: call.headers.get(f"X-Goog-{name}", "") for name in ("Channel-ID", "Resource-State", "Message-Number")}
    token = call.headers.get("X-Goog-Channel-Token", "")
    if not call.secret or not hmac.compare_digest(token.encode(), call.secret.encode()):
        raise PermissionDenied("the token is not the one that the channel was given").at("calendar.google", "hear")
    channel, state, number = said.values()
    if not (channel and state and number.isdigit()):
        raise InvalidInput("a call without channel, state or number").at("calendar.google", "hear")
    if state == "sync":
        return Heard()
    return Heard((HookMessage(f"{channel}:{number}", {"channel": channel, "state": state}),))


def channel_of(data: Mapping[str, Any]) -> str:
    """The id of the watch that a message is about."""
    return str(data.get("channel", ""))
