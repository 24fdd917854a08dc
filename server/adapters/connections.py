"""What may be asked about connections: which adapter serves a site, with which settings, and how it stands."""

from __future__ import annotations

from server.adapters.agreeing import Answer, begin, finish, redirect_address, sign_in_of
from server.adapters.connecting import Given, connect, disconnect, draft, keep_draft
from server.adapters.connection import BROKEN, DRAFT, OFF, WORKING, Connection
from server.adapters.found import all_of, get, is_connected, serving
from server.adapters.health import failed, watched, worked
from server.adapters.opening import open, open_built_in

__all__ = [
    "Answer",
    "BROKEN",
    "DRAFT",
    "OFF",
    "WORKING",
    "Connection",
    "Given",
    "all_of",
    "begin",
    "connect",
    "disconnect",
    "draft",
    "failed",
    "finish",
    "get",
    "is_connected",
    "keep_draft",
    "open",
    "open_built_in",
    "redirect_address",
    "serving",
    "sign_in_of",
    "watched",
    "worked",
]
