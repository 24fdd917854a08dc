"""The widget's files: the loader under a lasting address, all else immutable under its hash; compressed beforehand.

Earlier builds stay where they were built (widget/build.mjs keeps ten), so that pages pinned to one go on working.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, jsonify, request

from server import built, settings
from server.errors import Gone, NotFound

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
    response = _file(built.manifest()["loader"]["file"])
    response.headers["Cache-Control"] = f"public, max-age={LOADER_SECONDS}, stale-while-revalidate=86400"
    return response


@bp.get("/loader.json")
def loaders() -> Response:
    """Both addresses of the loader; the pinned one with its Subresource Integrity hash."""
    response = jsonify({"latest": {"src": built.loader()}, "pinned": built.pinned()})
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/assets/<name>")
def asset(name: str) -> Response:
    """A file whose name carries the hash of what is in it.

    A page that was open while a newer build came still asks for the old names. It gets the old file, or when that is
    gone the newer one, kept by nobody; but never for the pinned loader, whose page would not take another: Gone.
    """
    newer = _newer(name)
    response = _file(newer or name)
    response.headers["Cache-Control"] = "no-cache" if newer else "public, max-age=31536000, immutable"
    return response


def address(part: str) -> str:
    """Where a part of the widget lies, such as `/assets/panel-1a2b3c4d.js`."""
    return f"/assets/{built.manifest()[part]['file']}"


def _newer(name: str) -> str | None:
    """The present file of the part that a name we no longer have belongs to; None when the name is not such a one."""
    hashed = HASHED.fullmatch(name)
    part = built.manifest().get(hashed[1]) if hashed else None
    if not part or (settings.get().assets_dir / name).is_file():
        return None
    if hashed and hashed[1] == built.PINNED:
        raise Gone("This build of the widget is no longer kept here. `usher snippet --pinned` prints the present tag.")
    return str(part["file"])


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
