"""An alert in Slack's own form: Block Kit with a text for those who see no blocks, everything escaped."""

from __future__ import annotations

from typing import Any

from plugins.notify import Alert
from plugins.notify.wording import shortened

HEADER, SECTION, FACT, FACTS = 150, 3000, 2000, 10
"""Slack's limits in characters and number (Block Kit reference)."""


def escaped(text: str) -> str:
    """Text in which nothing mentions, links or notifies (Slack's own rule: these three, no others)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def summary(alert: Alert) -> str:
    """One line for notifications and screen readers."""
    return escaped(shortened(f"{alert.title}: {alert.text}" if alert.text else alert.title, 300))


def blocks(alert: Alert) -> list[dict[str, Any]]:
    """Head, text, facts in two columns, a button to open it."""
    mark = "🔔 " if alert.urgent else ""
    found: list[dict[str, Any]] = [_head(shortened(mark + alert.title, HEADER))]
    if alert.text:
        found.append({"type": "section", "text": _text(alert.text, SECTION)})
    facts = [_fact(label, value) for label, value in list(alert.facts.items())[:FACTS]]
    if facts:
        found.append({"type": "section", "fields": facts})
    if alert.url:
        found.append({"type": "actions", "elements": [_button(alert.url)]})
    return found


def _head(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _text(text: str, most: int) -> dict[str, Any]:
    """Escaping makes text longer: it is shortened until what goes out fits."""
    room = most
    while len(escaped(short := shortened(text, room))) > most:
        room -= max(1, (len(escaped(short)) - most) // 5)
    return {"type": "mrkdwn", "text": escaped(short), "verbatim": True}


def _fact(label: str, value: str) -> dict[str, Any]:
    return _text(f"*{label}*\n{value}", FACT)


def _button(url: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": shortened(url, 3000)}
