"""Which page may talk to which site: `Origin` against the list in site.yml, and the CORS headers that go with a yes."""

from __future__ import annotations

import logging

from flask import Response, current_app, request

from server import settings
from server.config import service as config
from server.config.schema import Site
from server.config.service import Version
from server.db import Database
from server.errors import Forbidden

_log = logging.getLogger("usher.origins")


def database() -> Database:
    """The app's database."""
    db: Database = current_app.extensions["usher_db"]
    return db


def allowed(version: Version, origin: str | None) -> bool:
    """True for an origin on the site's list, and for our own pages."""
    own = settings.get().public_url.rstrip("/")
    return bool(origin) and (origin == own or origin in version.part(Site).origins)


def site_of(key: str) -> Version:
    """The active version of a site, for a page that may use it. NotFound; Forbidden for any other.

    A browser names the origin of a page with every request to another origin. What carries none is refused as well,
    unless the browser says that it comes from a page of this very server.
    """
    version = config.active(database(), key)
    origin = request.headers.get("Origin")
    if origin is None and request.headers.get("Sec-Fetch-Site") == "same-origin":
        return version
    check(version, origin)
    return version


def check(version: Version, origin: str | None) -> None:
    """Forbidden, and one line in the log, for an origin that is not on the site's list, for `null` and for none."""
    if not allowed(version, origin):
        _log.warning("refused: origin %.200s is not on the list of site %s", origin or "(none)", version.site_key)
        page = f"The page {origin[:200]}" if origin else "A request without `Origin`"
        raise Forbidden(
            f"{page} is not on the list of origins of this site; its owner can add a page's origin to site.yml."
        )


def share(response: Response) -> Response:
    """Let the asking page read the answer."""
    origin = request.headers.get("Origin")
    if origin and origin != "null":
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers.add("Vary", "Origin")
    return response


def preflight() -> Response:
    """The answer to a browser that asks before it sends JSON. Forbidden for an origin on no site's list; what is sent
    then is checked against the list of its site."""
    origin, db = request.headers.get("Origin"), database()
    versions = [config.version(db, one.active_version_id) for one in config.sites(db) if one.active_version_id]
    if versions and not any(allowed(version, origin) for version in versions):
        check(versions[0], origin)
    response = current_app.response_class(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key"
    response.headers["Access-Control-Max-Age"] = "600"
    return share(response)
