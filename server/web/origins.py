"""Which page may talk to which site: `Origin` against the list in site.yml, and the CORS headers that go with a yes."""

from __future__ import annotations

from flask import Response, current_app, request

from server import settings
from server.config import service as config
from server.config.schema import Site
from server.config.service import Version
from server.db import Database
from server.errors import Forbidden


def database() -> Database:
    """The app's database."""
    db: Database = current_app.extensions["usher_db"]
    return db


def allowed(version: Version, origin: str | None) -> bool:
    """True for an origin on the site's list, and for our own pages."""
    own = settings.get().public_url.rstrip("/")
    return bool(origin) and (origin == own or origin in version.part(Site).origins)


def site_of(key: str) -> Version:
    """The active version of a site, for a page that may use it. NotFound; Forbidden for a foreign origin.

    A request without `Origin` comes from no page of another site (browsers always name it across origins).
    """
    version = config.active(database(), key)
    origin = request.headers.get("Origin")
    if origin is not None and not allowed(version, origin):
        raise Forbidden(
            f"The page {origin} is not on the list of origins of this site; its owner can add it to site.yml."
        )
    return version


def share(response: Response) -> Response:
    """Let the asking page read the answer."""
    origin = request.headers.get("Origin")
    if origin and origin != "null":
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers.add("Vary", "Origin")
    return response


def preflight() -> Response:
    """The answer to a browser that asks before it sends JSON."""
    response = current_app.response_class(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = "600"
    return share(response)
