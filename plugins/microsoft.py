"""Signing in at Microsoft Entra, for its calendars and its CRM: tokens of an application and of a person by msal, which
goes out by our own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msal

from plugins.config import Config
from plugins.errors import AuthError, ConfigError, Permanent, PluginError, Transient
from plugins.fields import Field, Type
from plugins.http import Http, Reply
from plugins.oauth import OAuth, with_expiry
from plugins.tokens import Granted

LOGIN = "https://login.microsoftonline.com"
_ALWAYS = ("offline_access", "openid", "profile")
"""What msal asks for at every refresh, unasked. A refresh may ask for no more than the person agreed to
(learn.microsoft.com, OAuth 2.0 authorization code flow), so it is asked for at the first step, too."""
_OWNERS = frozenset(
    ("invalid_client", "unauthorized_client", "invalid_grant", "interaction_required", "consent_required")
    + ("login_required", "access_denied")
)
"""Answers that a person mends: by a new client secret, by agreeing once more, by connecting again."""
_SETTINGS = frozenset({"invalid_scope", "invalid_resource", "invalid_tenant", "invalid_request", "invalid_instance"})
_PASSING = frozenset({"temporarily_unavailable", "server_error"})

APP_FIELDS = (
    Field("client_id", "Application (client) ID", required=True, help="Of the app registration in Microsoft Entra."),
    Field("client_secret", "Client secret", secret=True, required=True, help="Its value, not its ID."),
)
LOGIN_FIELD = Field("login_url", "Address to sign in at", Type.URL, default=LOGIN, help="Another in national clouds.")


@dataclass(frozen=True, slots=True)
class SignIn:
    """One app registration. `tenant` is the directory's id or domain, "organizations" for those of any directory, or
    "common" for personal accounts, too."""

    login: str
    tenant: str
    client_id: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, config: Config, tenant: str = "") -> SignIn:
        """By the settings of APP_FIELDS, LOGIN_FIELD and `tenant`."""
        login = (config.text("login_url") or LOGIN).rstrip("/")
        tenant = config.text("tenant") or tenant
        return cls(login, tenant, config.text("client_id"), config.secret("client_secret"))

    def oauth(self, scopes: tuple[str, ...]) -> OAuth:
        """How a person agrees in the browser. Refresh tokens come with the scope offline_access."""
        at = f"{self.login}/{quote(self.tenant, safe='')}/oauth2/v2.0"
        return OAuth(
            authorize_url=f"{at}/authorize",
            token_url=f"{at}/token",
            scopes=(*_ALWAYS, *scopes),
            client_id=self.client_id,
            client_secret=self.secret,
            extra={"prompt": "select_account"},
        )

    def as_application(self, http: Http, scope: str) -> Granted:
        """A token of the application itself (client credentials). `scope` ends with "/.default"."""
        return self._granted(http, self._app(http).acquire_token_for_client([scope]))

    def as_person(self, http: Http, granted: Granted, scopes: tuple[str, ...]) -> Granted:
        """New tokens for a person's refresh token; what Microsoft does not say again stays."""
        if not granted.get("refresh_token"):
            raise AuthError("there is no refresh token: nobody has connected yet, or it was taken back")
        told = self._app(http).acquire_token_by_refresh_token(granted["refresh_token"], scopes=list(scopes))
        return {**granted, **self._granted(http, told)}

    def _app(self, http: Http) -> Any:
        """A client that remembers nothing: tokens are kept where all processes see them."""
        origin = self.login if self.login.startswith("https://") else LOGIN
        try:
            return msal.ConfidentialClientApplication(
                self.client_id,
                client_credential=self.secret,
                authority=f"{origin}/{quote(self.tenant, safe='')}",
                http_client=_WayOut(http, origin, self.login),
                instance_discovery=False,
            )
        except KeyError as error:
            raise Permanent(f"Microsoft's sign-in does not name its {error}") from None
        except ValueError as error:
            said = f"Microsoft knows no directory {self.tenant}."
            about = str(error).splitlines()[0][:200]
            raise ConfigError(about, problems=(("tenant", "there is no such directory"),), user_message=said) from None

    def _granted(self, http: Http, told: Any) -> Granted:
        if not isinstance(told, dict) or "error" in told:
            raise _refusal(told if isinstance(told, dict) else {})
        kept = ("access_token", "refresh_token", "scope", "expires_in")
        return with_expiry({name: told[name] for name in kept if told.get(name)}, http)


def _refusal(told: Mapping[str, Any]) -> PluginError:
    """What the token endpoint's "no" means for us. Its description names the AADSTS code and no secret."""
    code = str(told.get("error", ""))
    about = str(told.get("error_description", "")).splitlines()[:1]
    message = f"{code}: {about[0][:300] if about else ''}"
    if code in _OWNERS:
        return AuthError(message, vendor_code=code)
    if code in _SETTINGS:
        return ConfigError(message, vendor_code=code)
    return (Transient if code in _PASSING else Permanent)(message, vendor_code=code)


class _WayOut:
    """What msal takes for an HTTP client. It insists on https, so an address of another kind is put in here."""

    def __init__(self, http: Http, origin: str, login: str) -> None:
        self._http, self._origin, self._login = http, origin, login

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> _Answer:
        return self._call("GET", url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> _Answer:
        return self._call("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """The way out is the adapter's."""

    def _call(self, method: str, url: str, **request: Any) -> _Answer:
        if url.startswith(f"{self._origin}/"):
            url = self._login + url.removeprefix(self._origin)
        reply = self._http.call("token", method, url, repeatable=True, welcome=(400, 401, 403, 404), **request)
        reply.json()  # msal would write down what it cannot read
        return _Answer(reply)


class _Answer:
    def __init__(self, reply: Reply) -> None:
        self.status_code, self.headers = reply.status, dict(reply.headers)
        self.text = reply.body.decode("utf-8", "replace")

    def raise_for_status(self) -> None:
        """Errors have been raised already."""
