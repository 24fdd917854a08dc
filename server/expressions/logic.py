"""Kleene's three-valued logic: UNKNOWN beside True and False, and joins of answers for those who combine several."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

Answer = Literal["yes", "no", "unknown"]


class Unknown:
    """The one value that means: nobody has told us."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("unknown is neither yes nor no")


UNKNOWN: Final = Unknown()
Truth = bool | Unknown


def negation(truth: Truth) -> Truth:
    return UNKNOWN if isinstance(truth, Unknown) else not truth


def answer_of(truth: Truth) -> Answer:
    if isinstance(truth, Unknown):
        return "unknown"
    return "yes" if truth else "no"


def all_of(answers: Iterable[Answer]) -> Answer:
    """no if one is no, else unknown if one is unknown, else yes (so yes for none at all)."""
    seen = set(answers)
    if "no" in seen:
        return "no"
    return "unknown" if "unknown" in seen else "yes"


def any_of(answers: Iterable[Answer]) -> Answer:
    """yes if one is yes, else unknown if one is unknown, else no (so no for none at all)."""
    seen = set(answers)
    if "yes" in seen:
        return "yes"
    return "unknown" if "unknown" in seen else "no"


def none_of(answers: Iterable[Answer]) -> Answer:
    """The opposite of any_of."""
    opposite: dict[Answer, Answer] = {"yes": "no", "no": "yes", "unknown": "unknown"}
    return opposite[any_of(answers)]
