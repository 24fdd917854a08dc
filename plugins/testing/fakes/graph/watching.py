"""Subscriptions of the fake of Microsoft Graph: the handshake, notifications, their lifecycle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests
from werkzeug.wrappers import Request

from plugins.testing.fakes.entra import Entra
from plugins.testing.fakes.graph import tables
from plugins.testing.fakes.graph.events import Event
from plugins.testing.fakes.graph.tables import hold_to, refusal
from plugins.testing.fakes.server import on

LONGEST = timedelta(minutes=10_080)
SECONDS = 10
_TOKEN = "Validation: Testing client application reachability for subscription Request-Id: <1>"  # noqa: S105 - no secret


class Watching(Entra):
    """`tell()` sends what has happened since; addresses that are not on loopback are taken to answer the handshake."""

    def forget_subscriptions(self) -> None:
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.untold: list[dict[str, Any]] = []
        self.reauthorized: list[str] = []

    def changed(self, event: Event, how: str) -> None:
        """Notes what the subscribers are to hear of an event."""
        for id, one in self.subscriptions.items():
            if how in one["changeType"].split(",") and self._concerns(one, event):
                resource = f"Users/{event.mailbox}/Events/{event.id}"
                data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.etag": event.etag, "id": event.id}
                about = {"changeType": how, "resource": resource, "resourceData": data}
                self.untold.append(self._notification(id, about))

    def lifecycle(self, id: str, event: str) -> None:
        """Notes a lifecycle notification: reauthorizationRequired, subscriptionRemoved or missed."""
        self.untold.append(self._notification(id, {"lifecycleEvent": event}))
        if event == "subscriptionRemoved":
            self.subscriptions.pop(id)

    def tell(self) -> list[int]:
        """Sends what is untold, in one call for each subscription; the statuses of the answers."""
        untold, self.untold = self.untold, []
        calls: dict[str, list[dict[str, Any]]] = {}
        for one in untold:
            calls.setdefault(self._urls[one["subscriptionId"]], []).append(one)
        return [requests.post(url, json={"value": mine}, timeout=SECONDS).status_code for url, mine in calls.items()]

    @on("POST", "/v1.0/subscriptions")
    def subscribe(self, request: Request) -> Any:
        said = hold_to(tables.SUBSCRIPTION, request.get_json(), tables.NEEDED["subscription"])
        self._hold_to_end(said["expirationDateTime"])
        for name in ("notificationUrl", "lifecycleNotificationUrl"):
            if name in said:
                self._shake(said[name])
        id = f"sub-{len(self._urls) + 1}"
        self._urls[id] = said["notificationUrl"]
        self.subscriptions[id] = {**said, "owner": self.bearer(request)}
        return 201, {"id": id, **said}

    @on("PATCH", "/v1.0/subscriptions/<id>")
    def renew(self, request: Request, id: str) -> Any:
        said = hold_to({"expirationDateTime": tables.text}, request.get_json())
        self._hold_to_end(said["expirationDateTime"])
        return self._known(id) | said

    @on("POST", "/v1.0/subscriptions/<id>/reauthorize")
    def reauthorize(self, request: Request, id: str) -> None:
        self._known(id)
        self.reauthorized.append(id)

    @on("DELETE", "/v1.0/subscriptions/<id>")
    def unsubscribe(self, request: Request, id: str) -> None:
        self._known(id)
        del self.subscriptions[id]

    def _known(self, id: str) -> dict[str, Any]:
        if id not in self.subscriptions:
            raise refusal(404, "ResourceNotFound", "The object was not found.")
        return self.subscriptions[id]

    def _hold_to_end(self, text: str) -> None:
        ends = datetime.fromisoformat(text.replace("Z", "+00:00"))
        if ends > self.now() + LONGEST:
            raise refusal(400, "InvalidRequest", "Subscription expiration can only be 10080 minutes in the future.")

    def now(self) -> datetime:
        return datetime.now(UTC)

    def _shake(self, url: str) -> None:
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
            return
        answer = requests.post(f"{url}?validationToken={quote(_TOKEN)}", timeout=SECONDS)
        plain = answer.headers.get("content-type", "").startswith("text/plain")
        if answer.status_code != 200 or not plain or answer.text != _TOKEN:
            raise refusal(400, "ValidationError", "Subscription validation request failed.")

    def _concerns(self, subscription: dict[str, Any], event: Event) -> bool:
        parts = unquote(subscription["resource"]).strip("/").split("/")
        mailbox, rest = (subscription["owner"], parts[1:]) if parts[0] == "me" else (parts[1], parts[2:])
        calendar = "/".join(rest[1:-1]) if rest[0] == "calendars" else self.default_of(mailbox)
        return (event.mailbox, event.calendar) == (mailbox, calendar)

    def default_of(self, address: str) -> str:
        """The id of a mailbox's default calendar."""
        raise NotImplementedError

    def _notification(self, id: str, about: dict[str, Any]) -> dict[str, Any]:
        one = self.subscriptions[id]
        return {
            "subscriptionId": id,
            "subscriptionExpirationDateTime": one["expirationDateTime"],
            "clientState": one.get("clientState"),
            "tenantId": "00000000-0000-0000-0000-000000000001",
            **about,
        }

    @property
    def _urls(self) -> dict[str, str]:
        return self.__dict__.setdefault("_notified", {})
