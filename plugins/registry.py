"""Which adapters there are, and how to get one: ours by a table, others by entry points `usher.<kind>`.

Listing imports no adapter. A broken or clashing one is listed with its reason and stops nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from plugins import limits, meter
from plugins.adapter import API_VERSION, Adapter
from plugins.config import Config
from plugins.errors import ConfigError
from plugins.fields import validate
from plugins.http import ANSWER_SECONDS, CONNECT_SECONDS, Http, utc_now
from plugins.records import Records
from plugins.tokens import Tokens

CONTRACTS = {
    "crm": "plugins.crm:CRM",
    "calendar": "plugins.calendar:Calendar",
    "enrichment": "plugins.enrichment:Enrichment",
    "marketing": "plugins.marketing:Marketing",
    "notify": "plugins.notify:Notify",
    "inbox": "plugins.inbox:Inbox",
    "ai": "plugins.ai:AI",
}
BUILT_IN = {
    ("crm", "builtin"): "plugins.crm.builtin:BuiltinCRM",
    ("crm", "dynamics"): "plugins.crm.dynamics:Dynamics",
    ("crm", "salesforce"): "plugins.crm.salesforce:Salesforce",
    ("crm", "hubspot"): "plugins.crm.hubspot:HubSpot",
    ("crm", "webhook"): "plugins.crm.webhook:Webhook",
    ("calendar", "builtin"): "plugins.calendar.builtin:BuiltinCalendar",
    ("calendar", "caldav"): "plugins.calendar.caldav:CalDav",
    ("calendar", "microsoft"): "plugins.calendar.microsoft:Microsoft365",
    ("calendar", "google"): "plugins.calendar.google:Google",
    ("calendar", "ics"): "plugins.calendar.ics:Ics",
    ("enrichment", "builtin"): "plugins.enrichment.builtin:BuiltinEnrichment",
    ("enrichment", "maxmind"): "plugins.enrichment.maxmind:MaxMind",
    ("enrichment", "ipinfo"): "plugins.enrichment.ipinfo:IPinfo",
    ("enrichment", "pdl"): "plugins.enrichment.pdl:PeopleDataLabs",
    ("enrichment", "apollo"): "plugins.enrichment.apollo:Apollo",
    ("enrichment", "zoominfo"): "plugins.enrichment.zoominfo:ZoomInfo",
    ("enrichment", "sixsense"): "plugins.enrichment.sixsense:SixSense",
    ("enrichment", "clearbit"): "plugins.enrichment.clearbit:Clearbit",
    ("marketing", "builtin"): "plugins.marketing.builtin:BuiltinMarketing",
    ("notify", "smtp"): "plugins.notify.smtp:Smtp",
    ("notify", "mailbox"): "plugins.notify.mailbox:Mailbox",
    ("notify", "slack"): "plugins.notify.slack:Slack",
    ("notify", "slack_webhook"): "plugins.notify.slack_webhook:SlackWebhook",
    ("notify", "twilio"): "plugins.notify.twilio:Twilio",
    ("notify", "apprise"): "plugins.notify.apprise:Apprise",
    ("notify", "webhook"): "plugins.notify.webhook:Webhook",
    ("inbox", "imap"): "plugins.inbox.imap:Imap",
    ("ai", "builtin"): "plugins.ai.builtin:BuiltinAI",
}
OURS = "built-in"


@dataclass(frozen=True, slots=True)
class Listing:
    """One adapter on offer. `origin` is "built-in", "registered" or the distribution with its version; `problem` says
    why it cannot be used, "" when nothing is known against it."""

    kind: str
    name: str
    target: str
    origin: str
    problem: str = ""


class Registry:
    """Finds and opens adapters. `allow` names those from outside that may run ("crm.acme"); None allows all."""

    def __init__(
        self,
        *,
        allow: Collection[str] | None = None,
        discover: Callable[[], Iterable[EntryPoint]] | None = None,
    ) -> None:
        self.allow = allow
        self._discover = discover or _installed
        self._outside: list[Listing] | None = None
        self._registered: dict[tuple[str, str], type[Adapter]] = {}
        self._loaded: dict[tuple[str, str], type[Adapter]] = {}
        self._broken: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def listings(self, kind: str | None = None) -> list[Listing]:
        """All adapters (of one kind), also those that cannot be used, by kind and name. Imports none of them."""
        found = [replace(i, problem=i.problem or self._broken.get((i.kind, i.name), "")) for i in self._known()]
        return sorted((i for i in found if kind in (None, i.kind)), key=lambda i: (i.kind, i.name, i.origin))

    def load(self, kind: str, name: str) -> type[Adapter]:
        """The adapter's class. ConfigError when there is none or it cannot be used; `listings` keeps the reason."""
        key = (kind, name)
        if key in self._registered:
            return self._registered[key]
        if key not in self._loaded:
            listing = self._usable(kind, name)
            try:
                self._loaded[key] = _checked(listing, _import(listing.target))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - an outside module may raise anything when imported
                why = self._broken[key] = f"{type(error).__name__}: {error}"
                said = f"The adapter {kind}.{name} cannot be used ({why})."
                raise ConfigError(why, adapter=f"{kind}.{name}", operation="load", user_message=said) from error
            self._broken.pop(key, None)
        return self._loaded[key]

    def load_all(self, kind: str | None = None) -> dict[tuple[str, str], type[Adapter]]:
        """All adapters (of one kind) that can be used, imported; `listings` then knows which of them are broken."""
        found = {}
        for one in self.listings(kind):
            with suppress(ConfigError):
                found[one.kind, one.name] = self.load(one.kind, one.name)
        return found

    def open(
        self,
        kind: str,
        name: str,
        config: Mapping[str, Any] | Config,
        *,
        records: Records,
        http: Http | None = None,
        tokens: Tokens | None = None,
        private: Collection[str] = (),
        seconds: float | None = None,
        connection: str = "",
        now: Callable[[], datetime] = utc_now,
    ) -> Any:
        """An adapter with its settings, ready for use. ConfigError names what is wrong with them.

        Typed Any: the caller knows the contract of `kind`. `http` is made when not given: `private` hosts may have
        private addresses, the bundle of a field `ca_file` is trusted, and no answer may take longer than `seconds`.
        `connection` is the id of whose rate, breaker and open network connections are used, `now` the clock.
        """
        adapter = self.load(kind, name)
        try:
            checked = validate(adapter.fields, config)
        except ConfigError as error:
            raise error.at(f"{kind}.{name}", "open") from None
        http = http or Http(
            f"{kind}.{name}",
            secrets=checked.secrets(),
            private=private,
            ca_file=str(checked.get("ca_file") or ""),
            connect_seconds=min(seconds or CONNECT_SECONDS, CONNECT_SECONDS),
            answer_seconds=min(seconds or ANSWER_SECONDS, ANSWER_SECONDS),
            now=now,
            limits=_limits_of(connection, adapter) if connection else None,
            meter=meter.here,
            share=connection,
        )
        opened = adapter(checked, records=records, http=http, tokens=tokens)
        opened.connection_id = connection
        return opened

    def register(self, adapter: type[Adapter]) -> None:
        """Offer a class directly, before all others of its name: for tests. Replaces an earlier one."""
        listing = Listing(adapter.kind, adapter.name, _path(adapter), "registered")
        self._registered[adapter.kind, adapter.name] = _checked(listing, adapter)

    def unregister(self, adapter: type[Adapter]) -> None:
        """Take a registered class back."""
        self._registered.pop((adapter.kind, adapter.name), None)

    def _usable(self, kind: str, name: str) -> Listing:
        found = [item for item in self._known() if (item.kind, item.name) == (kind, name)]
        usable = [item for item in found if not item.problem]
        if not usable:
            offered = ", ".join(item.name for item in self.listings(kind) if not item.problem)
            why = "; ".join(item.problem for item in found)
            why = why or f"there is no {kind} adapter {name}; there are: {offered}"
            raise ConfigError(why, adapter=f"{kind}.{name}", operation="load", user_message=f"{why}.")
        return usable[0]

    def _known(self) -> list[Listing]:
        own = [Listing(k, n, _path(cls), "registered") for (k, n), cls in self._registered.items()]
        own += [Listing(*key, path, OURS) for key, path in BUILT_IN.items() if key not in self._registered]
        taken = {(item.kind, item.name): item.origin for item in own}
        return own + [self._judged(item, taken) for item in self._entry_points()]

    def _entry_points(self) -> list[Listing]:
        with self._lock:
            if self._outside is None:
                self._outside = [_listing(point) for point in self._discover()]
        return self._outside

    def _judged(self, item: Listing, taken: Mapping[tuple[str, str], str]) -> Listing:
        """An adapter from outside with what speaks against it."""
        key = (item.kind, item.name)
        rivals = sorted(i.origin for i in self._entry_points() if (i.kind, i.name) == key)
        if key in taken:
            return replace(item, problem=f"the name {item.name} is taken: {taken[key]}")
        if len(rivals) > 1:
            return replace(item, problem=f"{' and '.join(rivals)} both offer {item.kind}.{item.name}")
        if self.allow is not None and f"{item.kind}.{item.name}" not in self.allow:
            return replace(item, problem=f"{item.kind}.{item.name} is not on the list of allowed adapters")
        return item


