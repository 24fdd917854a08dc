"""One iCalendar feed: fetched only when it changed, and cut into events so that each is read only once."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from hashlib import sha256
from urllib.parse import urljoin, urlsplit

from plugins.calendar import Window, occupied
from plugins.calendar.occupied import Owner
from plugins.calendar.steps import ZONES, Steps, TooMuch, Unreadable, nested
from plugins.errors import ConfigError, Permanent, Transient
from plugins.http import Http, Reply

HOPS = 4
UNCHANGED = 304
REDIRECTS = (301, 302, 303, 307, 308)
REMEMBERED_BYTES = 64_000_000
"""Of texts that a process keeps, so that an unchanged feed is not sent again."""
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(?:[/?#]\S*)?")
_FOLD = re.compile(r"\r?\n[ \t]")
_PARTS = re.compile(r"^BEGIN:(VEVENT|VFREEBUSY|VTIMEZONE)\n(.*?)^END:\1\n", re.DOTALL | re.IGNORECASE | re.MULTILINE)
_PROPERTY = r"(?mi)^{}(?:;[^:\n]*)?:(.*)$"


@dataclass(frozen=True)
class Source:
    """Where a feed is. `name` is what its owner calls it, "" when they do not."""

    name: str
    url: str = field(repr=False)

    @property
    def id(self) -> str:
        return self.name or f"feed-{sha256(self.url.encode()).hexdigest()[:12]}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True)
class Feed:
    """A whole feed. `text` has unfolded lines that end in \\n."""

    text: str = field(repr=False)

    @property
    def title(self) -> str:
        """What the feed calls itself."""
        return self._head("X-WR-CALNAME").replace("\\,", ",").replace("\\;", ";").strip()[:200]

    @property
    def zone(self) -> tzinfo | None:
        """The zone of its all-day and floating times, where it says one we know."""
        return occupied.zone_of(self._head("X-WR-TIMEZONE"))

    def busy(self, window: Window, owner: Owner) -> list[Window]:
        """The times that block, near the window. Permanent when one event cannot be read: it might be any time."""
        steps = Steps()
        try:
            times = [time for text in self._resources() for time in occupied.busy(text, window, owner, steps)]
            return times + [time for text in self._reports for time in occupied.periods(text, steps)]
        except Unreadable as error:
            said = error.said if isinstance(error, TooMuch) else "An event in this feed cannot be read."
            raise Permanent(f"a feed: {error}", user_message=said) from error

    def check(self) -> None:
        """Transient when it ends before its end."""
        if not self.text.rstrip().upper().endswith("END:VCALENDAR"):
            raise Transient("half of a feed", user_message="The feed was cut off on its way.")

    def _resources(self) -> Iterator[str]:
        """One text for each UID: an event with those that differ from it, and the zones that they name."""
        zones = {_value(text, "TZID"): text for text in self._parts["VTIMEZONE"]}
        if len(zones) > ZONES:
            raise TooMuch("more zones than there are")
        for some in self._events:
            yield _calendar([*_named(zones, some), some])

    @cached_property
    def _events(self) -> list[str]:
        events: dict[str, list[str]] = {}
        for n, text in enumerate(self._parts["VEVENT"]):
            events.setdefault(_value(text, "UID") or f" {n}", []).append(text)
        return ["".join(some) for some in events.values()]

    @property
    def _reports(self) -> list[str]:
        return [_calendar([text]) for text in self._parts["VFREEBUSY"]]

    @cached_property
    def _parts(self) -> dict[str, list[str]]:
        """The texts of its events, reports and zones."""
        parts: dict[str, list[str]] = {"VEVENT": [], "VFREEBUSY": [], "VTIMEZONE": []}
        for part in _PARTS.finditer(nested(self.text)):
            parts[part[1].upper()].append(part[0])
        return parts

    def _head(self, name: str) -> str:
        return _value(self.text.split("\nBEGIN:", 1)[0], name)


def sources(text: str) -> list[Source]:
    """The feeds that a setting names. ConfigError when one is no address, or two have one name."""
    found = []
    for word in text.split():
        name, _, url = word.partition("=") if not re.match(r"(?i)(https?|webcal)://", word) else ("", "", word)
        url = re.sub(r"(?i)^webcal://", "https://", url)
        if not _ADDRESS.fullmatch(url):
            raise _wrong("is no address that begins with https://")
        found.append(Source(name, url))
    if not found:
        raise _wrong("is required")
    if len({one.id.casefold() for one in found}) < len(found):
        raise _wrong("two feeds have one name")
    return found


def fetch(http: Http, source: Source) -> Feed:
    """The feed as it is now. One that says it has not changed since is not sent again."""
    mark = sha256(source.url.encode()).hexdigest()
    known = _memory.of(mark)
    reply = _followed(http, source.url, known.conditions if known else {})
    if reply.status == UNCHANGED and known:
        return known.feed
    feed = _read(reply)
    conditions = {"If-None-Match": reply.headers.get("etag"), "If-Modified-Since": reply.headers.get("last-modified")}
    _memory.keep(mark, _Known(feed, {name: value for name, value in conditions.items() if value}))
    return feed


@dataclass(frozen=True)
class _Known:
    feed: Feed
    conditions: dict[str, str]


class _Memory:
    """The feeds read last, up to so many bytes. Whether one still holds, only its server says."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, mark: str) -> _Known | None:
        with self._lock:
            return self._kept.get(mark)

    def keep(self, mark: str, known: _Known) -> None:
        with self._lock:
            self._kept.pop(mark, None)
            if known.conditions:
                self._kept[mark] = known
            while sum(len(one.feed.text) for one in self._kept.values()) > REMEMBERED_BYTES:
                self._kept.popitem(last=False)


