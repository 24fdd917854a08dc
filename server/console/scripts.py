"""The console's scripts from npm (htmx and idiomorph), as `make assets` copied them."""

from __future__ import annotations

from flask import Blueprint, Response, send_from_directory

from server import settings
from server.errors import NotFound

bp = Blueprint("scripts", __name__)

NAMES = ("htmx.min.js", "idiomorph-ext.min.js")


@bp.get("/console/scripts/<name>")
def script(name: str) -> Response:
    """One script, asked for again when it changed."""
    folder = settings.get().assets_dir.parent / "console"
    if name not in NAMES or not (folder / name).is_file():
        raise NotFound("There is no such file.")
    return send_from_directory(folder, name, max_age=3600)
