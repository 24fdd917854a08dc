"""Sign-in at a fake of Salesforce: the web flow with PKCE, assertions, client credentials, refresh, revocation."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import jwt
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.server import Fake, Refusal, on

AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION = 300
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FORMS = {
    JWT_GRANT: {"assertion"},
    "authorization_code": {"code", "redirect_uri", "code_verifier", "client_id", "client_secret"},
    "refresh_token": {"refresh_token", "client_id", "client_secret"},
    "client_credentials": {"client_id", "client_secret"},
}


@dataclass
class App:
    """An external client app. `approved`: user names that administrators pre-authorised; `run_as`: whose rights client
    credentials have; `rotates`: a refresh token is good for one use."""

    client_id: str
    secret: str
    public_key: str = ""
    approved: set[str] = field(default_factory=set)
    run_as: str = ""
    redirect: str = "https://usher.example/connected"
    scopes: str = "api refresh_token"
    rotates: bool = False


class SalesforceSignIn(Fake):
    """`app` may sign in. `user_named(name)` of the org says whose id that is."""

    org_id = "00D000000000001EAA"

    def __init__(self) -> None:
        super().__init__()
        self.forget_sign_ins()

    def forget_sign_ins(self) -> None:
        """Nobody is signed in."""
        self.app = App("the consumer key", "the consumer secret")
        self.sessions: dict[str, str] = {}
        self.refreshes: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.instance_url = ""
        self.my_domain = True
        self.agreeing = ""

    def expire_sessions(self) -> None:
        """All access tokens are too old; refresh tokens are good still."""
        self.sessions.clear()

    def user_named(self, username: str) -> str:
        """The id of an active user, "" when there is none."""
        raise NotImplementedError

    @on("GET", "/services/oauth2/authorize")
    def authorize(self, request: Request) -> Response:
        """The person (`agreeing`, a user name) agrees at once and is sent back."""
        asked = request.args
        wanted = {
            "response_type",
            "client_id",
            "redirect_uri",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method",
        }
        if set(asked) != wanted or asked["response_type"] != "code" or asked["code_challenge_method"] != "S256":
            raise _no("invalid_request", f"wants {sorted(wanted)}, got {sorted(asked)}")
        if (asked["client_id"], asked["redirect_uri"]) != (self.app.client_id, self.app.redirect):
            raise _no("redirect_uri_mismatch", "redirect_uri must match configuration")
        if not set(asked["scope"].split()) <= set(self.app.scopes.split()):
            raise _no("invalid_scope", "the requested scope is not allowed")
        code = uuid4().hex
        self.codes[code] = {
            "challenge": asked["code_challenge"], "user": self.user_named(self.agreeing), "scope": asked["scope"],
        }  # fmt: skip
        return redirect(f"{self.app.redirect}?{urlencode({'code': code, 'state': asked['state']})}")

    @on("POST", "/services/oauth2/token")
    def token(self, request: Request) -> Any:
        form = request.form.to_dict()
        grant = form.pop("grant_type", "")
        if grant not in _FORMS:
            raise _no("unsupported_grant_type", "grant type not supported")
        if set(form) - _FORMS[grant]:
            raise _no("invalid_request", f"unknown: {sorted(set(form) - _FORMS[grant])}")
        if grant == JWT_GRANT:
            return self._granted(self._by_assertion(form.get("assertion", "")), "api")
        self._hold_to_client(form)
        if grant == "client_credentials":
            return self._granted(self._by_client(), "api")
        return self._by_refresh(form) if grant == "refresh_token" else self._by_code(form)

    @on("POST", "/services/oauth2/revoke")
    def revoke(self, request: Request) -> Any:
        token = request.form.get("token", "")
        user = self.refreshes.pop(token, None)
        if user is None and self.sessions.pop(token, None) is None:
            raise _no("unsupported_token_type", "this token type is not supported")
        self.sessions = {one: who for one, who in self.sessions.items() if who != user}
        return (200, {})

    def _by_assertion(self, assertion: str) -> str:
        try:
            claims = jwt.decode(
                assertion, self.app.public_key, ["RS256"], audience=AUDIENCES, issuer=self.app.client_id,
                options={"require": ["exp", "iss", "sub", "aud"]},
            )  # fmt: skip
        except jwt.InvalidAudienceError:
            raise _no("invalid_grant", "audience is invalid") from None
        except jwt.InvalidTokenError:
            raise _no("invalid_grant", "invalid assertion") from None
        if claims["exp"] > time.time() + LONGEST_ASSERTION:
            raise _no("invalid_grant", "invalid assertion")
        if claims["sub"] not in self.app.approved:
            raise _no("invalid_grant", "user hasn't approved this consumer")
        return self.user_named(claims["sub"])

    def _by_client(self) -> str:
        if not self.my_domain:
            raise _no("invalid_grant", "request not supported on this domain")
        if not self.app.run_as:
            raise _no("invalid_grant", "no client credentials user enabled")
        return self.user_named(self.app.run_as)

    def _by_code(self, form: dict[str, str]) -> dict[str, Any]:
        agreed = self.codes.pop(form.get("code", ""), None)
        if agreed is None or form.get("redirect_uri") != self.app.redirect:
            raise _no("invalid_grant", "expired authorization code")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != agreed["challenge"]:
            raise _no("invalid_grant", "invalid code verifier")
        granted = self._granted(agreed["user"], agreed["scope"])
        if "refresh_token" in agreed["scope"]:
            granted["refresh_token"] = self._refresh_token(agreed["user"])
        return granted

    def _by_refresh(self, form: dict[str, str]) -> dict[str, Any]:
        user = self.refreshes.get(form.get("refresh_token", ""))
        if user is None:
            raise _no("invalid_grant", "expired access/refresh token")
        granted = self._granted(user, self.app.scopes)
        if self.app.rotates:
            del self.refreshes[form["refresh_token"]]
            granted["refresh_token"] = self._refresh_token(user)
        return granted

    def _granted(self, user: str, scope: str) -> dict[str, Any]:
        if not user:
            raise _no("invalid_grant", "authentication failure")
        token = f"00D!{uuid4().hex}"
        self.sessions[token] = user
        return {
            "access_token": token, "scope": scope, "instance_url": self.instance_url or self.url,
            "id": f"https://login.salesforce.com/id/{self.org_id}/{user}", "token_type": "Bearer",
            "issued_at": str(int(time.time() * 1000)),
        }  # fmt: skip

    def _refresh_token(self, user: str) -> str:
        token = f"5Aep{uuid4().hex}"
        self.refreshes[token] = user
        return token

    def _hold_to_client(self, form: dict[str, str]) -> None:
        if form.get("client_id") != self.app.client_id:
            raise _no("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self.app.secret:
            raise _no("invalid_client", "invalid client credentials")


def _no(error: str, about: str) -> Refusal:
    return Refusal(400, {"error": error, "error_description": about})