_memory = _Memory()


def _followed(http: Http, url: str, conditions: dict[str, str]) -> Reply:
    """Published addresses move. Each hop goes through the guard; none gives encryption up."""
    for _ in range(HOPS):
        headers = {"Accept": "text/calendar", **conditions}
        reply = http.call("feed", "GET", url, headers=headers, welcome=(UNCHANGED, *REDIRECTS))
        if reply.status not in REDIRECTS:
            return reply
        target = urljoin(url, reply.headers.get("location", ""))
        if not _ADDRESS.fullmatch(target) or (url.startswith("https:") and not target.startswith("https:")):
            raise ConfigError(
                f"{urlsplit(url).hostname} leads to no address we may follow",
                user_message="The address leads on to one that is not encrypted. Please give the right one.",
            )
        url = target
    raise ConfigError("redirects without end", user_message="The address leads in a circle.")


def _read(reply: Reply) -> Feed:
    text = _FOLD.sub("", reply.body.decode("utf-8-sig", "replace")).replace("\r\n", "\n").replace("\r", "\n")
    if not re.match(r"\s*BEGIN:VCALENDAR\s", text, re.IGNORECASE):
        said = "There is no iCalendar feed at this address. Is it the one for calendar programs, ending in .ics?"
        raise Permanent(f"{reply.call.place()}: no iCalendar", http_status=reply.status, user_message=said)
    feed = Feed(f"{text.strip()}\n")
    feed.check()
    return feed


def _named(zones: dict[str, str], events: str) -> Iterator[str]:
    named = occupied.plain(events)
    return (text for name, text in zones.items() if name and occupied.plain(name) in named)


def _calendar(parts: list[str]) -> str:
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{''.join(parts)}END:VCALENDAR\n"


def _value(text: str, name: str) -> str:
    found = re.search(_PROPERTY.format(re.escape(name)), text)
    return found[1].strip() if found else ""


def _wrong(why: str) -> ConfigError:
    return ConfigError(f"feeds: {why}", problems=(("feeds", why),), user_message=f"An address of a feed {why}.")
