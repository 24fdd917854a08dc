"""What may be asked about connections: which adapter serves a site, with which settings, and how it stands."""

from __future__ import annotations

from server.adapters.connecting import Given, connect, disconnect, draft, keep_draft
from server.adapters.connection import BROKEN, DRAFT, OFF, WORKING, Connection
from server.adapters.found import all_of, get, is_connected, serving
from server.adapters.health import failed, watched, worked
from server.adapters.opening import open, open_built_in

__all__ = [
    "BROKEN",
    "DRAFT",
    "OFF",
    "WORKING",
    "Connection",
    "Given",
    "all_of",
    "connect",
    "disconnect",
    "draft",
    "failed",
    "get",
    "is_connected",
    "keep_draft",
    "open",
    "open_built_in",
    "serving",
    "watched",
    "worked",
]
