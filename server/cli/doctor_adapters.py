"""What `usher doctor` says of adapters: which are broken, whether those from outside were chosen, and which variables
of the environment no adapter reads."""

from __future__ import annotations

from contextlib import suppress

from plugins import fields, registry
from plugins.errors import ConfigError
from plugins.registry import Listing
from server import settings
from server.cli.finding import Finding
from server.settings import Settings


def examine(of: Settings) -> list[Finding]:
    """One finding for each that cannot be used, and one when anything installed may run on a public address."""
    registry.allow(of.adapters_allowed)
    for one in registry.listings():
        if one.origin != registry.OURS and not one.problem:
            with suppress(ConfigError):
                registry.load(one.kind, one.name)
    found = registry.listings()
    findings = [Finding("note", f"adapter {one.kind}.{one.name}", one.problem) for one in found if one.problem]
    outside = [f"{one.kind}.{one.name} ({one.origin})" for one in found if one.origin != registry.OURS]
    if outside and of.adapters_allowed is None and of.public_url.startswith("https://"):
        said = f"{', '.join(outside)} may run because it is installed; name those you trust in USHER_ALLOWED_ADAPTERS"
        findings.append(Finding("note", "adapters from outside", said))
    return [*findings, *_unread()]


def unread(listing: Listing) -> list[str]:
    """Sentences about variables that look like settings of this adapter and are none."""
    adapter = registry.load(listing.kind, listing.name)
    longer = [one.name for one in registry.listings(listing.kind) if one.name.startswith(f"{listing.name}_")]
    found = fields.unread(adapter.fields, listing.kind, listing.name, settings.adapter_environment(), longer)
    return [f"{one} is no setting{f'; did you mean {meant}?' if meant else '.'}" for one, meant in found.items()]


def _unread() -> list[Finding]:
    """Only adapters of whose variables some are set are imported for it."""
    findings = []
    for one in registry.listings():
        prefix = f"USHER_{one.kind}_{one.name}_".upper()
        if one.problem or not any(name.startswith(prefix) for name in settings.adapter_environment()):
            continue
        with suppress(ConfigError):
            findings += [Finding("note", f"adapter {one.kind}.{one.name}", said) for said in unread(one)]
    return findings
