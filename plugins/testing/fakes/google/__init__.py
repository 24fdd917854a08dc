"""Google Calendar v3 with its sign-in, small and strict: events with ids of the caller, versions, Meet links that take
a while, free-busy, sync tokens, channels. Reasons of refusals are Google's.

    with GoogleFake() as fake:
        fake.calendar("grace@acme.example")
        Google(base_url=fake.url, sign_in_url=fake.url, token_url=fake.url, …)
"""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.google.calendar import Event, GoogleCalendar, masked, merged
from plugins.testing.fakes.google.sign_in import SCOPE, Token, refusal
from plugins.testing.fakes.google.tables import CHANNEL, EVENT, FREE_BUSY, hold, hold_event, hold_query
from plugins.testing.fakes.google.world import GoogleWorld, meeting
from plugins.testing.fakes.server import on

API = "/calendar/v3"
BUSY = ("calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy")
LIST = ("calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly")
OWNED = ("calendar", "calendar.events", "calendar.events.owned")
SHARED = ("calendar", "calendar.events")
LONGEST_BUSY = timedelta(days=92)
CHANNEL_DAYS = 7


class GoogleFake(GoogleWorld):
    """The doors of the API; what people do meanwhile is in `GoogleWorld`."""

    @on("POST", f"{API}/freeBusy")
    def free_busy(self, request: Request) -> Any:
        """Trouble with one calendar is told inside an answer of 200."""
        token = self._allowed(request, BUSY)
        body = self._body(request, FREE_BUSY, "FreeBusyRequest")
        start, end = (_moment(body.get(name), name) for name in ("timeMin", "timeMax"))
        if end <= start:
            raise refusal(400, "timeRangeEmpty", "The specified time range is empty.", location="timeMax")
        if end - start > LONGEST_BUSY:
            raise refusal(400, "timeRangeTooLong", "The requested time range is too long.", location="timeMax")
        asked = [one["id"] for one in body.get("items", [])]
        most = min(body.get("calendarExpansionMax", 50), 50)
        known = {id: token.email if id == "primary" else id.lower() for id in asked}
        found = {known[id]: self._busy(token, id, start, end, asked.index(id) < most) for id in asked}
        times = {"timeMin": body["timeMin"], "timeMax": body["timeMax"]}
        return self._tell("FreeBusyResponse", {"kind": "calendar#freeBusy", **times, "calendars": found})

    @on("GET", f"{API}/users/me/calendarList")
    def calendar_list(self, request: Request) -> Any:
        token = self._allowed(request, LIST)
        hold_query(request.args, "calendarList")
        mine = [
            {
                "kind": "calendar#calendarListEntry", "id": one.id, "summary": one.title, "timeZone": one.zone,
                "accessRole": one.roles[token.email], **({"primary": True} if one.id == token.email else {}),
            }
            for one in self.all.values()
            if token.email in one.roles
        ]  # fmt: skip
        first, last = self._page(request)
        more = {"nextPageToken": _packed({"at": last})} if last < len(mine) else {}
        return self._tell("CalendarList", {"kind": "calendar#calendarList", "items": mine[first:last], **more}, request)

    @on("GET", f"{API}/calendars/<id>/events")
    def listed(self, request: Request, id: str) -> Any:
        """Pages in the order of the last change; the last one tells where to go on from."""
        calendar = self._calendar(request, id, OWNED, ("owner", "writer", "reader"))
        asked = request.args
        hold_query(asked, "list")
        since = self._since(asked)
        named = [calendar.events[name] for name, tick in calendar.changed.items() if tick > since]
        shown = [one for one in named if since or asked.get("showDeleted") == "true" or one["status"] != "cancelled"]
        if asked.get("singleEvents") == "true":
            shown = [instance for one in shown for instance in calendar.instances(one)]
        first, last = self._page(request)
        whole = {"kind": "calendar#events", "summary": calendar.title, "timeZone": calendar.zone, "accessRole": "owner"}
        if last < len(shown):
            more = {"nextPageToken": _packed({"at": last})}
        else:
            newest = max(calendar.changed.values(), default=1)
            more = {"nextSyncToken": _packed({"since": newest, "epoch": self._epoch, "with": _parameters(asked)})}
        return self._tell("Events", {**whole, "items": copy.deepcopy(shown[first:last]), **more}, request)

    @on("POST", f"{API}/calendars/<id>/events")
    def insert(self, request: Request, id: str) -> Any:
        """An id is used once for ever: that of a deleted event too."""
        calendar = self._calendar(request, id, *self._to_write(request, id))
        hold_query(request.args, "insert")
        body = self._body(request, EVENT, "Event")
        if "id" in body and "iCalUID" in body:
            raise refusal(400, "invalid", "Only one of id and iCalUID may be given.", location="iCalUID")
        body.setdefault("id", uuid4().hex)
        hold_event(body)
        if body["id"] in calendar.events:
            raise refusal(409, "duplicate", "The requested identifier already exists.")
        self._hold_guests(request, body)
        self._mail(request, calendar, body, "invited")
        return self._event(request, calendar.new(self._with_meeting(request, body)))

    @on("GET", f"{API}/calendars/<id>/events/<event>")
    def get(self, request: Request, id: str, event: str) -> Any:
        """Also one that was deleted."""
        calendar = self._calendar(request, id, OWNED, ("owner", "writer", "reader"))
        hold_query(request.args, "other")
        known = self._known(calendar, event)
        self.reads[event] = self.reads.get(event, 0) + 1
        if self.reads[event] >= self.meet_reads:
            self.finish_meeting(calendar, known)
        return self._event(request, self._known(calendar, event))

    @on("PATCH", f"{API}/calendars/<id>/events/<event>")
    def patch(self, request: Request, id: str, event: str) -> Any:
        calendar = self._calendar(request, id, *self._to_write(request, id))
        hold_query(request.args, "patch")
        body = self._body(request, EVENT, "Event", patch=True)
        known = self._known(calendar, event)
        _hold_version(request, known)
        whole = merged(known, self._with_meeting(request, body))
        hold_event(whole)
        self._hold_guests(request, whole)
        self._mail(request, calendar, whole, "told")
        return self._event(request, calendar.keep({**whole, "sequence": known["sequence"] + 1}))

    @on("DELETE", f"{API}/calendars/<id>/events/<event>")
    def delete(self, request: Request, id: str, event: str) -> Any:
        calendar = self._calendar(request, id, *self._to_write(request, id))
        hold_query(request.args, "delete")
        known = self._known(calendar, event)
        if known["status"] == "cancelled":
            raise refusal(410, "deleted", "Resource has been deleted")
        _hold_version(request, known)
        self._mail(request, calendar, known, "cancelled")
        calendar.keep({**known, "status": "cancelled"})

    @on("POST", f"{API}/calendars/<id>/events/watch")
    def watch(self, request: Request, id: str) -> Any:
        self._calendar(request, id, OWNED, ("owner", "writer", "reader"))
        hold_query(request.args, "list")
        body = self._body(request, CHANNEL, "Channel")
        if body.get("type") not in ("web_hook", "webhook") or not str(body.get("address", "")).startswith("https://"):
            raise refusal(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {body.get('address')}")
        if not body.get("id") or len(body["id"]) > 64 or len(body.get("token", "")) > 256:
            raise refusal(400, "invalid", "Invalid channel.", location="id")
        if body["id"] in self.channels:
            raise refusal(400, "channelIdNotUnique", f"Channel id {body['id']} not unique")
        ends = str(int((time.time() + CHANNEL_DAYS * 86400) * 1000))
        place = {"resourceId": f"res{uuid4().hex}", "resourceUri": f"{self.url}{API}/calendars/{id}/events"}
        self.channels[body["id"]] = {**body, **place, "by": self.who(request).email}
        return self._tell("Channel", {"kind": "api#channel", "id": body["id"], "expiration": ends, **place})

    @on("POST", f"{API}/channels/stop")
    def stop(self, request: Request) -> Any:
        body, token = self._body(request, CHANNEL, "Channel"), self._allowed(request, (*OWNED, *BUSY, *LIST))
        known = self.channels.get(body.get("id", ""))
        if known is None or (known["resourceId"], known["by"]) != (body.get("resourceId"), token.email):
            raise refusal(404, "notFound", f"Channel '{body.get('id')}' not found for project")
        del self.channels[body["id"]]

    def unknown(self, request: Request) -> Response:
        return Response("<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", status=404, content_type="text/html")

    def _allowed(self, request: Request, scopes: Iterable[str]) -> Token:
        token = self.who(request)
        if not token.scopes & {f"{SCOPE}{name}" for name in scopes}:
            raise refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        return token

    def _to_write(self, request: Request, id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The scopes and roles that writing needs: owned calendars can do with less."""
        role = self.all[id].roles.get(self.who(request).email) if id in self.all else None
        return (OWNED if role == "owner" else SHARED), ("owner", "writer")

    def _calendar(
        self, request: Request, id: str, scopes: tuple[str, ...], roles: tuple[str, ...]
    ) -> GoogleCalendar:  # fmt: skip
        token = self._allowed(request, scopes)
        found = self.all.get(token.email if id == "primary" else id)
        role = found.roles.get(token.email) if found else None
        if found is None or role is None:
            raise refusal(404, "notFound", "Not Found")
        if role not in roles:
            raise refusal(
                403, "requiredAccessLevel", "You need to have writer access to this calendar.", domain="calendar"
            )
        return found

    def _busy(self, token: Token, id: str, start: datetime, end: datetime, counted: bool) -> dict[str, Any]:
        found = self.all.get(token.email if id == "primary" else id.lower())
        if not counted or found is None or token.email not in found.roles:
            reason = "notFound" if counted else "tooManyCalendarsRequested"
            return {"errors": [{"domain": "global", "reason": reason}], "busy": []}
        return {"busy": found.busy(start, end)}

    def _body(self, request: Request, table: Any, schema: str, *, patch: bool = False) -> Any:
        try:
            body = json.loads(request.get_data())
        except ValueError:
            raise refusal(400, "parseError", "Parse Error") from None
        self.told.append((f"{schema}{' patch' if patch else ''}", copy.deepcopy(body)))
        hold(body, table, patch=patch)
        return body

    def _tell(self, schema: str, answer: Any, request: Request | None = None) -> Any:
        self.told.append((schema, copy.deepcopy(answer)))
        return masked(answer, request.args.get("fields", "")) if request else answer

    def _event(self, request: Request, event: Event) -> Any:
        return self._tell("Event", copy.deepcopy(event), request)

    def _known(self, calendar: GoogleCalendar, id: str) -> Event:
        if id not in calendar.events:
            raise refusal(404, "notFound", "Not Found")
        return calendar.events[id]

    def _since(self, asked: Any) -> int:
        if "syncToken" not in asked:
            return 0
        for name in ("timeMin", "timeMax", "q", "orderBy", "iCalUID", "updatedMin", "privateExtendedProperty"):
            if name in asked:
                raise refusal(400, "invalid", "Sync token cannot be used with this parameter.", location=name)
        if asked.get("showDeleted") == "false":
            raise refusal(400, "invalid", "Sync token requires showDeleted.", location="showDeleted")
        token = _unpacked(asked["syncToken"], "syncToken")
        if token.get("epoch") != self._epoch:
            raise refusal(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
        if token["with"] != _parameters(asked):  # "should be the same … to avoid undefined behavior"
            raise refusal(400, "invalid", "Sync token was given for other parameters.", location="syncToken")
        return int(token["since"])

    def _page(self, request: Request) -> tuple[int, int]:
        token = request.args.get("pageToken")
        first = int(_unpacked(token, "pageToken")["at"]) if token else 0
        return first, first + min(int(request.args.get("maxResults", 250)), self.page)

    def _hold_guests(self, request: Request, event: Event) -> None:
        if event.get("attendees") and self.who(request).as_service:
            said = "Service accounts cannot invite attendees without Domain-Wide Delegation of Authority."
            raise refusal(403, "forbiddenForServiceAccounts", said, domain="calendar")

    def _mail(self, request: Request, calendar: GoogleCalendar, event: Event, what: str) -> None:
        if request.args.get("sendUpdates") == "all":
            guests = [one["email"] for one in event.get("attendees", []) if one["email"] != calendar.owner]
            self.mails += [(email, what) for email in guests]

    def _with_meeting(self, request: Request, body: Event) -> Event:
        """Conference data counts only for callers who say that they know it."""
        wanted = body.get("conferenceData", {}).get("createRequest")
        body = {name: value for name, value in body.items() if name != "conferenceData"}
        if not wanted or request.args.get("conferenceDataVersion") != "1":
            return body
        if not self.meet or wanted.get("conferenceSolutionKey", {}).get("type") != "hangoutsMeet":
            raise refusal(400, "invalid", "Invalid conference type value.")
        return {**body, **meeting(wanted, self.meet)}


def _parameters(asked: Any) -> dict[str, str]:
    return {name: value for name, value in asked.items() if name not in ("syncToken", "pageToken")}


def _hold_version(request: Request, event: Event) -> None:
    if request.headers.get("If-Match", "*") not in ("*", event["etag"]):
        raise refusal(412, "conditionNotMet", "Precondition Failed", location="If-Match")


def _moment(said: Any, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        raise refusal(400, "invalid", "Invalid value", location=name) from None
    if found.tzinfo is None:
        raise refusal(400, "badRequest", "Bad Request")
    return found.astimezone(UTC)


def _packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _unpacked(token: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise refusal(400, "invalid", f"Invalid {name} value.", location=name) from None
    return found if isinstance(found, dict) else {}
