"""The settings an adapter runs with, after validation, and the type that keeps a secret secret."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

MASK = "****"
_PATH = re.compile(r"(?:^|[\s=])https?://[^\s/?#]+(/[^\s?#]{8,})")
"""The path of an address that may be a secret by itself: webhooks, published calendars."""


class Secret:
    """A value that is shown to nobody: str, repr, format and JSON give asterisks or fail, pickling fails."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(Secret)

    def __repr__(self) -> str:
        return MASK

    def __format__(self, how: str) -> str:
        return format(MASK, how)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not written down")


class Config(Mapping[str, Any]):
    """Settings that passed validation; every field of the table is there, secrets as `Secret`. Repr hides them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def text(self, name: str) -> str:
        """The text of a field that is no secret, "" when it was left out."""
        return str(self._values[name] or "")

    def secret(self, name: str) -> str:
        """The hidden text itself, "" when it was left out."""
        value = self._values[name]
        return value.reveal() if value else ""

    def secrets(self) -> tuple[str, ...]:
        """All hidden texts, to strip them from anything that is about to be logged; of addresses among them their paths
        too, because logs name host and path."""
        whole = [value.reveal() for value in self._values.values() if isinstance(value, Secret) and value]
        return (*whole, *(path for text in whole for path in _PATH.findall(text)))


def strip_secrets(text: str, secrets: Sequence[str]) -> str:
    """`text` without any of `secrets`, longest first so that one inside another leaves no rest."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