def _limits_of(connection: str, adapter: type[Adapter]) -> limits.Limits:
    name = f"{adapter.kind}.{adapter.name}"
    return limits.of(connection, adapter.rate, adapter.rates, lambda: meter.here.opened(name))


def _installed() -> Iterable[EntryPoint]:
    return [point for kind in CONTRACTS for point in entry_points(group=f"usher.{kind}")]


def _listing(point: EntryPoint) -> Listing:
    origin = f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"
    return Listing(point.group.removeprefix("usher."), point.name, point.value, origin)


def _path(adapter: type[Adapter]) -> str:
    return f"{adapter.__module__}:{adapter.__qualname__}"


def _import(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def _checked(listing: Listing, found: Any) -> type[Adapter]:
    """The class itself when it keeps the contract of its kind in a version we know; TypeError with the reason."""
    contract: type[Adapter] = _import(CONTRACTS[listing.kind])
    if not (isinstance(found, type) and issubclass(found, contract)):
        raise TypeError(f"{listing.target} is no subclass of {CONTRACTS[listing.kind]}")
    if found.name != listing.name:
        raise TypeError(f"{listing.target} calls itself {found.name!r}, not {listing.name!r}")
    match found.api_version:
        case (int(major), int(minor)):
            pass
        case _:
            raise TypeError(f"{listing.target} gives {found.api_version!r} as api_version, not a pair such as (1, 0)")
    if major != API_VERSION[0] or minor > API_VERSION[1]:
        raise TypeError(f"{listing.target} is written for API {major}.{minor}; this is {_dotted(API_VERSION)}")
    if lacking := getattr(found, "__abstractmethods__", None):
        raise TypeError(f"{listing.target} lacks {', '.join(sorted(lacking))}")
    return found


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


_here = Registry()
listings = _here.listings
load = _here.load
load_all = _here.load_all
open = _here.open
register = _here.register
unregister = _here.unregister


def allow(names: Collection[str] | None) -> None:
    """Restrict adapters from outside to these ("crm.acme"); None allows all."""
    _here.allow = names
