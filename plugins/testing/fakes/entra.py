"""Microsoft Entra's sign-in, for the fakes of Microsoft's services: agreement in the browser, tokens, refusals."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.server import Fake, Refusal, on

_CLIENT = {"client_id", "client_secret", "client_info", "grant_type", "scope"}
_FORMS = {
    "client_credentials": _CLIENT,
    "refresh_token": _CLIENT | {"refresh_token"},
    "authorization_code": _CLIENT | {"code", "redirect_uri", "code_verifier"},
}


@dataclass(frozen=True)
class _Asked:
    person: str
    redirect: str
    challenge: str
    scope: str


class Entra(Fake):
    """One directory with one app registration. `person` is who sits at the browser; "" declines to agree. `rotates`
    False: a refresh gives no new refresh token."""

    tenant = "acme.onmicrosoft.example"
    client_id = "11111111-2222-3333-4444-555555555555"
    client_secret = "made-up client secret"  # noqa: S105 - of nobody's app
    seconds = 3599
    rotates = True

    def __init__(self) -> None:
        super().__init__()
        self.person = "grace@acme.example"
        self.scopes = ""
        self.access: dict[str, str] = {}
        self.refresh: dict[str, tuple[str, str]] = {}
        self._codes: dict[str, _Asked] = {}
        self._numbers = count(1)

    def expire_access(self) -> None:
        """All access tokens are over; refresh tokens still work."""
        self.access.clear()

    def withdraw(self) -> None:
        """The person, or an administrator, took the consent back."""
        self.access.clear()
        self.refresh.clear()

    def connected(self, person: str = "") -> dict[str, Any]:
        """Tokens as they are kept after somebody has agreed."""
        issued = self._issue(person or self.person, f"{self.url}/{self.scopes}")
        return {name: value for name, value in issued.items() if name != "expires_in"}

    def bearer(self, request: Request) -> str | None:
        """Whose token a call carries: a person's address, "" for the application, None for nobody's."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.access.get(token) if kind == "Bearer" else None

    @on("GET", "/<tenant>/v2.0/.well-known/openid-configuration")
    def configuration(self, request: Request, tenant: str) -> Any:
        """With the addresses of the real service: msal takes no others, and the adapter goes where it is told to."""
        if tenant not in (self.tenant, "organizations", "common"):
            return Refusal(
                400, {"error": "invalid_tenant", "error_description": f"AADSTS90002: Tenant '{tenant}' not found."}
            )
        at = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
        return {
            "issuer": f"https://login.microsoftonline.com/{tenant}/v2.0",
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
        }

    @on("GET", "/<tenant>/oauth2/v2.0/authorize")
    def authorize(self, request: Request, tenant: str) -> Any:
        """The person's browser; agrees at once."""
        said = request.args
        wanted = {"response_type": "code", "client_id": self.client_id, "code_challenge_method": "S256"}
        wrong = [name for name, value in wanted.items() if said.get(name) != value]
        if wrong or not said.get("state") or not said.get("redirect_uri"):
            return Refusal(400, f"AADSTS90014: {wrong or 'state, redirect_uri'}")
        answer = {"error": "access_denied", "error_description": "AADSTS65004: User declined", "state": said["state"]}
        if self.person:
            code = f"code-{next(self._numbers)}"
            self._codes[code] = _Asked(self.person, said["redirect_uri"], said["code_challenge"], said["scope"])
            answer = {"code": code, "state": said["state"]}
        return Response(status=302, headers={"Location": f"{said['redirect_uri']}?{urlencode(answer)}"})

    @on("POST", "/<tenant>/oauth2/v2.0/token")
    def token(self, request: Request, tenant: str) -> Any:
        form = request.form
        grant = form.get("grant_type", "")
        if unknown := set(form) - _FORMS.get(grant, set()):
            return _refused("invalid_request", f"AADSTS900144: {sorted(unknown)}")
        if form.get("client_id") != self.client_id:
            return _refused("unauthorized_client", "AADSTS700016: Application was not found in the directory")
        if form.get("client_secret") != self.client_secret:
            return _refused("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
        return getattr(self, f"_by_{grant}")(form)

    def _by_client_credentials(self, form: Any) -> Any:
        if not form.get("scope", "").endswith("/.default"):
            return _refused("invalid_scope", "AADSTS1002012: scope must end with /.default")
        answer = self._issue("", form["scope"])
        del answer["refresh_token"]
        return answer

    def _by_refresh_token(self, form: Any) -> Any:
        """An old refresh token goes on working for a while, as it does there."""
        known = self.refresh.get(form.get("refresh_token", ""))
        if not known:
            return _refused("invalid_grant", "AADSTS50173: The grant has expired")
        issued = self._issue(*known)
        return {name: value for name, value in issued.items() if self.rotates or name != "refresh_token"}

    def _by_authorization_code(self, form: Any) -> Any:
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or asked.redirect != form.get("redirect_uri"):
            return _refused("invalid_grant", "AADSTS70008: The code has expired")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked.challenge:
            return _refused("invalid_grant", "AADSTS501481: The Code_Verifier does not match")
        return self._issue(asked.person, asked.scope)

    def _issue(self, person: str, scope: str) -> dict[str, Any]:
        access, refresh = f"access-{next(self._numbers)}", f"refresh-{next(self._numbers)}"
        self.access[access] = person
        self.refresh[refresh] = (person, scope)
        told = " ".join(part.rsplit("/", 1)[-1] for part in scope.split() if part != "offline_access")
        return {
            "token_type": "Bearer",
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.seconds,
            "scope": told,
        }


def _refused(code: str, about: str, status: int = 400) -> Refusal:
    return Refusal(status, {"error": code, "error_description": about})
