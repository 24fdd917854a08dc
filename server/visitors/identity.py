"""Who a page's user is, proven by a token that the site's own server signed (JWT, RFC 7519; HS256, RFC 7518).

Judges tokens; what follows is in signing_in.py. Why a token was refused goes into the diary, never to the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from sqlalchemy import Connection

from server import clock, ids
from server.db.storing import storable
from server.errors import NotFound
from server.visitors import keys, store
from server.visitors.store import Visitor

MOST_SECONDS = 3600
LEEWAY_SECONDS = 30
MOST_TOKEN, MOST_SUB, MOST_VALUE, MOST_VALUES = 8000, 200, 500, 50
SESSION, SESSION_PURPOSE = timedelta(hours=12), "identity session"
REFUSED, EXPIRED = "identity_refused", "identity_expired"
CLAIMS = {name: name for name in ("email", "name", "phone", "company", "title")} | {"phone_number": "phone"}
"""Claims about the person → how we call them; OpenID Connect's names where it has some."""


@dataclass(frozen=True)
class Person:
    """Who somebody is, as the site signed it. `values`: email, name, phone, company, title and the site's own names."""

    sub: str
    key_id: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """`code` is for the page; `why` for the diary; `sub` only where the signature was good."""

    code: str
    why: str
    sub: str = ""


def judge(tx: Connection, site_id: str, site_key: str, token: str) -> Person | Refusal:
    """The person of a token, or why it is not taken."""
    claims, key_id = _signed_claims(keys.valid(tx, site_id), token)
    if claims is None:
        return Refusal(REFUSED, "the signature is not of one of the site's keys")
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= MOST_SUB or not storable(sub):
        return Refusal(REFUSED, f"`sub` must be a text of 1 to {MOST_SUB} characters")
    if problem := _fault_in_audience(claims, site_key) or _fault_in_times(claims):
        return Refusal(REFUSED, problem, sub)
    if claims["exp"] + LEEWAY_SECONDS < clock.now().timestamp():
        return Refusal(EXPIRED, "the token has expired", sub)
    keys.used(tx, key_id)
    return Person(sub, key_id, _values(claims))


def session(site_id: str, visitor_id: str, key_id: str) -> str:
    """What a page that has shown a good token comes back with after a cut, kept in its memory only: good for half a
    day, on this site, as long as the key of the token is valid."""
    until = int((clock.now() + SESSION).timestamp())
    return ids.sign(SESSION_PURPOSE, [site_id, visitor_id, key_id, until])


def of_session(tx: Connection, site_id: str, token: str | None) -> Visitor | None:
    """The signed-in visitor of a `session`; None when it is none, or is over."""
    try:
        of_site, visitor_id, key_id, until = ids.unsign(SESSION_PURPOSE, token or "")
    except (NotFound, ValueError, TypeError):
        return None
    if of_site != site_id or until < clock.now().timestamp() or not keys.is_valid(tx, site_id, key_id):
        return None
    found = store.get(tx, visitor_id)
    return found if found is not None and found.identity else None


def _signed_claims(secrets: Mapping[str, bytes], token: str) -> tuple[dict[str, Any] | None, str]:
    """Claims and key of a token signed with one of these. Every key that can be meant is tried, in constant time each:
    PyJWT compares with hmac.compare_digest."""
    if len(token) > MOST_TOKEN:
        return None, ""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        return None, ""
    meant = {name: secret for name, secret in secrets.items() if kid in (None, name)}
    found: tuple[dict[str, Any] | None, str] = (None, "")
    for name, secret in meant.items():
        try:
            found = jwt.decode(token, secret, algorithms=["HS256"], options=_SIGNATURE_ONLY), name
        except (jwt.PyJWTError, RecursionError):
            continue
    return found


# Times are judged by our own clock, and the audience may be missing: PyJWT looks at the signature only.
_END_OF_TIME = 1e11  # seconds: far beyond any date, and no NaN or infinity is below it
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_SIGNATURE_ONLY: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


def _fault_in_audience(claims: Mapping[str, Any], site_key: str) -> str:
    told = claims.get("aud", site_key)
    return "" if site_key in (told if isinstance(told, list) else [told]) else "`aud` names another site"


def _fault_in_times(claims: Mapping[str, Any]) -> str:
    """What is wrong with the times, if anything; an `exp` that has passed is no fault here."""
    now = clock.now().timestamp()
    times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
    if "exp" not in times:
        return "`exp` is missing"
    for name, at in times.items():
        if isinstance(at, bool) or not isinstance(at, int | float) or not abs(at) < _END_OF_TIME:
            return f"`{name}` must be a number of seconds since 1970"
    start = min(now, times.get("iat", now))
    if times["exp"] - start > MOST_SECONDS + LEEWAY_SECONDS:
        return "the token is good for more than an hour"
    if max(times.get("iat", now), times.get("nbf", now)) > now + LEEWAY_SECONDS:
        return "the token is not good yet"
    return ""


def _values(claims: Mapping[str, Any]) -> dict[str, Any]:
    """What is signed about the person, flat and storable; an address that is not theirs for sure is left out."""
    own = claims.get("attributes")
    told = {str(name): value for name, value in own.items()} if isinstance(own, Mapping) else {}
    person = {name: claims[claim] for claim, name in CLAIMS.items() if isinstance(claims.get(claim), str)}
    told = person | {name: value for name, value in told.items() if name not in CLAIMS}
    if claims.get("email_verified") is False or not _ADDRESS.fullmatch(str(told.get("email", "")).strip()):
        told.pop("email", None)
    kept = {name[:60]: _trimmed(value) for name, value in told.items() if storable(name) and _is_plain(value)}
    return dict(list({name: value for name, value in kept.items() if value not in ("", None)}.items())[:MOST_VALUES])


def _trimmed(value: Any) -> Any:
    return value.strip()[:MOST_VALUE] if isinstance(value, str) else value


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | int) or (isinstance(value, str) and storable(value))
