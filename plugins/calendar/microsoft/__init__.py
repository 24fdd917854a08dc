"""Calendars of Microsoft 365 (Outlook, Exchange Online) by Microsoft Graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.adapter import CheckResult, Rate
from plugins.calendar import Busy, Calendar, CalendarInfo, Capability, Changes, Draft, EventRef, Watch, Window
from plugins.calendar.microsoft import events
from plugins.calendar.microsoft import watch as watching
from plugins.calendar.microsoft.changes import changes_of
from plugins.calendar.microsoft.events import Stored
from plugins.calendar.microsoft.graph import PRIMARY, Graph, Place
from plugins.calendar.microsoft.times import MAILBOXES, Times
from plugins.calendar.times import hold_to_times
from plugins.config import Config
from plugins.errors import ConfigError, Conflict, Duplicate, NotFound, Transient
from plugins.fields import Field, Type
from plugins.hooks import Heard, HookCall
from plugins.microsoft import APP_FIELDS, LOGIN_FIELD, SignIn
from plugins.oauth import Authorized, OAuth
from plugins.odata import as_object, items_of
from plugins.tokens import Granted

SCOPE = "Calendars.ReadWrite"
PERSON, APPLICATION = "person", "application"


class Microsoft365(Calendar):
    """A calendar's id is a mailbox's address (its default calendar), an id among the calendars of the signed-in person,
    "primary", or "address/id". An event's id is Graph's immutable one."""

    name = "microsoft"
    title = "Microsoft 365"
    about = "Reads busy times from and writes meetings to Outlook calendars, with Teams links."
    capabilities = frozenset(Capability)
    rate = Rate(900, 60.0)
    at_once: ClassVar[int] = MAILBOXES
    fields = (
        Field(
            "sign_in",
            "Who signs in",
            choices=(PERSON, APPLICATION),
            default=PERSON,
            choice_titles=("A person, with their own account", "The application, for all mailboxes"),
            help="For all mailboxes that the application may reach an administrator consents once.",
        ),
        Field(
            "tenant",
            "Directory (tenant) ID",
            help="Or its domain. Required for an application, and when the registration is for this directory only. "
            '"common" lets personal accounts sign in, too; empty: accounts of any directory.',
        ),
        *APP_FIELDS,
        Field(
            "mailbox",
            "Mailbox to try it with",
            Type.EMAIL,
            help="For an application: whose calendar is looked at by the check.",
        ),
        Field("time_zone", "Zone of all-day events where they name none", default="UTC"),
        Field("elsewhere_blocks", '"Working elsewhere" counts as busy', Type.BOOLEAN, default=False),
        Field(
            "guests",
            "Write guests into events",
            Type.BOOLEAN,
            default=False,
            help="Microsoft then sends them invitations of its own, beside Usher's.",
        ),
        Field("base_url", "Address of Graph", Type.URL, default="https://graph.microsoft.com/v1.0"),
        LOGIN_FIELD,
    )

    @classmethod
    def oauth(cls, config: Config) -> OAuth | None:
        if config.text("sign_in") == APPLICATION:
            return None
        return SignIn.of(config, "organizations").oauth((_scope(config, SCOPE),))

    def check(self) -> CheckResult:
        self._zone()
        return self._checked_person() if self._is_person else self._checked_application()

    def calendars(self) -> list[CalendarInfo]:
        mailbox = "" if self._is_person else self.config.text("mailbox")
        if not (self._is_person or mailbox):
            return []
        params = {"$select": "id,name,isDefaultCalendar,canEdit,owner", "$top": "100"}
        found = self._graph.pages("calendars", Place(mailbox, "").default("calendars"), params=params)
        return [
            CalendarInfo(
                f"{mailbox}/{one['id']}" if mailbox else str(one["id"]),
                str(one.get("name") or ""),
                bool(one.get("isDefaultCalendar")),
                bool(one.get("canEdit", True)),
            )
            for one in found
        ]

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        elsewhere = bool(self.config["elsewhere_blocks"])
        return Times(self._graph, person=self._is_person, zone=self._zone(), elsewhere=elsewhere).of(calendars, window)

    def create(self, calendar: str, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)
        place = Place.of(calendar)
        if there := self._made_by(place, key):
            return there.ref(calendar)
        event = events.new(draft, key=key, guests=self.config["guests"])
        try:
            made = self._graph.call("create", "POST", place.inside("events"), json=event)
        except Duplicate as taken:
            there = self._made_by(place, key) or (self._existing(place, taken.existing) if taken.existing else None)
            if there is None:
                raise
            return there.ref(calendar)
        return Stored(as_object(made)).ref(calendar)

    def update(self, ref: EventRef, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)
        place = Place.of(ref.calendar)
        found = self._stored("update", place, ref.id)
        if found.carries(key):
            return found.ref(ref.calendar)
        if ref.version and ref.version != found.version and found.is_not_what_was(ref.version):
            raise Conflict(f"the event is at version {found.version}, not {ref.version}")
        change = events.edited(found, draft, key=key, guests=self.config["guests"], seen=ref.version)
        headers = {"If-Match": found.version} if found.version else {}
        try:
            reply = self._graph.call("update", "PATCH", place.event(ref.id), json=change, headers=headers)
        except Conflict as conflict:
            if ref.version == found.version:
                raise
            raise Transient(conflict.message, http_status=conflict.http_status) from conflict
        return Stored(as_object(reply)).ref(ref.calendar)

    def cancel(self, ref: EventRef, *, key: str, reason: str = "") -> None:
        path = Place.of(ref.calendar).event(ref.id)
        try:
            there = self._graph.get("cancel", path, params={"$select": "id,isOrganizer,isCancelled,attendees"})
            if there.get("isCancelled"):
                return
            if there.get("attendees") and there.get("isOrganizer"):
                self._graph.call("cancel", "POST", f"{path}/cancel", json={"comment": reason})
            else:
                self._graph.call("cancel", "DELETE", path)
        except NotFound:
            return

    def video(self, ref: EventRef) -> EventRef:
        found = self._stored("video", Place.of(ref.calendar), ref.id)
        now = found.ref(ref.calendar)
        if now.video_url:
            return now
        if found.data.get("isOnlineMeeting"):
            raise Transient("Teams has not made the link yet")
        raise NotFound("this event has no Teams meeting", user_message="The calendar's account has no Teams meetings.")

    def changes(self, calendar: str, cursor: str = "") -> Changes:
        return changes_of(self._graph, calendar, cursor, self.http.now(), self._zone())

    def watch(self, calendar: str, callback: str, secret: str) -> Watch:
        return watching.watch(self._graph, calendar, callback, secret, self.http.now())

    def unwatch(self, watch: Watch) -> None:
        watching.unwatch(self._graph, watch.id)

    def hear(self, call: HookCall) -> Heard:
        return watching.hear(call)

    def told(self, data: Mapping[str, Any]) -> str:
        return watching.told(self._graph, data)

    @property
    def _is_person(self) -> bool:
        return self.config.text("sign_in") == PERSON

    @cached_property
    def _calls(self) -> Authorized:
        return Authorized(self.http, self.tokens, self._renew)

    @cached_property
    def _graph(self) -> Graph:
        return Graph(self._calls, self.config.text("base_url").rstrip("/"))

    def _renew(self, granted: Granted) -> Granted:
        if self._is_person:
            scopes = (_scope(self.config, SCOPE),)
            return SignIn.of(self.config, "organizations").as_person(self.http, granted, scopes)
        if not self.config.text("tenant"):
            said = "An application signs in to one directory: give its tenant ID."
            raise ConfigError(said, problems=(("tenant", "is required for an application"),), user_message=said)
        return SignIn.of(self.config).as_application(self.http, _scope(self.config, ".default"))

    def _zone(self) -> ZoneInfo:
        named = self.config.text("time_zone")
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError):
            said = f"{named} is no time zone, such as Europe/Berlin."
            raise ConfigError(said, problems=(("time_zone", "is no time zone"),), user_message=said) from None

    def _checked_person(self) -> CheckResult:
        mine = self._graph.get("check", "/me/calendar", params={"$select": "id,name,owner,canEdit"})
        scopes = str(self._calls.granted().get("scope") or "").split()
        granted = tuple(scope.rsplit("/", 1)[-1] for scope in scopes)
        enough = {SCOPE.casefold(), f"{SCOPE}.Shared".casefold()}  # the second includes the first
        missing = () if not granted or enough & set(map(str.casefold, granted)) else (SCOPE,)
        account = str((mine.get("owner") or {}).get("address") or mine.get("name") or "")
        said = "Microsoft was not asked or not allowed to: write events. Please connect again." if missing else ""
        return CheckResult(not missing, account, granted, missing, message=said)

    def _checked_application(self) -> CheckResult:
        self._calls.granted()
        mailbox, tenant = self.config.text("mailbox"), self.config.text("tenant")
        if not mailbox:
            return CheckResult(
                ok=True, account=tenant, warnings=("Name a mailbox to find out whether calendars can be read.",)
            )
        found = self._graph.get("check", f"{Place.of(mailbox).owner}/calendar", params={"$select": "id,name,canEdit"})
        warnings = (
            () if found.get("canEdit", True) else (f"The calendar of {mailbox} is read-only for this application.",)
        )
        return CheckResult(ok=True, account=f"{tenant} ({mailbox})", warnings=warnings)

    def _stored(self, operation: str, place: Place, id: str) -> Stored:
        """The event as it is now. One that was called off is gone, though its copy can still be read."""
        found = self._graph.get(operation, place.event(id), params={"$expand": events.EXPAND})
        if found.get("isCancelled"):
            raise NotFound("the event was called off")
        return Stored(found)

    def _existing(self, place: Place, id: str) -> Stored | None:
        try:
            return self._stored("create", place, id)
        except NotFound:
            return None

    def _made_by(self, place: Place, key: str) -> Stored | None:
        """The event that a call with this key made before: Graph forgets transaction ids after a while."""
        made = events.made_by(key)
        wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{events.KEY}' and ep/value eq '{made}')"
        params = {"$filter": wanted, "$top": "2"}
        found = items_of(self._graph.get("create", place.inside("events"), params=params))
        return Stored(found[0]) if found else None


def _scope(config: Config, name: str) -> str:
    base = urlsplit(config.text("base_url"))
    return f"{base.scheme}://{base.netloc}/{name}"


__all__ = ["APPLICATION", "PERSON", "PRIMARY", "Microsoft365"]
