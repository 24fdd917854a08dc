"""OAuth 2.0 for adapters: the address a person agrees at (RFC 6749, with PKCE of RFC 7636), what comes back, and calls
that carry a token and renew it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from plugins.config import strip_secrets
from plugins.errors import AuthError, Permanent, PluginError, Transient
from plugins.http import Http, Judge, Reply
from plugins.tokens import Granted, MemoryTokens, Tokens

EARLY_SECONDS = 60
"""A token that ends this soon is renewed before it is used."""
UNWELL = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
"""Errors of a token endpoint that time heals; all others want a person: to connect again, or to mend the application
(RFC 6749 5.2, and what services add to it)."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """How one service's web sign-in works, with the addresses of this connection's settings.

    `scopes` are the least that do what the adapter declares. `extra` goes along with the request for agreement, such
    as access_type=offline. `basic`: the token endpoint wants client id and secret as Basic authentication.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    client_id: str
    client_secret: str = field(default="", repr=False)
    revoke_url: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    basic: bool = False


def agreement_address(oauth: OAuth, *, redirect: str, state: str, verifier: str) -> str:
    """Where the person's browser is sent to agree. `verifier` is PKCE's, 43 to 128 characters; S256 goes out."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": oauth.client_id,
        "redirect_uri": redirect,
        "scope": " ".join(oauth.scopes),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **oauth.extra,
    }
    return f"{oauth.authorize_url}{'&' if '?' in oauth.authorize_url else '?'}{urlencode(asked)}"


def exchange(http: Http, oauth: OAuth, *, code: str, redirect: str, verifier: str) -> Granted:
    """The tokens for a code that came back with the person. AuthError when the service does not take it."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
    return ask(http, oauth, form)


def refreshed(http: Http, oauth: OAuth, granted: Granted) -> Granted:
    """New tokens for the refresh token among `granted`; what the service does not say again stays. AuthError when there
    is none or it is no longer taken."""
    if not granted.get("refresh_token"):
        raise AuthError("there is no refresh token: nobody has connected yet, or it was taken back")
    form = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    stays = {name: value for name, value in granted.items() if name != "expires_at"}
    return {**stays, **ask(http, oauth, form)}


def ask(http: Http, oauth: OAuth, form: Mapping[str, str]) -> Granted:
    """What the token endpoint gives for `form`, with `expires_at` in place of `expires_in`."""
    client = {} if oauth.basic else {"client_id": oauth.client_id}
    if oauth.client_secret and not oauth.basic:
        client["client_secret"] = oauth.client_secret
    secret = [form[name] for name in ("code", "code_verifier", "refresh_token", "assertion") if name in form]
    with saying_nothing_of(*secret, oauth.client_secret):
        told = http.call(
            "token", "POST", oauth.token_url, data={**form, **client}, judge=judge_token, repeatable=True,
            auth=_basic(oauth), headers={"Accept": "application/json"},
        ).json()  # fmt: skip
    return with_expiry(told, http)


def with_expiry(told: Any, http: Http) -> Granted:
    """An answer of a token endpoint as it is kept."""
    if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
        raise Permanent("the token endpoint answered without an access token")
    kept = {name: value for name, value in told.items() if name not in ("expires_in", "id_token")}
    seconds = told.get("expires_in")
    if isinstance(seconds, int | float | str) and str(seconds).replace(".", "", 1).isdigit():
        kept["expires_at"] = http.now().timestamp() + float(seconds)
    return kept


def revoke(http: Http, oauth: OAuth, granted: Mapping[str, Any]) -> None:
    """Give the tokens back (RFC 7009). A service without an address for that, or that forgot them, is content."""
    token = granted.get("refresh_token") or granted.get("access_token")
    if token and oauth.revoke_url:
        http.call(
            "revoke", "POST", oauth.revoke_url, data={"token": token, "client_id": oauth.client_id},
            repeatable=True, welcome=(400, 401, 404), auth=_basic(oauth),
        )  # fmt: skip


@contextmanager
def saying_nothing_of(*secrets: str) -> Iterator[None]:
    """Errors that leave it do not contain them: a service may say back what it was sent."""
    try:
        yield
    except PluginError as error:
        known = [one for one in secrets if one]
        error.message, error.user_message = (strip_secrets(text, known) for text in (error.message, error.user_message))
        error.args = (error.message,)
        raise


def judge_token(reply: Reply) -> PluginError | None:
    """AuthError for refusals that a person has to mend; all else is left to the status. HubSpot says
    `category` (developers.hubspot.com, Create OAuth token) or, by reports, `status` in place of `error`, and `message`
    in place of `error_description`."""
    if reply.status not in (400, 401, 403):
        return None
    try:
        told = reply.json()
    except PluginError:
        return None
    if not isinstance(told, dict):
        return None
    code = str(told.get("error") or told.get("category") or told.get("status") or "")[:60]
    if not code:
        return None
    kind = Transient if code in UNWELL else AuthError
    said = str(told.get("error_description") or told.get("message") or "")[:300]
    return kind(f"{code}: {said}", http_status=reply.status, vendor_code=code)


def _basic(oauth: OAuth) -> tuple[str, str] | None:
    """Client id and secret as Basic authentication wants them (RFC 6749 2.3.1)."""
    return (quote_plus(oauth.client_id), quote_plus(oauth.client_secret)) if oauth.basic else None


class Authorized:
    """Calls with a bearer token of `tokens`, renewed by `renew` when it is about to end and once when it is refused.

    `renew` makes new tokens out of the old ones ({} when there are none); `rejected`: statuses that mean the token is
    no good. `tokens` None keeps them in this process.
    """

    def __init__(
        self, http: Http, tokens: Tokens | None, renew: Callable[[Granted], Granted], rejected: Collection[int] = (401,)
    ) -> None:
        self._http, self._tokens, self._renew = http, tokens or MemoryTokens(), renew
        self._rejected = frozenset(rejected)

    def granted(self) -> Granted:
        """Tokens that are good for a while."""
        found = self._tokens.load()
        if found is None or not found.get("access_token") or self._ends_soon(found):
            return self._tokens.renewed(found, self._renew)
        return found

    def call(self, operation: str, method: str, url: str, *, judge: Judge | None = None, **request: Any) -> Reply:
        """`Http.call` with the token. An answer that rejects it did nothing: the call is made once more."""
        granted = self.granted()
        try:
            return self._call(granted, operation, method, url, judge, request)
        except AuthError as error:
            if error.http_status not in self._rejected:
                raise
        return self._call(self._tokens.renewed(granted, self._renew), operation, method, url, judge, request)

    def _call(
        self, granted: Granted, operation: str, method: str, url: str, judge: Judge | None, request: dict[str, Any]
    ) -> Reply:
        headers = {**request.get("headers", {}), "Authorization": f"Bearer {granted['access_token']}"}
        with saying_nothing_of(*(str(granted.get(name) or "") for name in ("access_token", "refresh_token"))):
            return self._http.call(operation, method, url, judge=judge, **{**request, "headers": headers})

    def _ends_soon(self, granted: Granted) -> bool:
        ends = granted.get("expires_at")
        return ends is not None and float(ends) - EARLY_SECONDS <= self._http.now().timestamp()
