"""What may be asked about connections: which adapter serves a site, with which settings, and how it stands."""

from __future__ import annotations

from server.adapters.agreeing import Answer, begin, finish, redirect_address
from server.adapters.checking import any_broken, check, check_broken, reseal
from server.adapters.connecting import (
    OPERATORS,
    Given,
    connect,
    disconnect,
    draft,
    keep_draft,
    needs_sign_in,
    secret_names,
)
from server.adapters.connection import BROKEN, DRAFT, OFF, WORKING, Connection
from server.adapters.found import all_of, broken_ones, get, is_connected, serving
from server.adapters.health import failed, watched, worked
from server.adapters.opening import given_by_environment, has_sign_in, open, open_built_in, sign_in_of

__all__ = [
    "Answer",
    "BROKEN",
    "DRAFT",
    "OFF",
    "OPERATORS",
    "WORKING",
    "Connection",
    "Given",
    "all_of",
    "any_broken",
    "begin",
    "broken_ones",
    "check",
    "check_broken",
    "connect",
    "disconnect",
    "draft",
    "failed",
    "finish",
    "get",
    "given_by_environment",
    "has_sign_in",
    "is_connected",
    "keep_draft",
    "needs_sign_in",
    "open",
    "open_built_in",
    "redirect_address",
    "reseal",
    "secret_names",
    "serving",
    "sign_in_of",
    "watched",
    "worked",
]
