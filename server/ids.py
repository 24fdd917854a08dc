"""Ids, secrets and signed texts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from itsdangerous import BadSignature, URLSafeSerializer

from server.errors import NotFound, Unavailable

PREFIXES = {
    "answer": "ans",
    "assignment": "asg",
    "attempt": "att",
    "block": "blk",
    "connection": "con",
    "conversation": "cnv",
    "credit": "crd",
    "crm_report": "crp",
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
_old_keys: tuple[bytes, ...] = ()
_last = 0
_lock = threading.Lock()


def new_id(kind: str) -> str:
    """A new id such as `mtg_01hq…`: sorts by when it was made, within a process also inside one millisecond, so that
    what one transaction writes stays in its order."""
    global _last
    with _lock:
        number = _last = max((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80), _last + 1)
    return _spelled(kind, number)


def named_id(kind: str, *names: str) -> str:
    """The id of what is known by its names already: always the same for the same ones."""
    return _spelled(kind, int.from_bytes(hashlib.sha256("\0".join(names).encode()).digest()[:16]))


def new_token() -> str:
    """A secret for one holder: 256 random bits as text. Store only its `digest`."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What may be stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_digest(purpose: str, text: str) -> str:
    """The same for the same text, and without our key nobody can find out by trying whose it is (HMAC-SHA256)."""
    return hmac.new(_key, f"usher.{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def use_key(secret: str, old: Sequence[str] = ()) -> None:
    """Set the key that `sign` and `seal` work with; called once by the app, the worker and the commands. What was
    signed or sealed under one of the `old` ones is still good, and nothing new is."""
    global _key, _old_keys
    _key, _old_keys = secret.encode(), tuple(one.encode() for one in old)


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
    """The secret of `seal`. Unavailable when it was sealed under a USHER_SECRET_KEY that is not among the
    USHER_OLD_SECRET_KEYS either, or tampered with."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unavailable("A secret was stored under another USHER_SECRET_KEY and cannot be read.") from None


def resealed(purpose: str, sealed: str) -> str | None:
    """The same secret under the present key, None when it lies under it already. Unavailable as for `unseal`."""
    try:
        _boxes(purpose)[0].decrypt(sealed.encode())
    except InvalidToken:
        return seal(purpose, unseal(purpose, sealed))
    return None


def _box(purpose: str) -> MultiFernet:
    """Seals under the present key, and opens what any of ours has sealed."""
    return MultiFernet(_boxes(purpose))


@lru_cache(maxsize=32)
def _made(purpose: str, keys: tuple[bytes, ...]) -> tuple[Fernet, ...]:
    derived = (HKDF(algorithm=SHA256(), length=32, salt=None, info=f"usher.{purpose}".encode()).derive(k) for k in keys)
    return tuple(Fernet(base64.urlsafe_b64encode(one)) for one in derived)


def _boxes(purpose: str) -> tuple[Fernet, ...]:
    return _made(purpose, _keys())


def _serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(list(reversed(_keys())), salt=f"usher.{purpose}")


def _keys() -> tuple[bytes, ...]:
    """The present one first."""
    if not _key:
        raise RuntimeError("ids.use_key() was not called")
    return (_key, *_old_keys)


def _spelled(kind: str, number: int) -> str:
    return f"{PREFIXES[kind]}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
