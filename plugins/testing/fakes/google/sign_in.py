"""Google's sign-in: consent in the browser, tokens for codes, refresh tokens and the assertions of service accounts."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.server import Fake, Refusal, on

SCOPE = "https://www.googleapis.com/auth/"
SCOPES = frozenset(
    f"{SCOPE}calendar{name}"
    for name in (
        "", ".readonly", ".freebusy", ".events", ".events.owned", ".events.freebusy", ".events.readonly",
        ".calendarlist", ".calendarlist.readonly",
    )
)  # fmt: skip
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ID, CLIENT_SECRET = "123-usher.apps.googleusercontent.com", "GOCSPX-made-up-secret"  # noqa: S105 - of the fake
LASTS = 3599
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whom an assertion must be for, wherever the fake stands: google-auth names no other."""


@dataclass
class Token:
    """Who calls with it, and what they may. `as_service`: a service account that acts as nobody."""

    email: str
    scopes: frozenset[str]
    as_service: bool = False
    refresh: str = ""
    expired: bool = False


@dataclass(frozen=True)
class _Code:
    email: str
    scopes: frozenset[str]
    redirect: str
    challenge: str


@dataclass
class _ServiceAccount:
    domain: str
    delegated: frozenset[str]


class GoogleSignIn(Fake):
    """`person` is who sits in the browser at the consent screen; `unticked` are the scopes they take out there."""

    def reset(self) -> None:
        """As new, at the same address."""
        self.asked.clear()
        self.faults.clear()
        self.person = ""
        self.unticked: Collection[str] = ()
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, Token] = {}
        self._codes: dict[str, _Code] = {}
        self._services: dict[str, _ServiceAccount] = {}

    def grant(self, email: str, scopes: Collection[str] = ()) -> dict[str, Any]:
        """The tokens that a person's consent gives; all scopes of our adapter when none are named."""
        wanted = scopes or [
            f"{SCOPE}calendar{name}" for name in (".events.freebusy", ".calendarlist.readonly", ".events.owned")
        ]
        given = self._given(Token(email, frozenset(wanted), refresh=f"1//{uuid4().hex}"))
        given["expires_at"] = time.time() + given.pop("expires_in")
        return given

    def expire(self) -> None:
        """All access tokens end; refresh tokens stay good."""
        for token in self.tokens.values():
            token.expired = True

    def withdraw(self, email: str) -> None:
        """The person takes their consent back, or it ended (after seven days for apps in testing)."""
        self.tokens = {name: one for name, one in self.tokens.items() if one.email != email}
        self.refreshes = {name: one for name, one in self.refreshes.items() if one.email != email}

    def service_account(self, domain: str = "", scopes: Collection[str] = ()) -> str:
        """The JSON key of a service account, which may act for the people of `domain` with `scopes`."""
        email = f"usher-{uuid4().hex[:8]}@project.iam.gserviceaccount.com"
        self._services[email] = _ServiceAccount(domain, frozenset(scopes))
        key = {
            "type": "service_account",
            "client_email": email,
            "private_key_id": "made-up",
            "private_key": _private_key(),
            "token_uri": "https://elsewhere.example/token",
        }
        return json.dumps(key)

    def who(self, request: Request) -> Token:
        """Who calls; Refusal 401 for a token that is unknown or over."""
        token = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if token is None or token.expired:
            raise refusal(401, "authError", "Invalid Credentials", location="Authorization")
        return token

    @on("GET", "/o/oauth2/v2/auth")
    def consent(self, request: Request) -> Response | Refusal:
        """The person agrees at once, but for what they take out."""
        asked = request.args
        scopes = frozenset(asked.get("scope", "").split())
        good = asked.get("response_type") == "code" and asked.get("client_id") == CLIENT_ID and scopes <= SCOPES
        if not good or not asked.get("redirect_uri") or asked.get("code_challenge_method") != "S256":
            return Refusal(400, "Error 400: invalid_request")
        code = f"4/{uuid4().hex}"
        offline = (asked.get("access_type"), asked.get("prompt")) == ("offline", "consent")
        self._codes[code] = _Code(
            self.person if offline else "", scopes - set(self.unticked), asked["redirect_uri"], asked["code_challenge"]
        )
        back = urlencode({"state": asked.get("state", ""), "code": code})
        return Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{back}"})

    @on("POST", "/token")
    def token(self, request: Request) -> dict[str, Any] | Refusal:
        """The three grants that Google's token endpoint knows of."""
        form = dict(parse_qsl(request.get_data(as_text=True)))
        if form.get("grant_type") == JWT_BEARER:
            return self._given(self._asserted(form.get("assertion", "")))
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Refusal(401, {"error": "invalid_client", "error_description": "The OAuth client was not found."})
        if form.get("grant_type") == "authorization_code":
            return self._given(self._exchanged(form))
        if form.get("grant_type") == "refresh_token":
            known = self.refreshes.get(form.get("refresh_token", ""))
            if known is None:
                raise _no_grant("Token has been expired or revoked.")
            return {name: one for name, one in self._given(known).items() if name != "refresh_token"}
        return Refusal(400, {"error": "unsupported_grant_type"})

    @on("POST", "/revoke")
    def revoked(self, request: Request) -> dict[str, Any] | Refusal:
        """Takes an access or a refresh token; all tokens of that consent end."""
        token = dict(parse_qsl(request.get_data(as_text=True))).get("token", "")
        known = self.refreshes.get(token) or self.tokens.get(token)
        if known is None:
            return Refusal(400, {"error": "invalid_token", "error_description": "Token expired or revoked"})
        self.withdraw(known.email)
        return {}

    def _given(self, token: Token) -> dict[str, Any]:
        name = f"ya29.{uuid4().hex}"
        self.tokens[name] = Token(token.email, token.scopes, token.as_service, token.refresh)
        given = {
            "access_token": name,
            "expires_in": LASTS,
            "token_type": "Bearer",
            "scope": " ".join(sorted(token.scopes)),
        }
        if token.refresh:
            self.refreshes[token.refresh] = token
            given["refresh_token"] = token.refresh
        return given

    def _exchanged(self, form: dict[str, str]) -> Token:
        code = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if code is None or (code.redirect, code.challenge) != (form.get("redirect_uri"), proof):
            raise _no_grant("Malformed auth code.")
        return Token(code.email, code.scopes, refresh=f"1//{uuid4().hex}" if code.email else "")

    def _asserted(self, assertion: str) -> Token:
        """RFC 7523: signed by a key we know, for Google, for at most an hour."""
        try:
            claims = jwt.decode(
                assertion, _key().public_key(), algorithms=["RS256"], audience=AUDIENCE,
                options={"require": ["iss", "aud", "exp", "iat", "scope"]},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise _no_grant(f"Invalid JWT: {type(error).__name__}") from None
        known, scopes = self._services.get(claims["iss"]), frozenset(claims["scope"].split())
        if known is None or claims["exp"] - claims["iat"] > 3600 or not scopes <= SCOPES:
            raise _no_grant("Invalid grant: account not found")
        person = claims.get("sub", "")
        if not person:
            return Token(claims["iss"], scopes, as_service=True)
        if not scopes <= known.delegated:
            said = "Client is unauthorized to retrieve access tokens using this method"
            raise Refusal(401, {"error": "unauthorized_client", "error_description": said})
        if person.rpartition("@")[2] != known.domain:
            raise _no_grant("Invalid email or User ID")
        return Token(person, scopes)


def refusal(status: int, reason: str, message: str, *, domain: str = "global", location: str = "") -> Refusal:
    """An error as the API writes it."""
    one = {"domain": domain, "reason": reason, "message": message}
    if location:
        one |= {"locationType": "header" if status == 401 else "parameter", "location": location}
    return Refusal(status, {"error": {"errors": [one], "code": status, "message": message}})


def _no_grant(why: str) -> Refusal:
    return Refusal(400, {"error": "invalid_grant", "error_description": why})


@cache
def _key() -> rsa.RSAPrivateKey:
    """One for all: making a key takes a good part of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _private_key() -> str:
    return _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
