"""Microsoft Graph's calendars, as much of them as Usher calls."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.graph import tables
from plugins.testing.fakes.graph.events import Event, Store
from plugins.testing.fakes.graph.schedules import schedules
from plugins.testing.fakes.graph.tables import hold_to, refusal
from plugins.testing.fakes.graph.watching import Watching
from plugins.testing.fakes.server import on

V = "/v1.0"
_OWNERS = (f"{V}/me", f"{V}/users/<mailbox>")
_FILTER = re.compile(
    r"singleValueExtendedProperties/Any\(ep: ep/id eq '((?:[^']|'')*)' and ep/value eq '((?:[^']|'')*)'\)"
)
_EXPAND = re.compile(r"singleValueExtendedProperties\(\$filter=(.*)\)")


def both(method: str, path: str) -> Any:
    """Answers for the signed-in person and for a mailbox by its address."""

    def mark(handler: Any) -> Any:
        for owner in _OWNERS:
            handler = on(method, owner + path)(handler)
        return handler

    return mark


@dataclass
class Mailbox:
    """One person's. `zone` is a Windows name; `hidden`: others see no single events of it, only the coarse view."""

    address: str
    zone: str = "W. Europe Standard Time"
    hidden: bool = False
    calendars: dict[str, dict[str, Any]] = field(default_factory=dict)


