"""One adapter in words, for the terminal and as Markdown: what it does, needs and was proven to do."""

from __future__ import annotations

from plugins.adapter import Adapter
from plugins.fields import Field, environment_names
from plugins.quality import Quality, Tier
from plugins.registry import Listing

TIERS = {
    Tier.GOLD: "gold: all that applies to it was held",
    Tier.SILVER: "silver: its author left something out",
    Tier.BRONZE: "bronze: something is known to fail",
    Tier.UNPROVEN: "unproven: there is no report of the conformance kit",
}


def as_text(adapter: type[Adapter], listing: Listing, quality: Quality) -> str:
    """For a person at a terminal."""
    version = ".".join(map(str, adapter.api_version))
    lines = [
        f"{adapter.title} ({listing.kind}.{listing.name}), {listing.origin}, API {version}",
        adapter.about,
        f"Can: {', '.join(_capabilities(adapter)) or 'what the contract asks'}.",
        "",
        *_settings(adapter),
        f"Quality: {TIERS[quality.tier]}",
        f"  {len(quality.done)} rules held, {len(quality.exempt)} that do not apply",
        *(f"  left out: {rule} ({why})" for rule, why in quality.left_out.items()),
        *(f"  known to fail: {rule} ({why})" for rule, why in quality.failing.items()),
        *(f"  special: {what} ({why})" for what, why in quality.said.items()),
    ]
    return "\n".join(lines) + "\n"


def as_markdown(adapter: type[Adapter], listing: Listing, quality: Quality) -> str:
    """For a page of documentation."""
    names = environment_names(adapter.fields, listing.kind, listing.name)
    can = ", ".join(f"`{one}`" for one in _capabilities(adapter))
    lines = [f"# {adapter.title}", "", f"{adapter.about} Can: {can or 'what the contract asks'}.", ""]
    if adapter.fields:
        lines += ["| setting | variable | what it is |", "|---|---|---|"]
        lines += [f"| `{one.name}` | `{names[one.name]}` | {_explained(one)} |" for one in adapter.fields]
        lines.append("")
    lines += [f"Quality: {TIERS[quality.tier]}.", ""]
    noted = [(f"left out: {rule}", why) for rule, why in quality.left_out.items()]
    noted += [(f"known to fail: {rule}", why) for rule, why in quality.failing.items()]
    noted += list(quality.said.items())
    return "\n".join([*lines, *(f"- {what}: {why}" for what, why in noted)]).rstrip() + "\n"


def _capabilities(adapter: type[Adapter]) -> list[str]:
    return sorted(str(one) for one in adapter.capabilities)


def _settings(adapter: type[Adapter]) -> list[str]:
    if not adapter.fields:
        return ["It needs no settings.", ""]
    names = environment_names(adapter.fields, adapter.kind, adapter.name)
    lines = ["Settings:"]
    for one in adapter.fields:
        lines += [f"  {one.name} ({names[one.name]})", f"    {_explained(one)}"]
    return [*lines, ""]


def _explained(field: Field) -> str:
    words = [field.title, *([field.help] if field.help else [])]
    words += ["Required."] if field.required else []
    words += ["Secret."] if field.secret else []
    words += ["Set by the operator only."] if field.operators else []
    words += [f"Default: {field.default}."] if field.default not in (None, "", ()) else []
    return " ".join(word if word.endswith((".", "?", "!")) else f"{word}." for word in words).replace("|", "\\|")
