"""$filter of the fake of Dataverse: the part of OData that Usher asks with, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

Test = Callable[[Mapping[str, Any]], bool]
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|[(),]|[^\s(),']+)")


class BadFilter(ValueError):
    """Nobody can read this filter, or it asks about a column that is none."""


def parsed(text: str, columns: Mapping[str, Any]) -> Test:
    """What a row must be like."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise BadFilter(text)
    reader = _Reader(tokens, columns)
    test = reader.either()
    if reader.tokens:
        raise BadFilter(text)
    return test


def same(text: Any) -> Any:
    """How Dataverse compares texts: without regard to case and accents."""
    if not isinstance(text, str):
        return text
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


class _Reader:
    def __init__(self, tokens: list[str], columns: Mapping[str, Any]) -> None:
        self.tokens, self._columns = tokens, columns

    def either(self) -> Test:
        tests = [self._both()]
        while self._next("or"):
            tests.append(self._both())
        return lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._next("and"):
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._next("("):
            inside = self.either()
            self._take(")")
            return inside
        word = self._take()
        if word in ("contains", "endswith"):
            return self._within(word)
        column, operator, value = self._column(word), self._take(), self._value()
        if operator == "eq":
            return lambda row: bool(same(row.get(column)) == same(value))
        if operator == "ne":
            return lambda row: bool(same(row.get(column)) != same(value))
        raise BadFilter(operator)

    def _within(self, how: str) -> Test:
        self._take("(")
        column = self._column(self._take())
        self._take(",")
        part = same(self._value())
        self._take(")")
        if how == "contains":
            return lambda row: part in same(row.get(column) or "")
        return lambda row: bool(same(row.get(column) or "").endswith(part))

    def _column(self, name: str) -> str:
        if name not in self._columns:
            raise BadFilter(f"Could not find a property named '{name}'")
        return name

    def _value(self) -> Any:
        word = self._take()
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        plain = {"true": True, "false": False, "null": None}
        if word in plain:
            return plain[word]
        return int(word) if re.fullmatch(r"-?\d+", word) else word

    def _next(self, word: str) -> bool:
        if self.tokens and self.tokens[0] == word:
            self.tokens.pop(0)
            return True
        return False

    def _take(self, word: str = "") -> str:
        if not self.tokens or (word and self.tokens[0] != word):
            raise BadFilter(f"expected {word or 'more'}")
        return self.tokens.pop(0)
