"""A part of SOQL, read strictly: SELECT, FROM, WHERE, ORDER BY, LIMIT. What Salesforce would refuse is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from plugins.testing.fakes.salesforce.tables import refusal

_WORDS = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\\n]|\\.)*')|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    "'": "'",
    '"': '"',
    "\\": "\\",
    "_": "\\_",
    "%": "\\%",
}
_CONSTANTS = {"true": True, "false": False, "null": None}
Value = Callable[[dict[str, Any], str], Any]


@dataclass(frozen=True)
class Query:
    """What was asked for. `holds(read)` judges a record by what `read(field)` gives of it."""

    fields: tuple[str, ...]
    sobject: str
    holds: Callable[[Callable[[str], Any]], bool]
    named: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]
    limit: int | None


class Reader:
    """Reads one query, word by word."""

    def __init__(self, soql: str) -> None:
        self._words = list(_split(soql))
        self._at = 0
        self._named: list[str] = []

    def query(self) -> Query:
        self._take("SELECT")
        fields = self._listed(self._field)
        self._take("FROM")
        sobject = self._field()
        holds = self._either() if self._skip("WHERE") else (lambda read: True)
        order: list[tuple[str, bool]] = []
        if self._skip("ORDER"):
            self._take("BY")
            order = self._listed(self._ordered)
        limit = int(self._next("number")) if self._skip("LIMIT") else None
        if self._at < len(self._words):
            raise malformed(f"unexpected token: '{self._words[self._at][1]}'")
        if len(set(fields)) < len(fields):
            raise malformed("duplicate field selected")
        named = tuple(dict.fromkeys([*self._named, *(name for name, _ in order)]))
        return Query(tuple(fields), sobject, holds, named, tuple(order), limit)

    def _either(self) -> Any:
        """Conditions joined by AND or by OR; both without brackets is an error, as in Salesforce."""
        parts, joint = [self._condition()], ""
        while (word := self._peek()) in ("AND", "OR"):
            if joint and word != joint:
                raise malformed(f"unexpected token: {word}")
            joint = word
            self._at += 1
            parts.append(self._condition())
        judge = any if joint == "OR" else all
        return lambda read: judge([part(read) for part in parts])

    def _condition(self) -> Any:
        if self._skip("("):
            inner = self._either()
            self._take(")")
            return inner
        if self._skip("NOT"):
            negated = self._condition()
            return lambda read: not negated(read)
        field = self._field()
        self._named.append(field)
        if self._skip("IN"):
            return self._among(field)
        if self._skip("LIKE"):
            pattern = _like(self._literal())
            return lambda read: pattern.fullmatch(str(read(field) or "")) is not None
        sign, wanted = self._next("sign"), self._literal()
        return lambda read: _compared(sign, read(field), wanted)

    def _among(self, field: str) -> Any:
        self._take("(")
        wanted = [_plain(one) for one in self._listed(self._literal)]
        self._take(")")
        return lambda read: _plain(read(field)) in wanted

    def _ordered(self) -> tuple[str, bool]:
        field = self._field()
        descending = self._skip("DESC")
        if not descending:
            self._skip("ASC")
        return field, descending

    def _literal(self) -> Any:
        kind, word = self._words[self._at] if self._at < len(self._words) else ("", "<EOF>")
        self._at += 1
        if kind == "text":
            return re.sub(r"\\(.)", _unescaped, word[1:-1])
        if kind == "moment":
            return datetime.fromisoformat(word).astimezone(UTC)
        if kind == "number":
            return float(word)
        if kind == "word" and word.lower() in _CONSTANTS:
            return _CONSTANTS[word.lower()]
        raise malformed(f"unexpected token: '{word}'")

    def _field(self) -> str:
        return self._next("word")

    def _listed(self, one: Callable[[], Any]) -> list[Any]:
        found = [one()]
        while self._skip(","):
            found.append(one())
        return found

    def _peek(self) -> str:
        return self._words[self._at][1].upper() if self._at < len(self._words) else ""

    def _skip(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._at += 1
        return True

    def _take(self, word: str) -> None:
        if not self._skip(word):
            raise malformed(f"unexpected token: '{self._peek() or '<EOF>'}', expected {word}")

    def _next(self, kind: str) -> str:
        found, word = self._words[self._at] if self._at < len(self._words) else ("", "<EOF>")
        if found != kind:
            raise malformed(f"unexpected token: '{word}'")
        self._at += 1
        return word


def malformed(message: str) -> Exception:
    """The refusal of a query that cannot be read."""
    return refusal(400, "MALFORMED_QUERY", message)


def ordered(rows: Iterable[Any], query: Query, read: Callable[[Any, str], Any]) -> list[Any]:
    """Rows in the order that was asked for, empty values first (NULLS FIRST)."""
    found = list(rows)
    for field, descending in reversed(query.order):
        found.sort(key=lambda row, field=field: _sortable(read(row, field)), reverse=descending)  # type: ignore[misc]
    return found


def _split(soql: str) -> Iterable[tuple[str, str]]:
    at, end = 0, len(soql.rstrip())
    while at < end:
        found = _WORDS.match(soql, at)
        if found is None or found.lastgroup is None:
            raise malformed(f"unexpected character at column {at}: {soql[at : at + 20]!r}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _unescaped(found: re.Match[str]) -> str:
    if found[1] not in _ESCAPES:
        raise malformed(f"invalid escape sequence \\{found[1]}")
    return _ESCAPES[found[1]]


def _like(pattern: Any) -> re.Pattern[str]:
    if not isinstance(pattern, str):
        raise malformed("LIKE wants a text")
    parts = re.split(r"(\\[_%]|[_%])", pattern)
    meaning = {"%": ".*", "_": ".", "\\%": "%", "\\_": "_"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.IGNORECASE | re.DOTALL)


def _compared(sign: str, found: Any, wanted: Any) -> bool:
    if isinstance(wanted, datetime) and isinstance(found, str):
        found = datetime.fromisoformat(found).astimezone(UTC)
    left, right = _plain(found), _plain(wanted)
    if sign == "=":
        return bool(left == right)
    if sign in ("!=", "<>"):
        return bool(left != right)
    if left is None or right is None:
        return False
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign])


def _plain(value: Any) -> Any:
    """Texts compare without regard to case; ids as they are told."""
    return value.lower() if isinstance(value, str) else value


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, _plain(value) if value is not None else 0)
