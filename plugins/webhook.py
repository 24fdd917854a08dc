"""A program of the owner's own, which takes signed messages: what its connection asks for, and how it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from plugins.config import Config
from plugins.errors import ConfigError, InvalidInput, PluginError, Transient
from plugins.fields import Field, Type
from plugins.http import Http, Reply
from plugins.signing import SECRET, name_of, signed

FIELDS = (
    Field(
        "url",
        "Address of your program",
        Type.URL,
        required=True,
        pattern=r"https://[^\s/?#@]+([/?#]\S*)?|http://(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?(/\S*)?",
        help="With https. It gets POSTs.",
    ),
    Field(
        "secret",
        "Signing secret",
        secret=True,
        required=True,
        pattern=SECRET,
        help="whsec_ and 24 to 64 random bytes in base64, such as `openssl rand -base64 32` gives.",
    ),
    Field(
        "old_secret",
        "Signing secret until now",
        secret=True,
        pattern=SECRET,
        help="While you change secrets: messages carry both signatures, and either is believed. Clear it then.",
    ),
)
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s|<!--.*?-->|<\?.*?>)*+<(?:!doctype\s+html|html|head|title|meta|link|script|style|body)\b",
    re.IGNORECASE | re.DOTALL,
)
"""How a page of HTML begins (HTML 13.1: comments come before it, and the tags of its head may be left out)."""
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
PAGE_CAME = "A web page came back, not an answer of your program: something in between, such as a sign-in, answers."
TWO_SECRETS = "Two secrets are in use. Clear the old one when your program knows the new."


def send(http: Http, config: Config, operation: str, type: str, key: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """POST a message that the program does once by its id, which is made of `key`; its answer when that is an object,
    whatever Content-Type it has.

    Moments in `data` are written in UTC. Raises what the status means, and what the program says in its body.
    """
    now = http.now()
    id = name_of(key)
    message = {"id": id, "type": type, "timestamp": written(now), "data": data}
    body = json.dumps(message, separators=(",", ":"), default=_plain).encode()
    headers = {"Content-Type": "application/json", **signed(secrets_of(config), id, now, body)}
    url = config.text("url")
    reply = http.call(operation, "POST", url, data=body, headers=headers, judge=_judge, repeatable=True)
    return _told(reply) if _OBJECT.match(reply.body) else {}


def _told(reply: Reply) -> dict[str, Any]:
    """The object that it answers. Where it does not call it JSON, what nobody can read was only a word."""
    try:
        return reply.told()
    except PluginError:
        if "json" in reply.headers.get("content-type", ""):
            raise
        return {}


def ping(http: Http, config: Config) -> tuple[str, ...]:
    """Ask whether the program believes us; what its owner should know though it does."""
    send(http, config, "check", "ping", f"ping:{int(http.now().timestamp() * 1000)}", {})
    return (TWO_SECRETS,) if config.secret("old_secret") else ()


def secrets_of(config: Config) -> tuple[str, str]:
    """The one in use and, while it is changed, the one before."""
    return config.secret("secret"), config.secret("old_secret")


def written(at: datetime) -> str:
    """A moment in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return written(value)
    raise TypeError(f"{type(value).__name__} cannot be told")


def _judge(reply: Reply) -> PluginError | None:
    """What the receiver says, where its status alone does not."""
    about: dict[str, Any] = {"http_status": reply.status}
    if 300 <= reply.status < 400:
        return ConfigError("the address sends us elsewhere", user_message="The address sends us elsewhere.", **about)
    if 200 <= reply.status < 300:
        return Transient("a page of HTML came back", user_message=PAGE_CAME, **about) if _is_page(reply) else None
    said = _error(reply)
    if reply.status in (404, 410) and said.get("code") != "not_found":
        sentence = "There is nothing at the address that takes our messages."
        return ConfigError(f"{reply.status} at the address", user_message=sentence, **about)
    if reply.status in (400, 422) and said:
        return InvalidInput(str(said.get("message", ""))[:300], field=str(said.get("field", "")), **about)
    return None


def _is_page(reply: Reply) -> bool:
    """Whether it is somebody else's answer, such as that of a proxy or a sign-in in between. Its Content-Type does not
    tell: Flask, PHP and Express call a word and an empty body text/html when they are not told otherwise."""
    return _PAGE.match(reply.body[:4096]) is not None


def _error(reply: Reply) -> dict[str, Any]:
    try:
        told = json.loads(reply.body)
    except ValueError:
        return {}
    error = told.get("error") if isinstance(told, dict) else None
    return error if isinstance(error, dict) else {}
