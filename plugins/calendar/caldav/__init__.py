"""Calendars on any CalDAV server (RFC 4791): Nextcloud, iCloud, Fastmail, Radicale and others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.adapter import CheckResult
from plugins.calendar import Busy, Calendar, CalendarInfo, Capability, Changes, Draft, EventRef, Window, written
from plugins.calendar.caldav.changes import changes_of
from plugins.calendar.caldav.places import Places, is_address
from plugins.calendar.caldav.times import Times, query
from plugins.calendar.times import hold_to_times
from plugins.errors import (
    AuthError,
    ConfigError,
    Conflict,
    Duplicate,
    InvalidInput,
    NotFound,
    PluginError,
    RateLimited,
    Transient,
)
from plugins.fields import Field, Type
from plugins.http import Reply
from plugins.webdav import DAV, WebDav, preconditions

ICS = "text/calendar"
DEAD_AFTER = 2
"""Calendars of one call that got no answer at all before the server counts as gone and the others are not asked."""


class CalDav(Calendar):
    """A calendar's id is its path on the server, or its name or its owner's e-mail address, looked up among the
    calendars of the account. An event's id is its path, made from the key that created it."""

    name = "caldav"
    title = "CalDAV"
    about = (
        "Reads busy times from and writes meetings to calendars on Nextcloud, iCloud, Fastmail, Radicale and others."
    )
    capabilities = frozenset({Capability.WRITE, Capability.CHANGES})
    fields = (
        Field(
            "url", "Address of the server", Type.URL, required=True, help="With the path that its help names, if any."
        ),
        Field("user", "User name", required=True),
        Field("password", "Password", secret=True, required=True, help="An app password where the server has them."),
        Field(
            "busy_from",
            "What busy times are read from",
            choices=("events", "free-busy"),
            default="events",
            choice_titles=("Events", "Free and busy times only"),
            help="From events more is known: zones of whole days, and what was declined.",
        ),
        Field("time_zone", "Zone of all-day events where a calendar names none", default="UTC"),
        Field("guests", "Write organizer and guests into events", Type.BOOLEAN, default=True),
        Field("ca_file", "File with further certificate authorities", operators=True),
    )

    def check(self) -> CheckResult:
        found = self.calendars()
        account = self._places.principal().text(f"{DAV}displayname").strip() or self.config.text("user")
        self._zone()
        warnings = [] if self.config.text("url").startswith("https:") else ["The password is sent without encryption."]
        warnings += [] if found else ["This account has no calendars."]
        warnings += [f"{one.title} is read-only for this account." for one in found if not one.writable]
        return CheckResult(ok=True, account=account, warnings=tuple(warnings))

    def calendars(self) -> list[CalendarInfo]:
        found = self._places.all()
        usual = {one.href for one in found if one.primary} or {one.href for one in found if len(found) == 1}
        return [CalendarInfo(one.href, one.title, one.href in usual, one.writable) for one in found]

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        times = self._times()
        results: dict[str, Busy] = {}
        silent: list[PluginError] = []
        for calendar in calendars:
            try:
                if len(silent) >= DEAD_AFTER:
                    raise silent[-1]
                results[calendar] = Busy(times.of(self._places.find(calendar), calendar, window))
            except (AuthError, RateLimited):
                raise
            except PluginError as error:
                silent += [error] if isinstance(error, Transient) and error.http_status is None else []
                results[calendar] = Busy(error=error)
        return results

    def create(self, calendar: str, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)
        folder = self._folder(calendar)
        href = f"{folder}{written.name_of(key)}"
        text = written.new(draft, key=key, now=self._now(), guests=self.config["guests"])
        try:
            version = self._put("create", href, text, {"If-None-Match": "*"})
        except (Conflict, InvalidInput) as refused:
            if isinstance(refused, InvalidInput) and refused.http_status != 400:
                raise
            return self._there_already(calendar, folder, href, draft, key, refused)
        return EventRef(calendar, href, version)

    def update(self, ref: EventRef, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)
        href = self._href(ref)
        found = self._stored("update", href)
        if found.carries(key):
            return EventRef(ref.calendar, href, found.version)
        if ref.version and ref.version != found.version:
            if found.shows(draft, self.config["guests"]):  # the server dropped our key
                return EventRef(ref.calendar, href, found.version)
            raise Conflict(f"the event is at version {found.version}, not {ref.version}")
        text = written.edited(found, draft, key=key, now=self._now(), guests=self.config["guests"])
        try:
            version = self._put("update", href, text, {"If-Match": found.version} if found.version else {})
        except Conflict as conflict:
            if ref.version:
                raise
            raise Transient(conflict.message, http_status=conflict.http_status) from conflict
        return EventRef(ref.calendar, href, version)

    def cancel(self, ref: EventRef, *, key: str, reason: str = "") -> None:
        try:
            self._dav.send("cancel", "DELETE", self._href(ref), headers={"Schedule-Reply": "F"})
        except NotFound:
            return

    def changes(self, calendar: str, cursor: str = "") -> Changes:
        place = self._places.find(calendar)
        return changes_of(self._dav, place, calendar, cursor, self._times().owner(place, calendar))

    def _now(self) -> datetime:
        return self.http.now().replace(microsecond=0)

    @cached_property
    def _dav(self) -> WebDav:
        config = self.config
        return WebDav(self.http, config.text("url"), config.text("user"), config.secret("password"))

    @cached_property
    def _places(self) -> Places:
        return Places(self._dav)

    def _times(self) -> Times:
        return Times(self._dav, self._places, self._zone(), events=self.config["busy_from"] == "events")

    def _folder(self, calendar: str) -> str:
        """Where the events of a calendar lie; only a name has to be looked up."""
        href = self._dav.path(calendar) if is_address(calendar) else self._places.find(calendar).href
        return href if href.endswith("/") else f"{href}/"

    def _href(self, ref: EventRef) -> str:
        return self._dav.path(ref.id if is_address(ref.id) else f"{self._folder(ref.calendar)}{ref.id}")

    def _zone(self) -> ZoneInfo:
        named = self.config.text("time_zone")
        try:
            return ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError):
            said = f"{named} is no time zone, such as Europe/Berlin."
            raise ConfigError(said, problems=(("time_zone", "is no time zone"),), user_message=said) from None

    def _stored(self, operation: str, href: str) -> written.Stored:
        """The event at `href`. Asked for as it is: servers that compress on the way give it another ETag."""
        reply = self._dav.send(operation, "GET", href, headers={"Accept": ICS, "Accept-Encoding": "identity"})
        return written.stored(reply.body, reply.headers.get("etag", ""))

    def _put(self, operation: str, href: str, text: bytes, only: dict[str, str]) -> str:
        """Write the event and learn its ETag, which some servers tell only when asked."""
        reply = self._dav.send(operation, "PUT", href, text.decode(), headers=only, kind=ICS, judge=_refused)
        if version := reply.headers.get("etag", ""):
            return version
        found = self._dav.find(operation, href, "<getetag/>")
        return found[0].text(f"{DAV}getetag") if found else ""

    def _there_already(
        self, calendar: str, folder: str, href: str, draft: Draft, key: str, refused: Conflict | InvalidInput
    ) -> EventRef:
        """The event that a first try with this key made; Duplicate when somebody else's is in the way. Nextcloud says
        400, and nothing else that a program could read, where the UID is taken (nextcloud/server 20730)."""
        there = [href, *self._with_uid(folder, draft.uid)]
        for one in there:
            try:
                found = self._stored("create", one)
            except NotFound:
                continue
            if found.carries(key):
                return EventRef(calendar, one, found.version)
            raise Duplicate(refused.message, existing=one, http_status=refused.http_status) from refused
        raise refused

    def _with_uid(self, folder: str, uid: str) -> list[str]:
        match = f'<C:text-match collation="i;octet">{escape(uid)}</C:text-match>'
        body = query("<getetag/>", f'<C:prop-filter name="UID">{match}</C:prop-filter>')
        return [one.href for one in self._dav.resources(self._dav.report("create", folder, body))]


def _refused(reply: Reply) -> PluginError | None:
    """Refusals of an event (RFC 4791 5.3.2.1): the same UID elsewhere, or something in it that is not accepted."""
    if reply.status not in (403, 409, 412):
        return None
    named = preconditions(reply)
    if "no-uid-conflict" in named:
        return Conflict(
            f"{reply.call.place()}: the UID is taken", http_status=reply.status, vendor_code="no-uid-conflict"
        )
    if wrong := sorted({"valid-calendar-data", "max-resource-size", "valid-calendar-object-resource"} & set(named)):
        return InvalidInput(f"{reply.call.place()}: {wrong[0]}", http_status=reply.status, vendor_code=wrong[0])
    return None
