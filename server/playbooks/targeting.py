"""Chooses the playbook that meets a visitor, and tells browsers enough to choose the same before a chat is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jinja2 import nodes

from server.config import hours
from server.config.schema import Site
from server.config.version import Version
from server.expressions import Answer, LocaleText
from server.expressions.grammar import path_of
from server.playbooks.nodes.ask import Ask
from server.playbooks.nodes.say import Say
from server.playbooks.schema import Playbook


@dataclass(frozen=True)
class Choice:
    """The playbook's name, "" when none fits, and the decision trace: every playbook that was looked at."""

    playbook: str
    trace: dict[str, Any] = field(default_factory=dict)


def choose(version: Version, values: Mapping[str, Any], *, seed: str, now: datetime, asked: str = "") -> Choice:
    """The first playbook by priority whose audience is "yes", that is open now and whose share of traffic holds `seed`.

    `asked`: the one the browser showed; it goes first if it fits. Unknown is not yes: such a playbook is passed over.
    """
    site = version.site
    looked_at: list[dict[str, Any]] = []
    chosen = ""
    if not in_share(seed, site.traffic_percent):
        looked_at.append(_seen("site", "no", f"outside the {site.traffic_percent} % of visitors this site talks to"))
        return Choice("", {"decision": "playbook", "chosen": "", "looked_at": looked_at})
    for name, playbook in in_order(version, asked):
        seen = _look_at(name, playbook, values, seed, hours.is_open(site, now))
        looked_at.append(seen)
        if seen["answer"] == "yes":
            chosen = name
            break
    return Choice(chosen, {"decision": "playbook", "chosen": chosen, "looked_at": looked_at})


def in_order(version: Version, asked: str = "") -> list[tuple[str, Playbook]]:
    """Playbooks, the one asked for first, then the highest priority; equal ones by name."""
    return sorted(version.part(Playbook).items(), key=lambda one: (one[0] != asked, -one[1].priority, one[0]))


def in_traffic(seed: str, name: str, percent: int) -> bool:
    """Is this visitor in the share of traffic that `name` is for? Sticky: the same seed always gets the same answer."""
    return _fnv1a32(f"{seed}:{name}") % 100 < percent


def in_share(seed: str, percent: int) -> bool:
    """Is this visitor in the share that the whole site is for? The seed of a browser is a number from 0 to 1, so that
    the loader can tell without code for hashes."""
    try:
        number = float(seed)
    except ValueError:
        number = -1.0
    return number * 100 < percent if 0 <= number < 1 else in_traffic(seed, "site", percent)


def browser_playbooks(version: Version, now: datetime) -> list[dict[str, Any]]:
    """The `playbooks` of the config (docs/protocol.md), the highest priority first."""
    is_open = hours.is_open(version.site, now)
    return [_for_browser(version.site, name, one, is_open) for name, one in in_order(version)]


def _look_at(name: str, playbook: Playbook, values: Mapping[str, Any], seed: str, is_open: bool) -> dict[str, Any]:
    """What one playbook's lines answered; the first that is not yes is the reason."""
    if not _at_this_hour(playbook, is_open):
        return _seen(name, "no", f"only while {playbook.display.hours}")
    if not in_traffic(seed, name, playbook.traffic_percent):
        return _seen(name, "no", f"outside its {playbook.traffic_percent} % of visitors")
    saw: dict[str, Any] = {}
    answer: Answer = "yes"
    because = "every line of its audience is yes"
    for check in playbook.audience.checks:
        verdict = check.condition.judge(values)
        saw |= verdict.saw
        if verdict.answer != "yes" and answer != "no":
            answer, because = verdict.answer, f"{check.line}: {check.condition.text}"
        if answer == "no":
            break
    return _seen(name, answer, because, saw)


def _seen(name: str, answer: str, because: str, saw: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "answer": answer, "because": because, "saw": dict(saw or {})}


def _at_this_hour(playbook: Playbook, is_open: bool) -> bool:
    return playbook.display.hours == "any" or (playbook.display.hours == "open") == is_open


def _fnv1a32(text: str) -> int:
    """FNV-1a, 32 bits, over the characters of an ASCII text (Fowler, Noll, Vo); the widget computes the same."""
    number = 0x811C9DC5
    for letter in text:
        number = (number ^ ord(letter)) * 0x01000193 & 0xFFFFFFFF
    return number


def _for_browser(site: Site, name: str, playbook: Playbook, is_open: bool) -> dict[str, Any]:
    display = playbook.display
    shown: dict[str, Any] = {"show": display.show, "open": _at_this_hour(playbook, is_open)}
    if display.after_seconds is not None:
        shown["after"] = display.after_seconds
    if display.scroll_percent is not None:
        shown["scroll"] = display.scroll_percent
    if display.exit_intent:
        shown["exit"] = True
    if not display.on_click:
        shown["click"] = False
    trees = [check.condition.for_browser() for check in playbook.audience.checks]
    found = {"id": name, "traffic": playbook.traffic_percent, "if": ["and", *trees], "display": shown}
    opening = _opening(site, playbook)
    return found | ({"opening": opening} if opening else {})


def _opening(site: Site, playbook: Playbook) -> dict[str, str]:
    """What the playbook says first, per language, when a browser needs nothing from us to say it."""
    first = next((node for node in playbook.nodes if isinstance(node, Say | Ask)), None)
    text = first.say if isinstance(first, Say) else first.ask if isinstance(first, Ask) else None
    return _plain(site, text) if text else {}


def _plain(site: Site, text: LocaleText) -> dict[str, str]:
    known = {"site": {"name": site.name, "key": site.key, "zone": site.zone, "locale": site.locale}}
    known["agent"] = {"name": site.brand.agent_name}
    readable = {locale: one for locale, one in text.texts.items() if not _needs_server(one.tree)}
    return {locale or site.locale: one.render(known).strip() for locale, one in readable.items()}


def _needs_server(node: nodes.Node) -> bool:
    """Does a message say something that only the server knows, and nothing else in its place?"""
    if isinstance(node, nodes.Filter) and node.name in ("default", "d"):
        return False
    path = path_of(node)
    if path is not None:
        return path[0] not in ("site", "agent")
    inside = [*node.body, *node.elif_, *node.else_] if isinstance(node, nodes.If) else node.iter_child_nodes()
    return any(_needs_server(child) for child in inside)
