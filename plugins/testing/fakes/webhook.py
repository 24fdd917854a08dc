"""A made-up program that takes our signed messages: verifies each, does it once, answers with the record's id."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request

from plugins.errors import PermissionDenied
from plugins.hooks import HookCall
from plugins.signing import signed, verified
from plugins.testing.fakes.server import Fake, Refusal, on

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the specification's own example
PERSON = {
    "email", "name", "first_name", "last_name", "phone", "title", "company", "company_ref", "country", "locale",
    "status", "source", "owner_email", "opted_out", "fields",
}  # fmt: skip
COMPANY = {
    "domain", "name", "industry", "employees", "country", "phone", "is_customer", "is_target", "owner_email",
    "csm_email", "fields",
}  # fmt: skip
ACTIVITY = {"kind", "at", "subject", "body", "url"}
MEETING = {
    "uid", "start", "end", "zone", "title", "status", "description", "location", "url", "owner_email", "guests",
}  # fmt: skip
PARTS = {
    "person.upsert": {"person": PERSON}, "company.upsert": {"company": COMPANY},
    "activity.log": {"person": {"id"}, "activity": ACTIVITY}, "meeting.log": {"person": {"id"}, "meeting": MEETING},
    "person.convert": {"person": {"id"}, "company": {"id"}, "opportunity": set()}, "person.erase": {"person": {"id"}},
    "ping": {},
}  # fmt: skip
"""What each type of message may hold."""


class WebhookFake(Fake):
    """`secrets` are those it believes; `names_ids` False: it answers with nothing. `messages` are the new ones. `now`:
    its clock, by which it judges how old a message is."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """As new."""
        self.secrets = [SECRET]
        self.names_ids = True
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.messages: list[dict[str, Any]] = []
        self.people: dict[str, dict[str, Any]] = {}
        self.companies: dict[str, dict[str, Any]] = {}
        self.activities: dict[str, dict[str, Any]] = {}
        self.meetings: dict[str, dict[str, Any]] = {}
        self.opportunities: dict[str, dict[str, Any]] = {}
        self._done: dict[str, dict[str, Any]] = {}
        self.asked.clear()
        self.faults.clear()

    def told_by(
        self, url: str, at: datetime, message: Mapping[str, Any], *, id: str = "msg_1", secret: str = SECRET
    ) -> HookCall:
        """The POST with which it tells us of a change."""
        body = json.dumps(message).encode()
        headers = {"Content-Type": "application/json", **signed([secret], id, at, body)}
        return HookCall("POST", url, headers, body, at)

    @on("POST", "/usher")
    def take(self, request: Request) -> Any:
        """One message."""
        body = request.get_data()
        try:
            id = verified(dict(request.headers), body, self.secrets, self.now())
        except PermissionDenied as error:
            raise Refusal(401, {"error": {"code": "unauthorized", "message": error.message}}) from None
        message = json.loads(body)
        _hold_to_shape(message, id)
        if id not in self._done:
            self._done[id] = self._do(message["type"], message["data"], id)
            self.messages.append(message)
        answer = self._done[id] if message["type"] != "ping" else {}
        return (200, answer) if self.names_ids else None

    def _do(self, type: str, data: Mapping[str, Any], id: str) -> dict[str, Any]:
        if type == "person.upsert":
            return _laid_over(self.people, "p", data["person"]["email"], data["person"])
        if type == "company.upsert":
            return _laid_over(self.companies, "c", data["company"]["domain"], data["company"])
        if type == "ping":
            return {}
        person = str(data["person"]["id"])
        known = {one["id"] for one in self.people.values()}
        if self.names_ids and person not in known:
            raise Refusal(404, {"error": {"code": "not_found", "message": "no such person"}})
        if type == "person.erase":
            self._erase(person)
            return {}
        if type == "activity.log":
            return _laid_over(self.activities, "a", id, {**data["activity"], "person": person})
        if type == "meeting.log":
            return _laid_over(self.meetings, "m", data["meeting"]["uid"], {**data["meeting"], "person": person})
        deal = _laid_over(self.opportunities, "o", f"{person} {data['opportunity']}", {"name": data["opportunity"]})
        return {"opportunity": deal}

    def _erase(self, person: str) -> None:
        self.people = {email: one for email, one in self.people.items() if one["id"] != person}
        for kept in (self.activities, self.meetings):
            for name in [name for name, one in kept.items() if one["person"] == person]:
                del kept[name]


def _laid_over(kept: dict[str, dict[str, Any]], prefix: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    new = name not in kept
    before = kept.get(name, {"id": f"{prefix}{len(kept) + 1}"})
    further = {"fields": {**before.get("fields", {}), **values["fields"]}} if "fields" in values else {}
    kept[name] = {**before, **values, **further}
    id = kept[name]["id"]
    return {"id": id, "url": f"https://crm.example/{id}", "created": new}


def _hold_to_shape(message: Any, id: str) -> None:
    wanted = PARTS.get(message.get("type"))
    if wanted is None or set(message) != {"id", "type", "timestamp", "data"} or message["id"] != id:
        raise Refusal(400, {"error": {"code": "invalid", "message": f"not a message: {message}"}})
    datetime.fromisoformat(message["timestamp"])
    if set(message["data"]) != set(wanted):
        raise Refusal(422, {"error": {"code": "invalid", "message": f"wanted {sorted(wanted)}"}})
    for part, names in wanted.items():
        if isinstance(message["data"][part], dict) and not set(message["data"][part]) <= names:
            raise Refusal(422, {"error": {"code": "invalid", "field": part, "message": f"unknown in {part}"}})
