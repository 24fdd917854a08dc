"""E-mail addresses as people type them: one, or several in a line. Whether they take mail is found out later. Pure."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

from server.booking.confirm import MOST_GUESTS

TOO_MANY = "*"
_BETWEEN = re.compile(r"[,;\s]+")
_NAMED = re.compile(r"\"?[^\"<>,;@]*\"?\s*<([^<>]*)>")


def plain(text: str) -> str:
    """The address in its normal form, "" when it cannot be one."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        return ""


def split(text: str) -> list[str]:
    """The pieces of a line that ought to be addresses: between commas, semicolons, spaces or lines; of "Bob
    <bob@x.example>" the address."""
    return [one for one in _BETWEEN.split(_NAMED.sub(r" \1 ", text)) if one]


def several(text: str, own: str) -> tuple[str, str]:
    """The addresses with commas between, each once and without the visitor's own, those that are none kept as typed;
    and the first that is none, "" when all are good, TOO_MANY when there are more than can be invited."""
    found = {one: plain(one) for one in split(text)}
    kept = dict.fromkeys(good or typed for typed, good in found.items())
    others = [one for one in kept if not own or one.casefold() != own.casefold()]
    wrong = next((typed for typed, good in found.items() if not good), "")
    return ", ".join(others), wrong or (TOO_MANY if len(others) > MOST_GUESTS else "")
