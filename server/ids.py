"""Ids, secrets and signed texts."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from server.errors import Gone, NotFound

PREFIXES = {
    "answer": "ans",
    "assignment": "asg",
    "attempt": "att",
    "block": "blk",
    "conversation": "cnv",
    "credit": "crd",
    "delivery": "dlv",
    "event": "evt",
    "lead": "led",
    "account": "acc",
    "meeting": "mtg",
    "message": "msg",
    "page_view": "pgv",
    "session": "ses",
    "site": "sit",
    "user": "usr",
    "value": "val",
    "version": "ver",
    "visitor": "vis",
    "enrolment": "enr",
}
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_key = b""
_last = 0
_lock = threading.Lock()


def new_id(kind: str) -> str:
    """A new id such as `mtg_01hq…`: sorts by when it was made, within a process also inside one millisecond, so that
    what one transaction writes stays in its order."""
    global _last
    with _lock:
        number = _last = max((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80), _last + 1)
    return f"{PREFIXES[kind]}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def new_token() -> str:
    """A secret for one holder: 256 random bits as text. Store only its `digest`."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What may be stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def use_key(secret: str) -> None:
    """Set the key that `sign` works with; called once by the app, the worker and the commands."""
    global _key
    _key = secret.encode()


def sign(purpose: str, payload: Any) -> str:
    """A text that carries `payload` and cannot be forged; a signature for one purpose is no good for another."""
    return _serializer(purpose).dumps(payload)


def unsign(purpose: str, text: str, *, max_age_seconds: int | None = None) -> Any:
    """The payload of `sign`; NotFound when it was tampered with, Gone when it is too old."""
    try:
        return _serializer(purpose).loads(text, max_age=max_age_seconds)
    except SignatureExpired:
        raise Gone("This link has expired; ask for a new one.") from None
    except BadSignature:
        raise NotFound("This link is not valid; copy it whole from the mail it came in.") from None


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    if not _key:
        raise RuntimeError("ids.use_key() was not called")
    return URLSafeTimedSerializer(_key, salt=f"usher.{purpose}")
