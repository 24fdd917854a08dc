"""The widget's files: the loader under a lasting address, all else immutable under its hash; compressed beforehand."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from server import settings
from server.errors import NotFound, Unavailable

bp = Blueprint("assets", __name__)

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".map": "application/json",
}
LOADER_SECONDS = 300
HASHED = re.compile(r"([a-z-]+)-[0-9a-f]{10}\.js")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


@bp.get("/w.js")
def loader() -> Response:
    """The script that a website pastes."""
    response = _file(manifest()["loader"]["file"])
    response.headers["Cache-Control"] = f"public, max-age={LOADER_SECONDS}, stale-while-revalidate=86400"
    return response


@bp.get("/assets/<name>")
def asset(name: str) -> Response:
    """A file whose name carries the hash of what is in it.

    A page that was open while a newer build came still asks for the old names: it gets the newer file, kept by nobody.
    """
    newer = _newer(name)
    response = _file(newer or name)
    response.headers["Cache-Control"] = "no-cache" if newer else "public, max-age=31536000, immutable"
    return response


def address(part: str) -> str:
    """Where a part of the widget lies, such as `/assets/panel-1a2b3c4d.js`."""
    return f"/assets/{manifest()[part]['file']}"


def manifest() -> dict[str, Any]:
    """What `make assets` built. Unavailable when it was not run."""
    path = settings.get().assets_dir / "manifest.json"
    try:
        return _manifest(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise Unavailable("The widget is not built yet: run `make assets`.") from None


def _newer(name: str) -> str | None:
    """The present file of the part that an old name belongs to; None when the name is not an old one."""
    hashed = HASHED.fullmatch(name)
    part = manifest().get(hashed[1]) if hashed else None
    return str(part["file"]) if part and part["file"] != name else None


@lru_cache(maxsize=2)
def _manifest(path: Path, _changed: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _file(name: str) -> Response:
    path = settings.get().assets_dir / name
    if not NAME.fullmatch(name) or path.suffix not in TYPES or not path.is_file():
        raise NotFound("There is no such file.")
    encoding, body, tag = _read(path, path.stat().st_mtime_ns, _accepted())
    response = Response(body, content_type=TYPES[path.suffix])
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(tag + encoding)
    response.make_conditional(request)
    return response


def _accepted() -> tuple[str, ...]:
    return tuple(name for name, _ in _ENCODINGS if request.accept_encodings[name] > 0)


@lru_cache(maxsize=100)
def _read(path: Path, _changed: int, accepted: tuple[str, ...]) -> tuple[str, bytes, str]:
    plain = path.read_bytes()
    tag = hashlib.sha256(plain).hexdigest()[:16]
    for encoding, suffix in _ENCODINGS:
        packed = path.with_name(path.name + suffix)
        if encoding in accepted and packed.is_file():
            return encoding, packed.read_bytes(), tag
    return "", plain, tag
