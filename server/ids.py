"""Ids, secrets and signed texts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadSignature, URLSafeSerializer

from server.errors import NotFound, Unavailable

PREFIXES = {
    "answer": "ans",
    "assignment": "asg",
    "attempt": "att",
    "block": "blk",
    "conversation": "cnv",
    "credit": "crd",
    "delivery": "dlv",
    "event": "evt",
    "identity_key": "idk",
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


def keyed_digest(purpose: str, text: str) -> str:
    """The same for the same text, and without our key nobody can find out by trying whose it is (HMAC-SHA256)."""
    return hmac.new(_key, f"usher.{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def use_key(secret: str) -> None:
    """Set the key that `sign` works with; called once by the app, the worker and the commands."""
    global _key
    _key = secret.encode()


def sign(purpose: str, payload: Any) -> str:
    """A text that carries `payload` and cannot be forged; the same for ever, and no good for another purpose."""
    return str(_serializer(purpose).dumps(payload))


def unsign(purpose: str, text: str) -> Any:
    """The payload of `sign`; NotFound when it was tampered with."""
    try:
        return _serializer(purpose).loads(text)
    except BadSignature:
        raise NotFound("This link is not valid; copy it whole from the mail it came in.") from None


def seal(purpose: str, secret: str) -> str:
    """A secret as it may be stored: encrypted (Fernet: AES-128-CBC with HMAC-SHA256) under a key made from our own."""
    return _box(purpose).encrypt(secret.encode()).decode()


def unseal(purpose: str, sealed: str) -> str:
    """The secret of `seal`. Unavailable when it was sealed under another USHER_SECRET_KEY, or tampered with."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unavailable("A secret was stored under another USHER_SECRET_KEY and cannot be read.") from None


def _box(purpose: str) -> Fernet:
    if not _key:
        raise RuntimeError("ids.use_key() was not called")
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"usher.{purpose}".encode()).derive(_key)
    return Fernet(base64.urlsafe_b64encode(derived))


def _serializer(purpose: str) -> URLSafeSerializer:
    if not _key:
        raise RuntimeError("ids.use_key() was not called")
    return URLSafeSerializer(_key, salt=f"usher.{purpose}")
