"""The desk of owner, marketing, supervisors and reps: one page is one module with a `bp` and templates/<page>/."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from flask import Blueprint, Flask

from server.console import gate, glass


def init_app(app: Flask) -> None:
    """Hang up every page of this folder behind one gate (sign-in, CSRF)."""
    console = Blueprint(
        "console", __name__, template_folder="templates", static_folder="static", static_url_path="/console/static"
    )
    gate.init_app(app, console)
    glass.init_app(app)
    for page in _pages():
        console.register_blueprint(page)
    app.register_blueprint(console)


def _pages() -> Iterator[Blueprint]:
    """The blueprints of the modules beside this one, by name."""
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        page = getattr(importlib.import_module(f"{__name__}.{found.name}"), "bp", None)
        if page is not None:
            yield page
