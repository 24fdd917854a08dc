"""Google Calendar (API v3): of a person who connected it, or of people whom a service account may act for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from plugins import oauth
from plugins.adapter import CheckResult, Rate
from plugins.calendar import Busy, Calendar, CalendarInfo, Capability, Changes, Draft, EventRef, Watch, Window
from plugins.calendar.google import account, changes, channels, events, sign_in, times
from plugins.calendar.google.api import Api
from plugins.calendar.google.events import Event
from plugins.calendar.google.sign_in import SignIn
from plugins.calendar.times import hold_to_times
from plugins.config import Config
from plugins.errors import (
    Conflict,
    Duplicate,
    NotFound,
    Permanent,
    PluginError,
    Transient,
)
from plugins.fields import Field, Type
from plugins.hooks import Heard, HookCall
from plugins.http import Http
from plugins.oauth import Authorized, OAuth
from plugins.records import Records
from plugins.tokens import Tokens

TURNS = 5
"""Events of one key that may have been deleted before a create gives up."""
TOLD_EVERYBODY = "all"
"""Who is told of changes by Google: whoever is among its guests. Ours are not, unless the setting `invite` says so."""


class Google(Calendar):
    """A calendar's id is Google's: a person's address, or …@group.calendar.google.com. An event's id is made from the
    key that creates it, so that a repeated create is one event."""

    name = "google"
    title = "Google Calendar"
    about = "Reads busy times from and writes meetings to Google calendars, with Meet links."
    capabilities = frozenset({Capability.WRITE, Capability.VIDEO, Capability.CHANGES, Capability.WATCH})
    rate = Rate(500, 60.0)
    at_once = times.AT_ONCE
    fields = (
        Field("client_id", "OAuth client id", help="Of the Google Cloud project; people then connect in the browser."),
        Field("client_secret", "OAuth client secret", secret=True),
        Field(
            "service_account",
            "Key of a service account",
            secret=True,
            help="The JSON file on one line, or in Base64. In place of the OAuth client, for a whole Workspace domain.",
        ),
        Field(
            "subject",
            "The service account acts as",
            Type.EMAIL,
            help="A person of the domain. Empty: each calendar is used in the name of its owner.",
        ),
        Field(
            "write_to",
            "Calendars that meetings are written to",
            choices=("own", "shared"),
            default="own",
            choice_titles=("Those of the account", "Those shared with it, too"),
            help="For its own ones the account is asked for less.",
        ),
        Field(
            "invite",
            "Let Google invite the guests too",
            Type.BOOLEAN,
            default=False,
            help="Usher mails invitations itself; with this guests get two.",
        ),
        Field("base_url", "Address of the API", Type.URL, default="https://www.googleapis.com"),
        Field("sign_in_url", "Address of the sign-in", Type.URL, default="https://accounts.google.com"),
        Field("token_url", "Address of the tokens", Type.URL, default="https://oauth2.googleapis.com"),
    )

    def __init__(
        self, config: Config, *, records: Records, http: Http | None = None, tokens: Tokens | None = None
    ) -> None:
        super().__init__(config, records=records, http=http, tokens=tokens)
        if config.secret("service_account") and not config.text("subject"):
            self.at_once = 1  # type: ignore[misc]  # each calendar is asked for in its owner's name

    @classmethod
    def oauth(cls, config: Config) -> OAuth | None:
        if config.secret("service_account") or not config.text("client_id"):
            return None
        return sign_in.oauth(config)

    def revoke(self) -> None:
        granted = self.tokens.load() if self.tokens else None
        asked = self.oauth(self.config)
        if granted and asked:
            oauth.revoke(self.http, asked, granted)

    def check(self) -> CheckResult:
        return account.checked(self._api, self._sign_in, self.config, self.http.now())

    def calendars(self) -> list[CalendarInfo]:
        if self._sign_in.per_calendar:
            return []  # a service account has none of its own; those of people are named by their addresses
        return account.calendars(self._api, self._sign_in.itself(), shared=self.config["write_to"] == "shared")

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        if not self._sign_in.per_calendar:
            return times.busy(self._api, self._sign_in.itself(), calendars, window)
        results: dict[str, Busy] = {}
        for calendar in calendars:
            try:
                results |= times.busy(self._api, self._as_owner_of(calendar), [calendar], window)
            except PluginError as error:
                results[calendar] = Busy(error=error)
        return results

    def create(self, calendar: str, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)
        body = events.written(draft, key, invite=self.config["invite"])
        for turn in range(TURNS):
            id = events.event_id(key, turn)
            try:
                made = self._write("create", "events.insert", calendar, {**body, "id": id})
            except Duplicate as taken:
                there = self._there("create", calendar, id)
                if events.is_gone(there):
                    continue  # its id is not given again
                if not events.carries(there, key):
                    raise Duplicate(taken.message, existing=id, http_status=taken.http_status) from taken
                made = there
            return events.ref_of(calendar, made)
        raise Permanent(f"the event of this key was deleted {TURNS} times")

    def update(self, ref: EventRef, draft: Draft, *, key: str) -> EventRef:
        hold_to_times(draft)
        found = self._get("update", ref.calendar, ref.id)
        if events.is_gone(found):
            raise NotFound(f"the event {ref.id} was deleted")
        if events.carries(found, key):
            return events.ref_of(ref.calendar, found)
        if ref.version and ref.version != events.version_of(found):
            raise Conflict("the event was moved since").at("calendar.google", "update")
        body = events.edited(found, draft, key, invite=self.config["invite"])
        only = {"If-Match": found.get("etag", "*")}
        try:
            made = self._write("update", "events.patch", ref.calendar, body, eventId=ref.id, headers=only)
        except Conflict as conflict:  # somebody was faster; whether that matters shows when it is read again
            raise Transient(conflict.message, http_status=conflict.http_status) from conflict
        return events.ref_of(ref.calendar, made)

    def cancel(self, ref: EventRef, *, key: str, reason: str = "") -> None:
        try:
            self._call("cancel", "events.delete", ref.calendar, eventId=ref.id, sendUpdates=TOLD_EVERYBODY)
        except NotFound:
            return

    def video(self, ref: EventRef) -> EventRef:
        found = self._get("video", ref.calendar, ref.id)
        if events.is_gone(found) or not events.has_meeting(found):
            raise NotFound(f"{ref.id} has no video meeting", user_message="Google made no Meet link for this meeting.")
        if not events.video_of(found):
            raise Transient(f"the video meeting of {ref.id} is still being made")
        return events.ref_of(ref.calendar, found)

    def changes(self, calendar: str, cursor: str = "") -> Changes:
        return changes.changes_of(partial(self._call, "changes", "events.list", calendar), calendar, cursor)

    def watch(self, calendar: str, callback: str, secret: str) -> Watch:
        channel = channels.wanted(callback, secret)
        made = self._call("watch", "events.watch", calendar, body=channel)
        return channels.opened(channel, made, self._sign_in.subject_of(calendar), self.http.now())

    def unwatch(self, watch: Watch) -> None:
        body, subject = channels.known(watch)
        try:
            self._api.call("unwatch", "channels.stop", self._sign_in.as_(subject), repeatable=True, body=body)
        except NotFound:
            return

    def hear(self, call: HookCall) -> Heard:
        return channels.heard(call)

    def told(self, data: Mapping[str, Any]) -> str:
        return channels.channel_of(data)

    @cached_property
    def _api(self) -> Api:
        return Api(self.http, self.config.text("base_url"))

    @cached_property
    def _sign_in(self) -> SignIn:
        return SignIn(self.http, self.config, self.tokens)

    def _as_owner_of(self, calendar: str) -> Authorized:
        return self._sign_in.as_(self._sign_in.subject_of(calendar))

    def _call(self, operation: str, method: str, calendar: str, **parameters: Any) -> dict[str, Any]:
        return self._api.call(operation, method, self._as_owner_of(calendar), calendarId=calendar, **parameters)

    def _write(self, operation: str, method: str, calendar: str, body: Event, **parameters: Any) -> Event:
        video = {"conferenceDataVersion": 1} if "conferenceData" in body else {}
        return self._call(operation, method, calendar, body=body, sendUpdates=TOLD_EVERYBODY, **video, **parameters)

    def _get(self, operation: str, calendar: str, id: str) -> Event:
        return self._call(operation, "events.get", calendar, eventId=id)

    def _there(self, operation: str, calendar: str, id: str) -> Event:
        """The event whose id is taken; Google's machines may not all know of it yet."""
        try:
            return self._get(operation, calendar, id)
        except NotFound as unknown:
            raise Transient(unknown.message, http_status=unknown.http_status) from unknown
