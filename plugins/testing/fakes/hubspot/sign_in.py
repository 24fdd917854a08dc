"""How one signs in to the made-up HubSpot: a service key, or OAuth with PKCE by an app."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from werkzeug.wrappers import Request

from plugins.testing.fakes.hubspot.bodies import error
from plugins.testing.fakes.server import Refusal, on

VERSION = "2026-09"
CLIENT_ID, CLIENT_SECRET = "5d2a9f1e-made-up", "0b7c-made-up-client-secret"
SECONDS = 1800


class SignIn:
    """`agree(address)` is what a person does in the browser; `age(seconds)` lets time pass for tokens."""

    key: str
    scopes: set[str]

    def forget_sign_ins(self) -> None:
        self.app_id = 9393361
        self._codes: dict[str, dict[str, str]] = {}
        self._refresh: dict[str, set[str]] = {}
        self._access: dict[str, tuple[set[str], float]] = {}
        self._later = 0.0
        self._count = 0

    def agree(self, address: str, *, grant: set[str] | None = None) -> str:
        """Where the browser is sent after agreeing: the redirect with code and state. `grant`: only these scopes."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        assert asked["code_challenge_method"] == "S256"
        self._count += 1
        code = f"code-{self._count}"
        wanted = set(asked["scope"].split()) | set(asked.get("optional_scope", "").split())
        kept = {"challenge": asked["code_challenge"], "redirect": asked["redirect_uri"]}
        self._codes[code] = {**kept, "scopes": " ".join(wanted & (wanted if grant is None else grant))}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def age(self, seconds: float) -> None:
        self._later += seconds

    def withdraw(self) -> None:
        """An admin of the account took the app away: no token is good any more."""
        self._refresh.clear()
        self._access.clear()

    def scopes_of(self, request: Request) -> set[str]:
        """What the bearer may do; 401 for nobody."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == self.key:
            return self.scopes
        scopes, ends = self._access.get(token, (set(), 0.0))
        if not token or not ends:
            raise Refusal(401, error("INVALID_AUTHENTICATION", "Authentication credentials not found."))
        if ends <= self._clock():
            raise Refusal(401, error("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired."))
        return scopes

    @on("POST", f"/oauth/{VERSION}/token")
    def token(self, request: Request) -> Any:
        form = self._form(request)
        if form.get("grant_type") == "authorization_code":
            code = self._codes.pop(form.get("code", ""), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if not code or code["challenge"] != challenge or code["redirect"] != form.get("redirect_uri"):
                raise Refusal(400, error("BAD_AUTH_CODE", "missing or unknown auth code"))
            self._count += 1
            self._refresh[f"refresh-{self._count}"] = set(code["scopes"].split())
            return self._granted_by(f"refresh-{self._count}")
        if form.get("refresh_token") not in self._refresh:
            raise Refusal(400, error("BAD_REFRESH_TOKEN", "missing or invalid refresh token"))
        return self._granted_by(form["refresh_token"])

    @on("POST", f"/oauth/{VERSION}/token/introspect")
    def introspect(self, request: Request) -> Any:
        found = self._access.get(self._form(request).get("token", ""))
        return {"active": True, "hub_id": 145678, "scopes": sorted(found[0])} if found else {"active": False}

    @on("POST", f"/oauth/{VERSION}/token/revoke")
    def revoke(self, request: Request) -> Any:
        scopes = self._refresh.pop(self._form(request).get("token", ""), None)
        if scopes is None:
            raise Refusal(400, error("VALIDATION_ERROR", "missing or unknown refresh token"))
        self._access.clear()
        return 200, {}

    def _granted_by(self, refresh: str) -> dict[str, Any]:
        self._count += 1
        token = f"access-{self._count}"
        self._access[token] = (self._refresh[refresh], self._clock() + SECONDS)
        return {"access_token": token, "refresh_token": refresh, "expires_in": SECONDS, "token_type": "bearer"}

    def _form(self, request: Request) -> dict[str, str]:
        form = dict(request.form.items())
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise Refusal(400, error("BAD_CLIENT_SECRET", "missing or invalid client secret"))
        return form

    def _clock(self) -> float:
        return time.time() + self._later
