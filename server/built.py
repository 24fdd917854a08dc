"""What `make assets` has built: the widget's files by part, and the script tags that load them."""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from server import settings
from server.errors import Unavailable

PINNED = "pinned"  # the loader that takes nothing but the files of its own build


def manifest() -> dict[str, Any]:
    """By part: `file`, `sri` and sizes. Unavailable when `make assets` was not run."""
    path = settings.get().assets_dir / "manifest.json"
    try:
        return _manifest(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise Unavailable("The widget is not built yet: run `make assets`.") from None


def loader() -> str:
    """The address of the loader that is always the newest."""
    return f"{_public()}/w.js"


def pinned() -> dict[str, str]:
    """The loader of the present build: `src`, and `integrity` (W3C Subresource Integrity)."""
    entry = manifest()[PINNED]
    return {"src": f"{_public()}/assets/{entry['file']}", "integrity": str(entry["sri"])}


def script_tag(site_key: str, *, pin: bool = False) -> str:
    """The one tag that a website pastes; with `pin`, the one that never loads another build than the present one."""
    if not pin:
        return f'<script async src="{escape(loader())}" data-site="{escape(site_key)}"></script>'
    of = pinned()
    return (
        f'<script async src="{escape(of["src"])}" integrity="{of["integrity"]}" crossorigin'
        f' data-site="{escape(site_key)}"></script>'
    )


@lru_cache(maxsize=2)
def _manifest(path: Path, _changed: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _public() -> str:
    return settings.get().public_url.rstrip("/")
