"""A conversation as people read it: days, who said what, what was offered below it and what was chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from markupsafe import Markup, escape

from server.console import glass

GOOD_SCHEMES = ("http", "https", "mailto", "tel")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\(([^)\s]{1,2000})\)")


@dataclass(frozen=True)
class Offer:
    """One thing that could be chosen, or a word on what was shown."""

    label: str
    chosen: bool = False


@dataclass(frozen=True)
class Line:
    """One message. `new_day` is the day's name when the message is its first."""

    message: Any
    text: Markup
    offers: Sequence[Offer]
    citations: Sequence[tuple[str, str]]
    new_day: str


def lines(messages: Sequence[Any], origin: str, zone: str) -> list[Line]:
    """The messages in order. Links without a host belong to the visitor's website (`origin`)."""
    return list(_lines(messages, origin, zone))


def formatted(text: str, origin: str) -> Markup:
    """A bot's or rep's text: `**bold**` and `[title](address)` mean what they say; everything else is text."""
    marked = _BOLD.sub(r"<strong>\1</strong>", str(escape(text)))
    return Markup(_LINK.sub(lambda found: _anchor(found[1], found[2], origin), marked))  # noqa: S704 (escaped above)


def good_address(address: str, origin: str) -> str:
    """The whole address; empty when a browser could do something else with it than go there."""
    whole = urljoin(f"{origin}/", address)
    return whole if urlsplit(whole).scheme in GOOD_SCHEMES else ""


def _lines(messages: Sequence[Any], origin: str, zone: str) -> Iterator[Line]:
    day = ""
    for place, message in enumerate(messages):
        today = glass.day(message.at, zone)
        answer = next((later for later in messages[place + 1 :] if later.author == "visitor"), None)
        plain = message.author == "visitor"
        yield Line(
            message=message,
            text=escape(message.text) if plain else formatted(message.text, origin),
            offers=_offers(message.part or {}, answer.value or {} if answer is not None else {}, zone),
            citations=[(one["title"], good_address(str(one.get("url", "")), origin)) for one in message.citations],
            new_day=today if today != day else "",
        )
        day = today


def _anchor(title: str, address: str, origin: str) -> str:
    """Both parts are escaped already."""
    whole = good_address(str(Markup(address).unescape()), origin)  # noqa: S704 (only to undo the escaping)
    return f'<a href="{escape(whole)}" rel="noopener noreferrer" target="_blank">{title}</a>' if whole else title


def _offers(part: Mapping[str, Any], value: Mapping[str, Any], zone: str) -> list[Offer]:
    match part.get("kind"):
        case "choices":
            picked = [value.get("option"), *_list(value.get("options"))]
            return [Offer(one["label"], one["id"] in picked) for one in part["options"]]
        case "slots":
            slot, suggested = value.get("slot"), [*part.get("suggested", ())]
            rest = [slot] if _is_moment(slot) and slot not in suggested else []
            return [Offer(_moment(one, zone), one == slot) for one in [*suggested, *rest]]
        case "form":
            return [Offer(f"Form: {', '.join(field['label'] for field in part['fields'])}", "form" in value)]
        case "meeting":
            about = part["meeting"]
            return [Offer(f"{about['name']}, {_moment(about['start'], zone)} with {about['rep']['name']}")]
        case "offer":
            return [Offer(part["title"])]
        case "handoff":
            return [Offer(f"Asked for a person ({part['queue']})")]
        case "fallback":
            return [Offer(one["label"], one["id"] == value.get("action")) for one in part["actions"]]
    return []


def _list(value: Any) -> Sequence[Any]:
    """What a browser sent is not always what the protocol says."""
    return value if isinstance(value, list) else ()


def _is_moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None and 1970 < datetime.fromisoformat(value).year < 2500
    except (ValueError, TypeError):
        return False


def _moment(text: str, zone: str) -> str:
    return glass.moment(datetime.fromisoformat(text), zone)
