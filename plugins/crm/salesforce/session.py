"""A session at one Salesforce org: the three ways to sign in, where its answers may send us, calls and queries."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from plugins.config import Config
from plugins.crm.salesforce.errors import Names, judge
from plugins.errors import AuthError, ConfigError, Permanent, PermissionDenied, PluginError
from plugins.http import Http, Reply
from plugins.oauth import Authorized, OAuth, ask, judge_token, refreshed, revoke, with_expiry
from plugins.tokens import Granted, Tokens

BROWSER, JWT, CLIENT = "browser", "jwt", "client_credentials"
SCOPES = ("api", "refresh_token")
JWT_LIFE = timedelta(minutes=3)
OURS = (".salesforce.com", ".force.com")
"""Domains under which an org may be; any other host has to be the one that the owner gave."""
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_HINTS = {
    "user hasn't approved this consumer": "The app is not approved for this user: let administrators pre-authorise it.",
    "audience is invalid": "Salesforce expects another audience: check the sign-in address.",
    "request not supported on this domain": "This way to sign in needs the address of your My Domain.",
    "no client credentials user enabled": "The app has no user to run as: choose one in its policies.",
    "invalid_app_access": "This user may not use the app: add one of the user's permission sets to it.",
}


def oauth_of(config: Config) -> OAuth:
    """How a person connects, and what tokens are asked for and given back at."""
    base = config.text("login_url").rstrip("/")
    return OAuth(
        authorize_url=f"{base}/services/oauth2/authorize",
        token_url=f"{base}/services/oauth2/token",
        revoke_url=f"{base}/services/oauth2/revoke",
        scopes=SCOPES,
        client_id=config.text("client_id"),
        client_secret=config.secret("client_secret"),
    )


class Session:
    """Calls of one connection. `path` is without the host; `{v}` in it is the version of the API."""

    def __init__(self, config: Config, http: Http, tokens: Tokens | None) -> None:
        self._config, self.http, self._tokens = config, http, tokens
        self._oauth = oauth_of(config)
        self._authorized = Authorized(http, tokens, self._renewed)
        self._seen = ""
        self.usage: tuple[int, int] | None = None
        """Requests of the last 24 hours and how many are allowed, by the newest answer."""

    def call(self, operation: str, method: str, path: str, *, names: Names | None = None, **request: Any) -> Reply:
        """One call. `names`: Salesforce's fields → ours, for errors. Raises plugins.errors."""
        url = f"{self.instance()}{path.replace('{v}', self._config.text('api_version'))}"
        self._seen = url.partition("/services/")[0]
        reply = self._authorized.call(operation, method, url, judge=judge(names or {}, self.http.now), **request)
        used = re.search(r"api-usage=(\d+)/(\d+)", reply.headers.get("Sforce-Limit-Info", ""))
        self.usage = (int(used[1]), int(used[2])) if used else self.usage
        return reply

    def json(self, operation: str, method: str, path: str, **request: Any) -> Any:
        """What a call answers. Permanent when it is not the JSON object or list that Salesforce speaks of."""
        reply = self.call(operation, method, path, **request)
        try:
            told = reply.json()
        except PluginError as error:
            raise error.at(self.http.adapter, operation) from error.__cause__
        if not isinstance(told, dict | list):
            raise Permanent(f"{reply.call.place()}: {reply.status} without an answer").at(self.http.adapter, operation)
        return told

    def query(self, operation: str, soql: str, *, deleted: bool = False, names: Names | None = None) -> list[Any]:
        """All records that the query finds, page after page. `deleted`: those in the bin as well."""
        resource = "queryAll" if deleted else "query"
        path = f"/services/data/v{{v}}/{resource}/?q={quote(soql, safe='')}"
        return self._pages(operation, self.json(operation, "GET", path, names=names))

    def queries(
        self, operation: str, soqls: Mapping[str, str], *, deleted: bool = False, names: Names | None = None
    ) -> dict[str, list[Any]]:
        """What several queries find, by their names: at most five, in one call that counts once."""
        resource = f"/services/data/v{self._config.text('api_version')}/{'queryAll' if deleted else 'query'}/?q="
        asking = [
            {"method": "GET", "url": f"{resource}{quote(soql, safe='')}", "referenceId": name}
            for name, soql in soqls.items()
        ]
        asked = {"allOrNone": False, "compositeRequest": asking}
        told = self.json(operation, "POST", "/services/data/v{v}/composite", json=asked, repeatable=True, names=names)
        parts = told.get("compositeResponse") if isinstance(told, dict) else None
        found = {part.get("referenceId"): part.get("body") for part in parts or ()}
        if missing := [name for name in soqls if not isinstance(found.get(name), dict)]:
            raise Permanent(f"no answer to {', '.join(missing)}").at(self.http.adapter, operation)
        return {name: self._pages(operation, found[name]) for name in soqls}

    def instance(self) -> str:
        """The org's own address, as the tokens name it."""
        named = str(self._authorized.granted().get("instance_url", "")).rstrip("/")
        parts, given = urlsplit(named), urlsplit(self._config.text("login_url"))
        if (parts.scheme, parts.netloc) == (given.scheme, given.netloc) and named:
            return named
        if parts.scheme == "https" and (parts.hostname or "").endswith(OURS) and parts.netloc == parts.hostname:
            return f"https://{parts.hostname}"
        raise ConfigError(
            f"the tokens lead to {parts.hostname or 'nowhere'}, which is not Salesforce's",
            problems=(("login_url", "leads to a host that is not Salesforce's"),),
            user_message="The sign-in leads to a host that is not Salesforce's. Check the sign-in address.",
        ).at(self.http.adapter, "sign_in")

    def address(self, id: str) -> str:
        """Where a person looks at a record."""
        return f"{self._seen or self.instance()}/{id}"

    def user_id(self) -> str:
        """Who we are there: the last part of the identity that comes with the tokens, 18 letters; "" when unsaid."""
        said = str(self._authorized.granted().get("id", "")).rstrip("/").rpartition("/")[2]
        return said if re.fullmatch(r"005\w{15}", said) else ""

    def scopes(self) -> tuple[str, ...]:
        """What was granted, as Salesforce tells it."""
        return tuple(str(self._authorized.granted().get("scope", "")).split())

    def revoke(self) -> None:
        """Give back what is kept; nothing is asked for that would have to be given back."""
        if kept := self._tokens.load() if self._tokens else None:
            revoke(self.http, self._oauth, kept)

    def _pages(self, operation: str, first: Any) -> list[Any]:
        found, page = list(first.get("records", [])), first
        while not page.get("done", True):
            then = str(page.get("nextRecordsUrl", ""))
            if not then.startswith("/services/data/"):
                raise Permanent("a query that is not done names no next page").at(self.http.adapter, operation)
            page = self.json(operation, "GET", then)
            found += page.get("records", [])
        return found

    def _renewed(self, kept: Granted) -> Granted:
        try:
            return self._ways[self._config.text("sign_in")](kept)
        except PluginError as error:
            raise _explained(error) from error.__cause__

    @property
    def _ways(self) -> dict[str, Callable[[Granted], Granted]]:
        return {
            BROWSER: lambda kept: refreshed(self.http, self._oauth, kept),
            JWT: lambda kept: self._by_assertion(),
            CLIENT: lambda kept: ask(self.http, self._oauth, {"grant_type": "client_credentials"}),
        }

    def _by_assertion(self) -> Granted:
        now = self.http.now()
        claims = {
            "iss": self._config.text("client_id"),
            "sub": self._config.text("username"),
            "aud": _audience(self._config),
            "exp": int((now + JWT_LIFE).timestamp()),
        }
        signed = jwt.encode(claims, _key(self._config.secret("private_key")), algorithm="RS256")
        told = self.http.call(
            "token", "POST", self._oauth.token_url, data={"grant_type": _GRANT, "assertion": signed},
            judge=judge_token, repeatable=True, headers={"Accept": "application/json"},
        ).json()  # fmt: skip
        return with_expiry(told, self.http)


