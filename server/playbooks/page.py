"""What a browser tells of the page and the visit, in the shapes that conditions read; nonsense is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_LONGEST = 500  # characters of an address, a title and the like
_MOST_PAGES = 50
_MOST_PARAMETERS = 30


def page_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """The `page` namespace: url, path, title, referrer as text, query and utm as text by name."""
    page: dict[str, Any] = {name: _text(told.get(name)) for name in ("url", "path", "title", "referrer")}
    if not _is_address(page["referrer"]):
        page["referrer"] = ""
    return page | {name: _texts(told.get(name)) for name in ("query", "utm")}


def visit_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """`count` and `pages` as docs/protocol.md has them, numbers being finite."""
    pages = told.get("pages")
    seen = [page for page in pages if isinstance(page, Mapping)] if isinstance(pages, list) else []
    return {"count": _number(told.get("count")) or 1, "pages": [_page_view(page) for page in seen[-_MOST_PAGES:]]}


def seen_so_far(visit: Mapping[str, Any]) -> dict[str, Any]:
    """The `visit` namespace as far as a browser tells it: pages seen and seconds on the latest."""
    pages = visit.get("pages") or []
    seconds = pages[-1].get("seconds") if pages else None
    return {"pages_seen": len(pages) + 1} | ({} if seconds is None else {"seconds_on_page": seconds})


def _page_view(page: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: _text(page.get(name)) for name in ("path", "title")}
    return texts | {name: _number(page.get(name)) for name in ("seconds", "scroll", "words")}


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(max(0, min(value, 1_000_000_000)))


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    told = [(str(key)[:60], _text(one)) for key, one in value.items() if isinstance(one, str)]
    return dict(told[:_MOST_PARAMETERS])


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _is_address(text: str) -> bool:
    try:
        urlsplit(text).hostname  # noqa: B018 - reading it is the test
    except ValueError:
        return False
    return True