class GraphFake(Watching):
    """Mailboxes with calendars and events. `store` holds the events, `mails` the invitations that Exchange sent itself.

    `out_of_reach`: mailboxes that the application may not use. `teams`: "now", "later" (until `make_links`) or "".
    `remembers_transactions` False: transaction ids are forgotten at once, as they are there after a while.
    `keeps_deleted`: a deleted event can be read by its id, as in the folder of deleted items.
    """

    scopes = "Calendars.ReadWrite"

    def __init__(self) -> None:
        super().__init__()
        self.page = 50
        self.reset()

    def reset(self) -> None:
        """As new, with the mailbox of Grace."""
        self.faults.clear()
        self.asked.clear()
        self.mailboxes: dict[str, Mailbox] = {}
        self.out_of_reach: set[str] = set()
        self.mails: list[tuple[str, str, str]] = []
        self.teams = "now"
        self.remembers_transactions, self.keeps_deleted, self.rotates = True, False, True
        self.store = Store()
        self.forget_subscriptions()
        self.add_mailbox("grace@acme.example")

    @property
    def base(self) -> str:
        return f"{self.url}{V}"

    def add_mailbox(self, address: str, **about: Any) -> Mailbox:
        self.mailboxes[address] = Mailbox(address, **about)
        self.add_calendar(address, "Calendar", default=True)
        return self.mailboxes[address]

    def add_calendar(self, address: str, name: str, *, default: bool = False, writable: bool = True) -> str:
        """The new calendar's id."""
        box = self.mailboxes[address]
        id = f"AAMk-cal/{len(self.store.events)}-{len(box.calendars)}-{address.partition('@')[0]}="
        box.calendars[id] = {"id": id, "name": name, "isDefaultCalendar": default, "canEdit": writable}
        return id

    def default_of(self, address: str) -> str:
        return next(id for id, one in self.mailboxes[address].calendars.items() if one["isDefaultCalendar"])

    def put(self, address: str, start: str, end: str, *, calendar: str = "", **said: Any) -> Event:
        """An event that somebody else made; times in UTC, "2026-03-02T12:00:00"."""
        with self.turn:
            times = {
                name: {"dateTime": f"{at}.0000000", "timeZone": "UTC"} for name, at in (("start", start), ("end", end))
            }
            event = self.store.add(
                address, calendar or self.default_of(address), {"subject": "Dentist", **times, **said}
            )
            self.changed(event, "created")
            return event

    def change(self, id: str, **said: Any) -> Event:
        """Somebody changes an event at the service."""
        with self.turn:
            event = self.store.edit(self.store.events[id], said)
            self.changed(event, "updated")
            return event

    def remove(self, id: str) -> None:
        """Somebody deletes an event at the service."""
        with self.turn:
            self.changed(self.store.events[id], "deleted")
            self.store.delete(id)

    def make_links(self) -> None:
        """Teams comes to making the links."""
        with self.turn:
            for event in self.store.events.values():
                self.store.make_online(event, "now")

    def check(self, request: Request) -> None:
        if request.path.startswith(f"{V}/") and self.bearer(request) is None:
            raise refusal(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")

    def unknown(self, request: Request) -> Any:
        told = refusal(400, "BadRequest", f"Resource not found for the segment {request.path!r}.").body
        return Response(json.dumps(told), 400, content_type="application/json")

    @both("GET", "/calendars")
    def calendars(self, request: Request, mailbox: str = "") -> Any:
        box = self._mailbox(request, mailbox)
        return {"value": [{**one, "owner": {"address": box.address}} for one in box.calendars.values()]}

    @both("GET", "/calendar")
    def calendar(self, request: Request, mailbox: str = "") -> Any:
        box = self._mailbox(request, mailbox)
        return {**box.calendars[self.default_of(box.address)], "owner": {"name": "", "address": box.address}}

    @both("POST", "/calendar/getSchedule")
    def get_schedule(self, request: Request, mailbox: str = "") -> Any:
        self._mailbox(request, mailbox)
        asked = hold_to(tables.SCHEDULE, request.get_json(), tables.NEEDED["schedule"])
        if len(asked["schedules"]) > 20:
            raise refusal(400, "ErrorInvalidParameter", "Too many schedules.")
        return {"value": schedules(self.mailboxes, self.store, self.default_of, asked)}

    @both("GET", "/calendarView")
    @both("GET", "/calendars/<path:calendar>/calendarView")
    def view(self, request: Request, mailbox: str = "", calendar: str = "") -> Any:
        box, calendar = self._calendar(request, mailbox, calendar)
        start, end = (_instant(request, name) for name in ("startDateTime", "endDateTime"))
        found = [one for one in self.store.of(box.address, calendar) if one.start < end and one.end > start]
        top, skip = int(request.args.get("$top", "10")), int(request.args.get("$skip", "0"))
        page: dict[str, Any] = {
            "value": [one.shown(request.args.get("$select", "")) for one in found[skip : skip + top]]
        }
        if len(found) > skip + top:
            rest = {**request.args, "$skip": str(skip + top)}
            page["@odata.nextLink"] = _link(self.url, request.path, rest)
        return page

    @both("GET", "/calendarView/delta")
    @both("GET", "/calendars/<path:calendar>/calendarView/delta")
    def delta(self, request: Request, mailbox: str = "", calendar: str = "") -> Any:
        box, calendar = self._calendar(request, mailbox, calendar)
        if extra := set(request.args) - {"startDateTime", "endDateTime", "$deltatoken", "$skiptoken"}:
            raise refusal(400, "ErrorInvalidUrlQuery", f"The following parameters are not supported: {sorted(extra)}")
        wished = re.search(r"odata\.maxpagesize=(\d+)", request.headers.get("Prefer", ""))
        size = min(int(wished[1]) if wished else self.page, self.page)
        token = request.args.get("$skiptoken") or request.args.get("$deltatoken") or ""
        if not token:
            window = (request.args["startDateTime"], request.args["endDateTime"])
            token = self.store.token("0", str(self.store.clock), *window)
        known = self.store.known(token)
        if known is None:
            raise refusal(410, "syncStateNotFound", "The sync state generation is not found.")
        after, until, start, end = known
        if "$deltatoken" in request.args:
            until = str(self.store.clock)
        items, more = self.store.since(box.address, calendar, int(after), int(until), size, (start, end))
        name, place = ("nextLink", "$skiptoken") if more else ("deltaLink", "$deltatoken")
        reached = self.store.token(str(more or until), until, start, end)
        return {"value": items, f"@odata.{name}": _link(self.url, request.path, {place: reached})}

    @both("GET", "/events")
    @both("GET", "/calendars/<path:calendar>/events")
    def events(self, request: Request, mailbox: str = "", calendar: str = "") -> Any:
        box, calendar = self._calendar(request, mailbox, calendar)
        found = _FILTER.fullmatch(request.args.get("$filter", ""))
        if not found:
            raise refusal(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
        id, value = (part.replace("''", "'") for part in found.groups())
        there = [one for one in self.store.of(box.address, calendar) if one.properties.get(id) == value]
        return {"value": [one.shown() for one in there]}

    @both("POST", "/events")
    @both("POST", "/calendars/<path:calendar>/events")
    def create(self, request: Request, mailbox: str = "", calendar: str = "") -> Any:
        box, calendar = self._calendar(request, mailbox, calendar, write=True)
        said = hold_to(tables.CREATED, request.get_json(), tables.NEEDED["event"])
        there = self.store.by_transaction(box.address, said.get("transactionId", ""))
        if there and self.remembers_transactions:
            return 201, there.shown()
        event = self.store.add(box.address, calendar, said)
        self.store.make_online(event, self.teams)
        self._mail("invited", event)
        self.changed(event, "created")
        return 201, event.shown()

    @both("GET", "/events/<path:id>")
    def event(self, request: Request, id: str, mailbox: str = "") -> Any:
        event = self._event(request, mailbox, id)
        shown = event.shown(request.args.get("$select", ""))
        if expand := request.args.get("$expand"):
            if not (wanted := _EXPAND.fullmatch(expand)):
                raise refusal(400, "ErrorInvalidUrlQueryFilter", "The expand clause is invalid.")
            ids = re.findall(r"id eq '([^']*)'", wanted[1])
            properties = [{"id": name, "value": value} for name, value in event.properties.items() if name in ids]
            shown["singleValueExtendedProperties"] = properties
        return shown

    @both("PATCH", "/events/<path:id>")
    def patch(self, request: Request, id: str, mailbox: str = "") -> Any:
        event = self._event(request, mailbox, id)
        said = hold_to(tables.EVENT, request.get_json())
        if request.headers.get("If-Match") not in (None, "*", event.etag):
            raise refusal(412, "ErrorIrresolvableConflict", "The change key passed does not match the current one.")
        event = self.store.edit(event, said)
        self.store.make_online(event, self.teams)
        self._mail("updated", event)
        self.changed(event, "updated")
        return event.shown()

    @both("DELETE", "/events/<path:id>")
    def delete(self, request: Request, id: str, mailbox: str = "") -> None:
        self.remove(self._event(request, mailbox, id).id)

    @both("POST", "/events/<path:id>/cancel")
    def cancel(self, request: Request, id: str, mailbox: str = "") -> Any:
        event = self._event(request, mailbox, id)
        said = hold_to({"comment": tables.text}, request.get_json())
        if not event.data.get("attendees"):
            raise refusal(400, "ErrorInvalidRequest", "Your request can't be completed. It is no meeting.")
        self._mail("cancelled", event, said.get("comment", ""))
        self.remove(event.id)
        return 202, None

    def _mailbox(self, request: Request, address: str) -> Mailbox:
        signed_in = self.bearer(request)
        if not address and not signed_in:
            raise refusal(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        address = (address or signed_in or "").casefold()
        if (signed_in and address != signed_in) or (not signed_in and address in self.out_of_reach):
            raise refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        if address not in self.mailboxes:
            raise refusal(404, "ErrorInvalidUser", f"The requested user '{address}' is invalid.")
        return self.mailboxes[address]

    def _calendar(self, request: Request, address: str, calendar: str, *, write: bool = False) -> tuple[Mailbox, str]:
        box = self._mailbox(request, address)
        calendar = calendar or self.default_of(box.address)
        if calendar not in box.calendars:
            raise refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        if write and not box.calendars[calendar]["canEdit"]:
            raise refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        return box, calendar

    def _event(self, request: Request, address: str, id: str) -> Event:
        box = self._mailbox(request, address)
        if not id.startswith("AAk"):
            raise refusal(400, "ErrorInvalidIdMalformed", "Id is malformed.")
        event = self.store.events.get(id) or (self.store.gone.get(id) if self.keeps_deleted else None)
        if event is None or event.mailbox != box.address:
            raise refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return event

    def _mail(self, what: str, event: Event, text: str = "") -> None:
        for one in event.data.get("attendees") or []:
            self.mails.append((what, one["emailAddress"]["address"], text))


def _instant(request: Request, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(request.args[name].replace("Z", "+00:00"))
    except (KeyError, ValueError):
        raise refusal(400, "ErrorInvalidParameter", f"{name} must be specified.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _link(url: str, path: str, args: Any) -> str:
    return f"{url}{quote(path, safe='/=@')}?" + "&".join(f"{name}={quote(value)}" for name, value in args.items())
