"""Where things lie on a CalDAV server: the account's home (RFC 6764), its calendars, which one an id means."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from urllib.parse import unquote, urlsplit

from plugins.calendar.occupied import zone_of
from plugins.errors import ConfigError, Conflict, InvalidInput, NotFound, Permanent, PermissionDenied
from plugins.webdav import DAV, Resource, WebDav

CAL = "{urn:ietf:params:xml:ns:caldav}"
WELL_KNOWN = "/.well-known/caldav"
WANTED = (
    "<resourcetype/><displayname/><owner/><current-user-privilege-set/><C:supported-calendar-component-set/>"
    "<C:calendar-timezone/><C:calendar-timezone-id/><C:schedule-default-calendar-URL/>"
)
MAY_WRITE = frozenset(f"{DAV}{name}" for name in ("all", "write", "write-content", "bind"))


@dataclass(frozen=True)
class Place:
    """A calendar. `owner` is the address of the principal whose it is, "" when the server does not say."""

    href: str
    title: str
    zone: tzinfo | None
    owner: str
    writable: bool
    primary: bool = False


class Places:
    """Asks one server. Which calendars there are is asked once, for all names that are looked up."""

    def __init__(self, dav: WebDav) -> None:
        self._dav = dav
        self._listed: list[Place] | None = None
        self._addresses: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()

    def principal(self) -> Resource:
        """Who we are signed in as. ConfigError when no CalDAV server answers at the address, PermissionDenied when the
        address that was given is refused; servers that refuse the well-known one mean its dot."""
        refused = None
        for start in self._starts():
            try:
                found = self._dav.find("discover", start, "<current-user-principal/>")
            except (NotFound, Permanent, Conflict, InvalidInput):
                continue
            except PermissionDenied as error:
                refused = error if start != WELL_KNOWN else refused
                continue
            hrefs = found[0].hrefs(f"{DAV}current-user-principal") if found else []
            if hrefs and (told := self._dav.find("discover", hrefs[0], "<displayname/><C:calendar-home-set/>")):
                return told[0]
        if refused:
            raise refused
        host = urlsplit(self._dav.url).hostname
        raise ConfigError(
            f"{host} names no current-user-principal",
            user_message=f"No CalDAV server was found at {host}. Please give the address that its help names.",
        )

    def all(self) -> list[Place]:
        """The calendars of the account, also those that others share with it. A home that may not be seen hides no
        other."""
        found: list[Resource] = []
        refused = None
        for home in self.principal().hrefs(f"{CAL}calendar-home-set"):
            try:
                found += self._dav.find("calendars", home, WANTED, depth=1)
            except (PermissionDenied, NotFound) as error:
                refused = error
        if refused and not found:
            raise refused
        usual = {self._dav.path(href) for one in found for href in one.hrefs(f"{CAL}schedule-default-calendar-URL")}
        places = {one.href: self._place(one, usual) for one in found if _is_calendar(one)}
        return list(places.values())

    def at(self, href: str) -> Place:
        """The calendar at a path. NotFound when something else, or nothing, is there."""
        found = [one for one in self._dav.find("calendars", href, WANTED) if _is_calendar(one)]
        if not found:
            raise NotFound(f"there is no calendar at {href}", user_message=f"There is no calendar at {href}.")
        return self._place(found[0], set())

    def find(self, calendar: str) -> Place:
        """The calendar of an id: its address, or what `_named` makes of a name. NotFound when there is none."""
        if is_address(calendar):
            return self.at(self._dav.path(calendar))
        with self._lock:
            if self._listed is None:
                self._listed = self.all()
            return self._named(calendar, self._listed)

    def _named(self, name: str, among: list[Place]) -> Place:
        """The calendar that is called so, lies in a folder of that name, or is the only one of that person."""
        wanted = name.casefold()
        for fits in (
            [one for one in among if one.title.casefold() == wanted],
            [one for one in among if wanted in unquote(one.href).casefold().split("/")],
            list(self._of(wanted, among)) if "@" in wanted else [],
        ):
            if len(fits) == 1:
                return fits[0]
            if fits:
                paths = ", ".join(one.href for one in fits)
                raise NotFound(
                    f"several calendars are {name}: {paths}",
                    user_message=f"Several calendars are called {name}. Please give the path of the right one.",
                )
        raise NotFound(f"no calendar is {name}", user_message=f"The connected account sees no calendar called {name}.")

    def addresses(self, principal: str) -> frozenset[str]:
        """The e-mail addresses of a person, as far as the server tells."""
        if principal not in self._addresses:
            self._addresses[principal] = self._asked_addresses(principal)
        return self._addresses[principal]

    def _asked_addresses(self, principal: str) -> frozenset[str]:
        try:
            found = self._dav.find("discover", principal, "<C:calendar-user-address-set/>")
        except (NotFound, PermissionDenied, Permanent):
            return frozenset()
        said = (href.casefold() for one in found for href in one.hrefs(f"{CAL}calendar-user-address-set"))
        return frozenset(href.removeprefix("mailto:") for href in said if href.startswith("mailto:"))

    def _starts(self) -> list[str]:
        """The address that was given first, when it says more than a host."""
        own = urlsplit(self._dav.url).path
        return [own, WELL_KNOWN] if own.strip("/") else [WELL_KNOWN, own]

    def _place(self, one: Resource, usual: set[str]) -> Place:
        zone = zone_of(one.text(f"{CAL}calendar-timezone-id")) or zone_of(one.text(f"{CAL}calendar-timezone"))
        owner = [self._dav.path(href) for href in one.hrefs(f"{DAV}owner")]
        privileges = one.names(f"{DAV}current-user-privilege-set")
        return Place(
            href=one.href if one.href.endswith("/") else f"{one.href}/",
            title=one.text(f"{DAV}displayname").strip() or unquote(one.href.rstrip("/").rpartition("/")[2]),
            zone=zone,
            owner=owner[0] if owner else "",
            writable=not privileges or bool(privileges & MAY_WRITE),
            primary=one.href in usual,
        )

    def _of(self, email: str, among: list[Place]) -> Iterator[Place]:
        known = {owner: self.addresses(owner) for owner in {one.owner for one in among if one.owner}}
        return (one for one in among if email in known.get(one.owner, ()))


def is_address(calendar: str) -> bool:
    """Whether an id says where the calendar lies; else it is a name."""
    return calendar.startswith(("/", "http://", "https://"))


def _is_calendar(one: Resource) -> bool:
    if f"{CAL}calendar" not in one.names(f"{DAV}resourcetype"):
        return False
    parts = one.props.get(f"{CAL}supported-calendar-component-set")
    kinds = {part.get("name", "").upper() for part in parts} if parts is not None else set()
    return not kinds or "VEVENT" in kinds
