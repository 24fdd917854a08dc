"""Adapters: what is installed, from whom, how well it is proven, and which cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from plugins import quality, registry
from plugins.adapter import Adapter
from plugins.fields import Field, environment_names
from plugins.quality import Quality, Tier
from plugins.registry import Listing
from server.console import here
from server.errors import NotFound

bp = Blueprint("connections_adapters", __name__, url_prefix="/adapters")

KINDS = {
    "crm": "CRM",
    "calendar": "Calendars",
    "enrichment": "Company and person data",
    "marketing": "Marketing",
    "notify": "Mail and alerts",
    "inbox": "Mailboxes",
    "ai": "Understanding",
}
TIERS = {
    Tier.GOLD: ("Gold", "good", "Everything that applies to it was tried and held."),
    Tier.SILVER: ("Silver", "plain", "What was tried held; its author left something out."),
    Tier.BRONZE: ("Bronze", "warn", "Something is known to fail."),
    Tier.UNPROVEN: ("Not proven", "warn", "It brings no report of the conformance tests."),
}
CAN = {
    "account": "knows accounts",
    "activity": "logs chats",
    "alert": "alerts",
    "changes": "reads changes",
    "company": "writes companies",
    "company_by_domain": "companies by domain",
    "company_by_ip": "companies by address",
    "convert": "converts leads",
    "device": "devices",
    "enrol": "streams",
    "erase": "erases people",
    "events": "events",
    "fields": "field mapping",
    "find": "finds people",
    "hooks": "is told of changes",
    "mail": "mails",
    "meeting": "logs meetings",
    "names": "finds by name",
    "owner": "knows owners",
    "person_by_email": "people by e-mail",
    "read": "reads back",
    "threads": "threads",
    "video": "video links",
    "watch": "is told of changes",
    "write": "writes events",
}
"""Capabilities in words."""


@dataclass(frozen=True)
class Shown:
    """One adapter as the page shows it; `adapter` is None when it cannot be used, for the reason in its listing."""

    listing: Listing
    adapter: type[Adapter] | None
    quality: Quality

    @property
    def id(self) -> str:
        return f"{self.listing.kind}.{self.listing.name}"

    @property
    def title(self) -> str:
        return self.adapter.title if self.adapter else self.listing.name

    @property
    def can(self) -> list[str]:
        """Its capabilities in words."""
        able = self.adapter.capabilities if self.adapter else ()
        return sorted({CAN.get(str(one), str(one).replace("_", " ")) for one in able})

    @property
    def settings(self) -> list[tuple[Field, str]]:
        """Each setting with its environment variable."""
        if self.adapter is None:
            return []
        names = environment_names(self.adapter.fields, self.listing.kind, self.listing.name)
        return [(one, names[one.name]) for one in self.adapter.fields]


@bp.get("")
def index() -> ResponseReturnValue:
    """All that are installed, by kind, also those that cannot be used."""
    here.need("see_connections")
    found = {kind: [_shown(one) for one in listed] for kind, listed in _listed().items()}
    return render_template("adapters/index.html", found=found, kinds=KINDS, tiers=TIERS, ours=registry.OURS)


@bp.get("/<kind>.<name>")
def show(kind: str, name: str) -> ResponseReturnValue:
    """One adapter: what it does and needs, and what the conformance tests found, rule by rule."""
    here.need("see_connections")
    listed = [one for one in _listed().get(kind, ()) if one.name == name]
    if not listed:
        raise NotFound("There is no such adapter.")
    found = [_shown(one) for one in listed]
    return render_template("adapters/show.html", found=found, kinds=KINDS, tiers=TIERS, ours=registry.OURS)


def _listed() -> dict[str, list[Listing]]:
    """The listings by kind, each having been tried, so that a broken one says why."""
    registry.load_all()
    found: dict[str, list[Listing]] = {kind: [] for kind in KINDS}
    for one in registry.listings():
        found[one.kind].append(one)
    return {kind: listed for kind, listed in found.items() if listed}


def _shown(listing: Listing) -> Shown:
    adapter = None if listing.problem else registry.load(listing.kind, listing.name)
    return Shown(listing, adapter, quality.read(listing.kind, listing.name, listing.target))
