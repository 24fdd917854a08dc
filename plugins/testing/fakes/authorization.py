"""An authorization server by the letter (RFC 6749, 7636, 7009): codes and refresh tokens are good once, PKCE is S256
and nothing else, and a refresh token that comes back a second time ends the whole grant (RFC 9700 4.14)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.server import Fake, Refusal, on

CODE_FIELDS = {"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"}
REFRESH_FIELDS = {"grant_type", "refresh_token", "client_id", "client_secret"}
ASKED = {"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}


@dataclass
class Grant:
    """What one person agreed to."""

    account: str
    scopes: tuple[str, ...]
    refresh: str = ""
    access: set[str] = field(default_factory=set)
    ended: bool = False


@dataclass
class _Code:
    grant: Grant
    redirect: str
    challenge: str
    used: bool = False


class AuthorizationFake(Fake):
    """`account` is who agrees; `granted` are the scopes they tick (None: all); `denies`: they say no."""

    client_id, client_secret = "usher", "the client's own secret"

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """As new."""
        self.account, self.granted, self.denies, self.lifetime = "ada@service.example", None, False, 3600
        self.redirects: set[str] = set()
        self.grants: list[Grant] = []
        self.revoked: list[str] = []
        self.refreshes = 0
        self._codes: dict[str, _Code] = {}
        self.asked.clear()
        self.faults.clear()

    account: str
    granted: tuple[str, ...] | None
    denies: bool
    lifetime: int

    @on("GET", "/authorize")
    def authorize(self, request: Request) -> Response:
        """The person looks at the page and agrees at once; the browser goes back with a code, or with a no."""
        asked = request.args
        if asked.get("client_id") != self.client_id or asked.get("redirect_uri") not in self.redirects:
            raise Refusal(400, "unknown client, or an address it has not named")
        if missing := ASKED - set(asked):
            raise Refusal(400, f"missing: {', '.join(sorted(missing))}")
        if asked["response_type"] != "code" or asked["code_challenge_method"] != "S256":
            return self._back(asked, error="invalid_request")
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", asked["code_challenge"]):
            return self._back(asked, error="invalid_request", error_description="code_challenge")
        if self.denies:
            return self._back(asked, error="access_denied", error_description="The resource owner denied the request")
        wanted = tuple(asked["scope"].split())
        grant = Grant(self.account, tuple(one for one in wanted if self.granted is None or one in self.granted))
        self.grants.append(grant)
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(grant, asked["redirect_uri"], asked["code_challenge"])
        return self._back(asked, code=code)

    @on("POST", "/token")
    def token(self, request: Request) -> dict[str, Any]:
        """A code or a refresh token becomes new tokens."""
        form = request.form
        if form.get("client_id") != self.client_id or not hmac.compare_digest(
            form.get("client_secret", ""), self.client_secret
        ):
            raise Refusal(401, {"error": "invalid_client"})
        kind = form.get("grant_type")
        allowed = {"authorization_code": CODE_FIELDS, "refresh_token": REFRESH_FIELDS}.get(kind or "")
        if allowed is None:
            raise Refusal(400, {"error": "unsupported_grant_type"})
        if set(form) != allowed:
            raise Refusal(400, {"error": "invalid_request", "error_description": "unknown or missing parameters"})
        grant = self._of_code(request) if kind == "authorization_code" else self._of_refresh(request)
        return self._tokens(grant)

    @on("POST", "/revoke")
    def revoke(self, request: Request) -> Any:
        """The grant ends; an unknown token is no error (RFC 7009 2.2)."""
        token = request.form["token"]
        self.revoked.append(token)
        for grant in self.grants:
            if token in {grant.refresh, *grant.access}:
                self._end(grant)
        return 200, {}

    @on("GET", "/userinfo")
    def userinfo(self, request: Request) -> dict[str, Any]:
        """Whose token it is."""
        return {"email": self.of_bearer(request).account, "scope": " ".join(self.of_bearer(request).scopes)}

    def of_bearer(self, request: Request) -> Grant:
        """The grant of the call's token; 401 when it is not good."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for grant in self.grants:
            if token in grant.access:
                return grant
        raise Refusal(401, {"error": "invalid_token"})

    def expire(self) -> None:
        """All access tokens have ended before their time."""
        for grant in self.grants:
            grant.access.clear()

    def _of_code(self, request: Request) -> Grant:
        form, code = request.form, self._codes.get(request.form["code"])
        verifier = form["code_verifier"]
        if code is not None and code.used:
            self._end(code.grant)  # RFC 6749 4.1.2: what was given for a stolen code is taken back
        if code is None or code.used or code.redirect != form["redirect_uri"]:
            raise Refusal(400, {"error": "invalid_grant", "error_description": "the code is not good"})
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if not re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier) or challenge != code.challenge:
            raise Refusal(400, {"error": "invalid_grant", "error_description": "the code verifier is not good"})
        code.used = True
        return code.grant

    def _of_refresh(self, request: Request) -> Grant:
        self.refreshes += 1
        given = request.form["refresh_token"]
        for grant in self.grants:
            if not grant.ended and given == grant.refresh:
                return grant
            if given.startswith(f"{id(grant)}."):
                self._end(grant)
        raise Refusal(400, {"error": "invalid_grant", "error_description": "the refresh token is not good"})

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        access = secrets.token_urlsafe(24)
        grant.refresh = f"{id(grant)}.{secrets.token_urlsafe(24)}"
        grant.access.add(access)
        return {
            "access_token": access, "token_type": "Bearer", "expires_in": self.lifetime,
            "refresh_token": grant.refresh, "scope": " ".join(grant.scopes),
        }  # fmt: skip

    @staticmethod
    def _end(grant: Grant) -> None:
        grant.ended, grant.refresh = True, ""
        grant.access.clear()

    @staticmethod
    def _back(asked: Any, **answer: str) -> Response:
        separator = "&" if "?" in asked["redirect_uri"] else "?"
        return Response(status=302, headers={
            "Location": f"{asked['redirect_uri']}{separator}{urlencode({**answer, 'state': asked['state']})}"
        })  # fmt: skip
