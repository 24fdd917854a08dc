"""The names that conditions and messages may use, in one table: a wrong name is a rule that silently never fires."""
from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# None: any key may follow. A mapping: only these keys may follow. "value": nothing may follow but methods of text.
VALUE = "value"
ANY = None

_PERSON = ("email", "name", "first_name", "last_name", "phone", "title", "company", "role", "interests", "country")
_ENRICHED = ("seniority", "department", "email_type", "email_validity")
_LEAD = (
    *_PERSON, *_ENRICHED, "language", "tier", "rating", "score", "status", "source", "owner", "fit", "signal", "id",
)  # fmt: skip
_ACCOUNT = (
    "domain", "name", "industry", "employees", "country", "region", "city", "revenue", "tech", "phone", "website",
)  # fmt: skip
_ACCOUNT_OURS = ("is_customer", "is_target", "owner", "csm", "id")
_CONVERSATION = ("id", "state", "playbook", "node", "messages", "started_at", "intent", "outcome", "rep", "queue")


def _fields(*names: str, **deeper: object) -> dict[str, object]:
    return {**dict.fromkeys(names, VALUE), **deeper}


NAMES: dict[str, object] = {
    "page": _fields(
        "url", "path", "title", "referrer", query=ANY, utm=_fields("source", "medium", "campaign", "term", "content")
    ),
    "visit": _fields("count", "returning", "pages_seen", "seconds_on_page"),
    "device": VALUE,
    "locale": VALUE,
    "now": _fields("hour", "weekday", "open", "date"),
    "data": ANY,
    "account": _fields(*_ACCOUNT, *_ACCOUNT_OURS, fields=ANY),
    "lead": _fields(*_LEAD, fields=ANY),
    "answers": ANY,
    "segment": VALUE,
    "intent": VALUE,
    "conversation": _fields(*_CONVERSATION, fields=ANY),
    "site": _fields("name", "key", "zone", "locale"),
}

# What a browser knows by itself (docs/protocol.md, "Config"): everything else is unknown there.
BROWSER_NAMES = frozenset({"page", "visit", "device", "locale", "data"})

# Messages are also written about a meeting that has been booked.
MESSAGE_NAMES = frozenset({"meeting", "rep", "agent"})


def wrong_name(path: tuple[str, ...], extra: Iterable[str] = ()) -> str | None:
    """A sentence about the first part of `path` that does not exist, or None. `extra`: further roots, open below."""
    if path[0] in extra:
        return None
    level: object = NAMES
    for depth, part in enumerate(path):
        if not isinstance(level, dict):
            return None
        if part not in level:
            return _unknown(path[: depth + 1], level, extra if depth == 0 else ())
        level = level[part]
    return None


def _unknown(path: tuple[str, ...], level: dict[str, object], extra: Iterable[str]) -> str:
    known = [*level, *extra]
    before = ".".join(path[:-1])
    near = get_close_matches(path[-1], known, 1, 0.6)
    guess = f'; did you mean "{".".join([*path[:-1], near[0]])}"?' if near else ""
    return f'found the unknown name "{".".join(path)}", allowed {_list(known, before)}{guess}'


def _list(known: list[str], before: str) -> str:
    names = ", ".join(sorted(known))
    return f"after {before}: {names}" if before else names
