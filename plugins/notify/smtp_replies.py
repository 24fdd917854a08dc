"""What a mail server's refusal means: by the step it comes at (RFC 5321 4.3.2), its enhanced code (RFC 3463) and, where
servers give one code to several things, its words."""

from __future__ import annotations

import re
from typing import Any

from plugins.errors import (
    AuthError,
    ConfigError,
    InvalidInput,
    Permanent,
    PermissionDenied,
    PluginError,
    RateLimited,
    Transient,
)

NOT_SIGNED_IN = (530, 534, 535, 538)
"""RFC 4954 section 6."""
_ENHANCED = re.compile(r"[245]\.\d+\.\d+")
_BEFORE, _ANY = ("", "MAIL", "RCPT"), ("", "MAIL", "RCPT", "DATA")
_OURS: tuple[tuple[str, tuple[str, ...], type[PluginError], str], ...] = (
    (
        r"^5\.(4\.5|1\.90)\b",  # Gmail ("SMTP errors and codes"), Exchange Online ("NDR codes")
        _ANY,
        RateLimited,
        "The mail server sends no more mails for this account today. We will try again.",
    ),
    (
        r"starttls",  # RFC 3207 section 4
        _BEFORE,
        ConfigError,
        "The mail server wants an encrypted connection.",
    ),
    (
        r"sender address rejected|sendasdenied|^5\.(1\.[78]|7\.60)\b",  # Postfix, Exchange, RFC 3463
        _ANY,
        ConfigError,
        "The mail server does not let this account send as this sender.",
    ),
    (
        r"relay(ing)? (access )?(denied|not (permitted|allowed))|(unable|not (permitted|allowed)) to relay",
        _BEFORE,
        ConfigError,
        "The mail server passes on nothing for us: it wants a sign-in, or to be told of this machine.",
    ),
    (
        r"client host|blocked using|(block|black) ?list|banned sending ip",  # Postfix, Outlook, Exchange Online
        _BEFORE,
        PermissionDenied,
        "The mail server takes nothing from this machine: see whether its address is on a block list.",
    ),
)
"""Refusals that are not about this one mail: a pattern of enhanced code and words, the steps at which it is heard, the
error. What comes after DATA mostly judges what is in the mail."""
_QUOTED = re.compile(r"recipient address rejected|call-?(back|out)|verification|undeliverable address| said:")
"""From here on servers repeat what the recipient's own server says (address verification of Postfix and Exim), and a
visitor chose whose that is."""


def refusal(step: str, code: int, said: str, *, to: str = "") -> PluginError:
    """The error for this answer to `step`: MAIL, RCPT, DATA, or "" for what comes before a mail. `to` is whom the mail
    is for: servers repeat the address, and a visitor chose its words."""
    enhanced = _ENHANCED.match(said)
    name = enhanced[0] if enhanced else ""
    kind, about = _meant(step, code, name, _words(said, to))
    return kind(f"{code} {said}", vendor_code=name or str(code), **about)


def _meant(step: str, code: int, enhanced: str, words: str) -> tuple[type[PluginError], dict[str, Any]]:
    if code in NOT_SIGNED_IN and "starttls" not in words:
        return AuthError, {}
    if 400 <= code < 500:
        return Transient, {}
    own = _QUOTED.split(words, maxsplit=1)[0]
    for pattern, steps, kind, sentence in _OURS:
        if step in steps and re.search(pattern, own):
            return kind, {"user_message": sentence}
    if step == "RCPT":
        return _of_recipient(code, enhanced, words)
    return (Permanent if step == "DATA" else ConfigError), {}


def _of_recipient(code: int, enhanced: str, words: str) -> tuple[type[PluginError], dict[str, Any]]:
    """Address, mailbox and way to it are the recipient's; what security or policy forbids (5.7) is forbidden to us,
    unless the words say otherwise (Postfix)."""
    if enhanced.startswith("5.7.") and "recipient address rejected" not in words:
        return PermissionDenied, {}
    about_to = enhanced.startswith(("5.1.", "5.2.", "5.4.", "5.7.")) or code in (550, 551, 552, 553)
    return (InvalidInput, {"field": "to"}) if about_to else (Permanent, {})


def _words(said: str, to: str) -> str:
    """What the server says, in small letters, without the addresses in it."""
    return re.sub(r"<[^>]*>|\S*@\S*", " ", said.replace(to, " ") if to else said).lower()
