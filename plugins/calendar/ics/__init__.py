"""Busy times from iCalendar feeds: addresses that calendar programs publish, such as Google's secret address or
Outlook's published calendars. Read only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from functools import cached_property
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.adapter import CheckResult
from plugins.calendar import Busy, Calendar, CalendarInfo, Window
from plugins.calendar.ics.feeds import Feed, Source, fetch, sources
from plugins.calendar.occupied import Owner
from plugins.calendar.times import merge
from plugins.errors import ConfigError, NotFound, PluginError
from plugins.fields import Field, Type


class Ics(Calendar):
    """A calendar's id is the name given to its feed; of a feed without one it is made of the address, which is a secret
    and therefore not the id."""

    name = "ics"
    title = "iCalendar feed"
    about = "Reads busy times from published calendars (.ics addresses). Meetings are not written there."
    fields = (
        Field(
            "feeds",
            "Addresses",
            secret=True,
            required=True,
            help="One or more, with blanks between; `grace@example.com=https://…` says whose each is.",
        ),
        Field("time_zone", "Zone of all-day events where a feed names none", default="UTC"),
        Field(
            "addresses",
            "Addresses under which the person is invited",
            Type.LIST,
            help="Events that they declined do not count. Not needed for feeds that are named by an address.",
        ),
    )

    def check(self) -> CheckResult:
        self._zone()
        found = [(source, self._feed(source)) for source in self._sources]
        for _, feed in found:
            feed.check()
        open_ones = [source.host for source, _ in found if source.url.startswith("http:")]
        warnings = [f"{host} is asked without encryption." for host in open_ones]
        return CheckResult(True, ", ".join(_title(*one) for one in found), warnings=tuple(warnings))

    def calendars(self) -> list[CalendarInfo]:
        found = []
        for source in self._sources:
            try:
                title = _title(source, self._feed(source))
            except PluginError:
                title = source.name or source.host  # `busy` and `check` say what is wrong with it
            found.append(CalendarInfo(source.id, title, len(self._sources) == 1, writable=False))
        return found

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        results: dict[str, Busy] = {}
        for calendar in calendars:
            try:
                source = self._named(calendar)
                feed = self._feed(source)
                owner = Owner(feed.zone or self._zone(), self._addresses(source))
                results[calendar] = Busy(merge(feed.busy(window, owner), window))
            except PluginError as error:
                results[calendar] = Busy(error=error.at("calendar.ics", "busy"))
        return results

    @cached_property
    def _sources(self) -> list[Source]:
        return sources(self.config.secret("feeds"))

    def _feed(self, source: Source) -> Feed:
        return fetch(self.http, source)

    def _named(self, calendar: str) -> Source:
        wanted = calendar.casefold()
        for source in self._sources:
            if source.id.casefold() == wanted:
                return source
        said = f"No feed is called {calendar}."
        raise NotFound(said, user_message=said)

    def _addresses(self, source: Source) -> frozenset[str]:
        own = [source.name] if "@" in source.name else []
        return frozenset(one.casefold() for one in (*own, *(self.config["addresses"] or ())))

    def _zone(self) -> tzinfo:
        named = self.config.text("time_zone")
        try:
            return UTC if named == "UTC" else ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError):
            said = f"{named} is no time zone, such as Europe/Berlin."
            raise ConfigError(said, problems=(("time_zone", "is no time zone"),), user_message=said) from None


def _title(source: Source, feed: Feed) -> str:
    return feed.title or source.name or urlsplit(source.url).hostname or ""
