"""Being told of changes by Microsoft Graph: subscriptions, the handshake, and what its calls say."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from plugins.calendar import Watch
from plugins.calendar.microsoft.graph import Graph, Place
from plugins.errors import InvalidInput, NotFound, Permanent, PermissionDenied
from plugins.foreign import read_json
from plugins.hooks import Heard, HookCall, HookMessage
from plugins.odata import as_object

LONGEST = timedelta(minutes=10_080)
"""Of a subscription to events; asked for with some room, because their clock is not ours."""
_ROOM = timedelta(minutes=10)
LONGEST_SECRET = 128
ACCEPTED = 202
REAUTHORIZE = "reauthorizationRequired"


def watch(graph: Graph, calendar: str, callback: str, secret: str, now: datetime) -> Watch:
    """Subscribe; Graph calls `callback` with a handshake before it answers."""
    if not secret or len(secret) > LONGEST_SECRET:
        raise InvalidInput(f"a secret has 1 to {LONGEST_SECRET} characters", field="secret")
    ends = (now + LONGEST - _ROOM).astimezone(UTC)
    asked = {
        "changeType": "created,updated,deleted",
        "notificationUrl": callback,
        "lifecycleNotificationUrl": callback,
        "resource": Place.of(calendar).inside("events").lstrip("/"),
        "expirationDateTime": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "clientState": secret,
    }
    made = as_object(graph.call("watch", "POST", "/subscriptions", json=asked))
    return Watch(str(made.get("id") or ""), _moment(made.get("expirationDateTime")), asked["resource"])


def unwatch(graph: Graph, id: str) -> None:
    """End the subscription; one that has ended is fine."""
    try:
        graph.call("unwatch", "DELETE", f"/subscriptions/{quote(id, safe='')}")
    except NotFound:
        return


def hear(call: HookCall) -> Heard:
    """The handshake's token back, or the notifications, each of which carries our secret."""
    token = parse_qs(urlsplit(call.url).query).get("validationToken")
    if token:
        return Heard(body=token[0])
    try:
        told = read_json(call.body)["value"]
        states = [str(one["clientState"] or "") for one in told]
        messages = tuple(HookMessage(_name(one, call.at), _kept(one)) for one in told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput("this is no notification of Graph") from error
    if not call.secret or not all(hmac.compare_digest(one.encode(), call.secret.encode()) for one in states):
        raise PermissionDenied("a notification does not carry our secret")
    return Heard(messages, status=ACCEPTED)


def told(graph: Graph, data: Mapping[str, Any]) -> str:
    """The subscription's id. One that Graph wants to see our rights for again is given them."""
    id = str(data.get("subscriptionId") or "")
    if data.get("lifecycleEvent") == REAUTHORIZE and id:
        try:
            graph.call("reauthorize", "POST", f"/subscriptions/{quote(id, safe='')}/reauthorize", repeatable=True)
        except NotFound:
            return id
    return id


def _kept(notification: Mapping[str, Any]) -> dict[str, Any]:
    """What is needed of it later; our secret is not."""
    names = ("subscriptionId", "changeType", "resource", "lifecycleEvent", "subscriptionExpirationDateTime")
    found = {name: notification[name] for name in names if notification.get(name)}
    if not isinstance(found.get("subscriptionId"), str):
        raise InvalidInput("a notification without its subscription")
    return found


def _name(notification: Mapping[str, Any], at: datetime) -> str:
    """The same for one that is sent again. Lifecycle notifications say nothing that would tell two apart: those of one
    hour are one."""
    if id := notification.get("id"):
        return str(id)
    hour = at.astimezone(UTC).strftime("%Y%m%d%H") if notification.get("lifecycleEvent") else ""
    named = {name: value for name, value in notification.items() if name != "clientState"}
    return hashlib.sha256(f"{hour}{json.dumps(named, sort_keys=True)}".encode()).hexdigest()[:40]


def _moment(text: Any) -> datetime:
    try:
        whole = datetime.fromisoformat(str(text).split(".")[0].rstrip("Z"))
    except ValueError as error:
        raise Permanent("a subscription without an end") from error
    return whole.replace(tzinfo=UTC)