def missing_settings(config: Config) -> tuple[tuple[str, str], ...]:
    """What the chosen way to sign in needs and was not given."""
    needed = {JWT: ("username", "private_key"), CLIENT: ("client_secret",)}.get(config.text("sign_in"), ())
    return tuple((name, "is required for this way to sign in") for name in needed if not config[name])


def _audience(config: Config) -> str:
    """Whom an assertion is for: the sign-in service of production or of sandboxes, also when My Domain takes it."""
    if config.text("audience"):
        return config.text("audience").rstrip("/")
    host = urlsplit(config.text("login_url")).hostname or ""
    sandbox = host.startswith("test.") or ".sandbox." in host
    return f"https://{'test' if sandbox else 'login'}.salesforce.com"


def _key(given: str) -> rsa.RSAPrivateKey:
    """The private key that a one-line field has squeezed: PEM without line breaks, with \\n, or as base64."""
    text = given.replace("\\n", "\n")
    if "-----BEGIN" not in text:
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode("ascii")
        except (binascii.Error, UnicodeError):
            text = ""
    found = re.search(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----(.+)-----END \1-----", text, re.DOTALL)
    if found is None:
        raise _no_key("is not a PEM private key")
    body = "".join(found[2].split())
    lines = "\n".join(body[n : n + 64] for n in range(0, len(body), 64))
    pem = f"-----BEGIN {found[1]}-----\n{lines}\n-----END {found[1]}-----\n"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _no_key("cannot be read: it has to be PEM without a password") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _no_key("is not an RSA key")
    return key


def _no_key(why: str) -> ConfigError:
    return ConfigError(f"private_key {why}", problems=(("private_key", why),), user_message=f"The private key {why}.")


def _explained(error: PluginError) -> PluginError:
    """Salesforce refuses tokens with 400 and words; those that a person can mend say how."""
    refused = error.http_status in (400, 401, 403) and not isinstance(error, AuthError | PermissionDenied)
    told = AuthError(error.message, http_status=error.http_status).at("", "token") if refused else error
    hints: Iterable[str] = (hint for words, hint in _HINTS.items() if words in error.message)
    told.user_message = next(iter(hints), told.user_message)
    return told.at(error.adapter, error.operation)
