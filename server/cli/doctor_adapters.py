"""What `usher doctor` says of adapters: which are broken, and whether those from outside were chosen."""

from __future__ import annotations

from contextlib import suppress

from plugins import registry
from plugins.errors import ConfigError
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
    return findings
