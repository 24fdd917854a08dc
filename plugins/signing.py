"""Signed messages by the Standard Webhooks specification 1.0.0: what we send, and what is sent to us.

https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from plugins.emails import stable_id
from plugins.errors import PermissionDenied
from plugins.hooks import WINDOW_SECONDS

PREFIX = "whsec_"
SECRET = r"whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"  # noqa: S105 - a shape, no secret
"""What a signing secret looks like: 24 to 64 bytes in base64."""


def new_secret() -> str:
    """A secret nobody else has."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def name_of(key: str) -> str:
    """`webhook-id` for a delivery's key: the key itself where it can be one. It must hold no full stop."""
    return key if re.fullmatch(r"[A-Za-z0-9_:-]{1,150}", key) else stable_id("msg", key)


def signed(secrets: Iterable[str], id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers. Several secrets, the new and the old one, give as many signatures."""
    seconds = str(int(at.timestamp()))
    signatures = [f"v1,{_signature(secret, id, seconds, body)}" for secret in secrets if secret]
    return {"webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": " ".join(signatures)}


def verified(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], at: datetime) -> str:
    """The id of a message that one of `secrets` has signed within five minutes of `at`; PermissionDenied otherwise."""
    found = {name.lower(): value for name, value in headers.items()}
    id, seconds = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    if not id or not re.fullmatch(r"\d{1,12}", seconds):
        raise PermissionDenied("the message has no id or no timestamp")
    if abs(at.timestamp() - int(seconds)) > WINDOW_SECONDS:
        raise PermissionDenied("the message is too old, or from tomorrow")
    given = [one.removeprefix("v1,") for one in found.get("webhook-signature", "").split() if one.startswith("v1,")]
    right = [_signature(secret, id, seconds, body) for secret in secrets if secret]
    if not [1 for one in given for other in right if hmac.compare_digest(one.encode(), other.encode())]:
        raise PermissionDenied("the message is not signed with our secret")
    return id


def _signature(secret: str, id: str, seconds: str, body: bytes) -> str:
    digest = hmac.digest(_key(secret), f"{id}.{seconds}.".encode() + body, "sha256")
    return base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    """The bytes behind a secret; one in another shape is taken as it is written."""
    if secret.startswith(PREFIX):
        with suppress(binascii.Error):
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return secret.encode()
