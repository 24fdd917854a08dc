"""What may be asked about connections: which adapter serves a site, with which settings, and how it stands."""

from __future__ import annotations

from server.adapters.agreeing import Answer, begin, finish, redirect_address
from server.adapters.checking import any_broken, check, check_broken, reseal
from server.adapters.confirming import confirm
from server.adapters.connecting import connect, disconnect, keep_draft, needs_sign_in
from server.adapters.connection import BROKEN, DRAFT, OFF, WORKING, Connection
from server.adapters.drafting import Given, draft, secret_names
from server.adapters.found import all_of, broken_ones, counts, get, is_connected, serving
from server.adapters.health import failed, is_news, refusal, to_asker, watched, worked
from server.adapters.hooks import (
    Message,
    claim_message,
    forget_old,
    has_messages,
    hear,
    keep_message,
    messages_waiting,
    retry_messages,
    secret_of,
    settle_message,
    unsettled_messages,
)
from server.adapters.hooks import address_of as hook_address
from server.adapters.opening import (
    given_by_environment,
    has_sign_in,
    open,
    open_built_in,
    operators_own,
    sign_in_of,
)

__all__ = [
    "Answer",
    "BROKEN",
    "DRAFT",
    "OFF",
    "WORKING",
    "Connection",
    "Given",
    "Message",
    "all_of",
    "any_broken",
    "begin",
    "broken_ones",
    "check",
    "check_broken",
    "claim_message",
    "confirm",
    "connect",
    "counts",
    "disconnect",
    "draft",
    "failed",
    "finish",
    "forget_old",
    "get",
    "given_by_environment",
    "has_messages",
    "has_sign_in",
    "hear",
    "hook_address",
    "is_connected",
    "is_news",
    "keep_draft",
    "keep_message",
    "messages_waiting",
    "needs_sign_in",
    "open",
    "open_built_in",
    "operators_own",
    "redirect_address",
    "refusal",
    "reseal",
    "retry_messages",
    "secret_names",
    "secret_of",
    "serving",
    "settle_message",
    "sign_in_of",
    "to_asker",
    "unsettled_messages",
    "watched",
    "worked",
]
