"""Who we are to Google: a person who agreed (OAuth), or a service account that acts as people of its domain."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from plugins.config import Config
from plugins.errors import AuthError, ConfigError, PluginError
from plugins.http import Http
from plugins.oauth import Authorized, OAuth, judge_token, refreshed, with_expiry
from plugins.tokens import Granted, MemoryTokens, Tokens

_SCOPE = "https://www.googleapis.com/auth/"
BUSY, LIST = f"{_SCOPE}calendar.events.freebusy", f"{_SCOPE}calendar.calendarlist.readonly"
OWN_EVENTS, EVENTS = f"{_SCOPE}calendar.events.owned", f"{_SCOPE}calendar.events"
_WIDER = {
    BUSY: ("calendar.freebusy", "calendar.readonly", "calendar"),
    LIST: ("calendar.calendarlist", "calendar.readonly", "calendar"),
    OWN_EVENTS: ("calendar.events", "calendar"),
    EVENTS: ("calendar",),
}
"""Scopes that allow what another does and more, as the description of the API lists them for each method."""
REMEMBERED = 2000


class _Minted:
    """Tokens of service accounts, which anybody with the key can make anew: kept for their hour, by key and person."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, MemoryTokens] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, *what: str) -> MemoryTokens:
        mark = sha256("\0".join(what).encode()).hexdigest()
        with self._lock:
            found = self._kept.setdefault(mark, MemoryTokens())
            self._kept.move_to_end(mark)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
            return found


_minted = _Minted()


class SignIn:
    """Tokens for one connection's calls."""

    def __init__(self, http: Http, config: Config, tokens: Tokens | None) -> None:
        self._http, self._config, self._tokens = http, config, tokens
        self.key = service_account(config)
        self.subject = config.text("subject")

    @property
    def per_calendar(self) -> bool:
        """Whether each calendar is read and written in its owner's name."""
        return bool(self.key) and not self.subject

    def subject_of(self, calendar: str) -> str:
        """In whose name a calendar is used. ConfigError when a service account cannot know."""
        if not self.per_calendar:
            return self.subject
        if "@" not in calendar or calendar.endswith("calendar.google.com"):
            said = f"Whose calendar is {calendar}? Please say as whom the service account is to act."
            raise ConfigError(f"no owner for {calendar}", problems=(("subject", "is needed"),), user_message=said)
        return calendar

    def as_(self, subject: str) -> Authorized:
        """Calls in the name of `subject`, "" for the account itself."""
        if self.key:
            url, scopes = token_url(self._config), " ".join(scopes_of(self._config))
            kept = _minted.of(self._config.secret("service_account"), subject, url, scopes)
            return Authorized(self._http, kept, lambda _: self._mint(subject))
        asked = oauth(self._config)
        return Authorized(self._http, self._tokens, lambda granted: refreshed(self._http, asked, granted))

    def itself(self) -> Authorized:
        """Calls in the name that holds for all calendars."""
        return self.as_(self.subject)

    def granted(self) -> list[str]:
        """The scopes that the account agreed to; all of them where none are told."""
        found = self.itself().granted().get("scope") or " ".join(scopes_of(self._config))
        return str(found).split()

    def _mint(self, subject: str) -> Granted:
        from google.auth.exceptions import GoogleAuthError  # with the library's weight only where it is used
        from google.oauth2.service_account import Credentials

        answers: list[Any] = []

        def send(url: str, method: str = "POST", body: Any = None, headers: Any = None, **_: object) -> Any:
            reply = self._http.call(
                "token", method, url, data=body, headers=dict(headers or {}), judge=judge_token, repeatable=True
            )
            answers.append(reply.json())
            return SimpleNamespace(status=reply.status, headers=reply.headers, data=reply.body)

        try:
            made = Credentials.from_service_account_info(
                {**self.key, "token_uri": token_url(self._config)},
                scopes=scopes_of(self._config),
                subject=subject or None,
            )
            made.refresh(send)
        except AuthError as refused:
            raise _explained(refused, subject) from None
        except (GoogleAuthError, ValueError, TypeError, KeyError) as error:
            raise _bad_key(type(error).__name__) from None
        return {"scope": " ".join(scopes_of(self._config)), **with_expiry(answers[-1], self._http)}


def oauth(config: Config) -> OAuth:
    """How a person agrees in the browser. Google gives a refresh token for access_type=offline, and again only when it
    asks again (prompt=consent)."""
    return OAuth(
        authorize_url=f"{config.text('sign_in_url').rstrip('/')}/o/oauth2/v2/auth",
        token_url=token_url(config),
        scopes=scopes_of(config),
        client_id=config.text("client_id"),
        client_secret=config.secret("client_secret"),
        revoke_url=f"{config.text('token_url').rstrip('/')}/revoke",
        extra={"access_type": "offline", "prompt": "consent"},
    )


def token_url(config: Config) -> str:
    return f"{config.text('token_url').rstrip('/')}/token"


def scopes_of(config: Config) -> tuple[str, ...]:
    """The least that does it: busy times, the list of calendars, events of own or of shared calendars too."""
    return BUSY, LIST, EVENTS if config.text("write_to") == "shared" else OWN_EVENTS


def lacking(wanted: Iterable[str], granted: Iterable[str]) -> tuple[str, ...]:
    """Those of `wanted` that nothing among `granted` covers."""
    there = set(granted)
    return tuple(one for one in wanted if not there & {one, *(f"{_SCOPE}{name}" for name in _WIDER.get(one, ()))})


def service_account(config: Config) -> dict[str, Any]:
    """The key that Google gave as a file, {} when there is none. It may be in Base64, so that it is one line."""
    text = config.secret("service_account").strip()
    if not text:
        return {}
    try:
        found = json.loads(text if text.startswith("{") else base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        raise _bad_key("no JSON") from None
    if not isinstance(found, dict) or found.get("type") != "service_account" or not found.get("private_key"):
        raise _bad_key("another kind of JSON")
    return found


def _bad_key(why: str) -> PluginError:
    said = "The key of the service account cannot be read. Please paste the whole JSON file that Google gave."
    return ConfigError(f"service account key: {why}", problems=(("service_account", why),), user_message=said)


def _explained(refused: AuthError, subject: str) -> AuthError:
    sentences = {
        "unauthorized_client": "The Workspace administrator has not allowed this service account to act for people "
        "with the scopes that are needed.",
        "invalid_grant": f"Google does not let the service account act as {subject or 'itself'}. Is the address that "
        "of a person in the domain, is the key still valid, and is this server's clock right?",
    }
    refused.user_message = sentences.get(refused.vendor_code, refused.user_message)
    return refused
