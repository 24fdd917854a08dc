"""What a page needs to know before anybody opens the chat: one small answer that browsers may keep."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, request

from server import clock
from server.config.schema import Site
from server.config.service import Version
from server.playbooks import targeting
from server.web import assets, origins
from server.web.words import WORDS

bp = Blueprint("site_config", __name__)

FRESH_SECONDS = 60


@bp.get("/v1/sites/<key>/config")
def site_config(key: str) -> Response:
    """The config of docs/protocol.md, with an ETag."""
    body = json.dumps(shape(origins.site_of(key)), ensure_ascii=False, separators=(",", ":"))
    small = request.accept_encodings["gzip"] > 0
    response = Response(_packed(body) if small else body, content_type="application/json")
    if small:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}, stale-while-revalidate=600"
    response.add_etag()
    response.make_conditional(request)
    return origins.share(response)


@lru_cache(maxsize=100)
def _packed(body: str) -> bytes:
    return gzip.compress(body.encode(), mtime=0)  # without the time: the same config has the same ETag


def shape(version: Version) -> dict[str, Any]:
    """The config as JSON."""
    site = version.part(Site)
    brand = site.brand
    ahead = {"ahead": True} if site.enrichment.when == "page_load" else {}
    return ahead | {
        "site": site.key,
        "version": version.number,
        "name": site.name,
        "locale": site.locale,
        "locales": site.languages,
        "brand": {
            "color": f"light-dark({brand.color},{brand.color_dark})" if brand.color_dark else brand.color,
            "scheme": "light dark" if brand.scheme == "auto" else brand.scheme,
            "agent_name": brand.agent_name,
            "logo": brand.logo,
            "position": brand.position,
            "x": brand.offset_x,
            "y": brand.offset_y,
            "z": brand.z_index,
            "launcher": brand.launcher.plain(),
        },
        "consent": site.consent,
        "traffic": site.traffic_percent,
        "pages": site.pages.expression,
        "panel": assets.address("panel"),
        "sorry": {locale: WORDS[locale]["unreached"] for locale in site.languages if locale in WORDS},
        "playbooks": targeting.browser_playbooks(version, clock.now()),
    }
