"""The guard that nobody blanks a standard test: not by another of its name, not by a class in between, not later, not
by a skip or a row that is dropped."""

from __future__ import annotations

import inspect
import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

FOLDER = str(Path(__file__).parent) + "/"
NARROWING = re.compile(r"-[qvxsl]*[km]|--(keyword|deselect|lf|last-failed|ignore)\b|[^-].*::")
FIXED = frozenset({"called", "failing", "hidden", "impatient", "opened"})
"""What the kit's tests stand on beside its private names; an author may not replace that either."""
Row = tuple[str, ...]
_KITS: dict[type, Mapping[str, Any]] = {}
"""The classes of the kit with what nobody may replace in them, as it was when they were made."""


class Exempt(pytest.skip.Exception):  # type: ignore[name-defined]
    """The test does not apply to the adapter."""

    __module__ = "builtins"


class LeftOut(pytest.skip.Exception):  # type: ignore[name-defined]
    """The test applies, and the author gave no means for it."""

    __module__ = "builtins"


def exempt(why: str) -> NoReturn:
    """Skip a test that does not apply to the adapter. Only the kit says so: what others skip is left out."""
    by_kit = sys._getframe(1).f_code.co_filename.startswith(FOLDER)
    raise (Exempt if by_kit else LeftOut)(why)


def left_out(why: str) -> NoReturn:
    """Skip a test that applies to the adapter and that its author gave no means for: the report says so."""
    raise LeftOut(why)


@dataclass(frozen=True)
class Standard:
    """A test of the kit: the class that brings it, the function itself, its parameters, and a row for each of their
    values."""

    kit: str
    test: Any
    parameters: tuple[str, ...]
    rows: frozenset[Row]

    def row_of(self, item: pytest.Item) -> Row:
        """The row that this item runs."""
        given = getattr(getattr(item, "callspec", None), "params", {})
        return tuple(repr(given.get(name)) for name in self.parameters)

    def lacking(self, cls: type, name: str, rows: set[Row]) -> list[Row]:
        """Those that are not among these rows; of a test that the class has replaced, any row is enough."""
        if rows and inspect.getattr_static(cls, name, None) is not self.test:
            return []
        return sorted(self.rows - rows)

    def keeps(self, cls: type, name: str) -> bool:
        """Whether the class has this very test, or one that fails for a reason that is said."""
        found = inspect.getattr_static(cls, name, None)
        if found is self.test:
            return True
        return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in _marks_of(found))


class Guarded:
    """Refuses subclasses that replace a standard test of the kit, unless by an xfail with a reason, or what its tests
    stand on."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if sys._getframe(1).f_code.co_filename.startswith(FOLDER):
            _remember(cls)
            return
        for name, standard in standard_tests(cls).items():
            if not standard.keeps(cls, name):
                raise TypeError(f"{cls.__qualname__}.{name} replaces a test of {standard.kit}: mark it xfail(reason=…)")
        for name, kit in _replaced(cls):
            raise TypeError(f"{cls.__qualname__}.{name} replaces what the tests of {kit} stand on")
        marks = {mark.name for mark in _marks(vars(cls).get("pytestmark", []))}
        if marks & {"skip", "skipif", "xfail"}:
            raise TypeError(f"{cls.__qualname__} is marked {', '.join(sorted(marks))} as a whole")

    def test_no_standard_test_was_taken_away(self, request: pytest.FixtureRequest) -> None:
        cls = type(self)
        standard = standard_tests(cls)
        assert not [name for name, one in standard.items() if not one.keeps(cls, name)]
        assert not list(_replaced(cls))
        if is_narrowed(request.config):
            return
        collected: dict[str, set[Row]] = {name: set() for name in standard}
        for item in request.session.items:
            name = test_of(item)
            if getattr(item, "cls", None) is cls and name in standard:
                collected[name].add(standard[name].row_of(item))
        lacking = {name: one.lacking(cls, name, collected[name]) for name, one in standard.items()}
        assert not {name: rows for name, rows in lacking.items() if rows}, "standard tests were not collected"


def _remember(cls: type) -> None:
    """Keep what this class of the kit brings, as it is now."""
    names = [name for name in vars(cls) if name.startswith("test_") or _is_fixed(name)]
    _KITS[cls] = {name: vars(cls)[name] for name in names}


def standard_tests(cls: type) -> dict[str, Standard]:
    """The tests that the kit has for this class, by name."""
    found: dict[str, Standard] = {}
    for kit in reversed(cls.__mro__):
        for name, test in _KITS.get(kit, {}).items():
            if name.startswith("test_"):
                found[name] = Standard(kit.__qualname__, test, *_rows(test))
    return found


def _replaced(cls: type) -> Iterator[tuple[str, str]]:
    """What the tests of the kit stand on and the class has in another way, with the class of the kit that brings it."""
    fixed = {
        name: (kit, thing)
        for kit in reversed(cls.__mro__)
        for name, thing in _KITS.get(kit, {}).items()
        if _is_fixed(name)
    }
    for name, (kit, thing) in fixed.items():
        if inspect.getattr_static(cls, name, None) is not thing:
            yield name, kit.__qualname__


def is_narrowed(config: pytest.Config) -> bool:
    """Whether whoever called pytest asked for some tests only. What a file of the project says is no call."""
    return any(NARROWING.match(str(word)) for word in config.invocation_params.args)


def test_of(item: pytest.Item) -> str:
    """The name of the test without its parameters."""
    return item.name.partition("[")[0]


test_of.__test__ = False  # type: ignore[attr-defined]


def _is_fixed(name: str) -> bool:
    return name in FIXED or (name.startswith("_") and not name.startswith("__"))


def _rows(test: Any) -> tuple[tuple[str, ...], frozenset[Row]]:
    """The names of the parameters, and all rows of their values as they are written."""
    names: list[str] = []
    columns: list[list[Row]] = []
    for mark in _marks_of(test):
        if mark.name == "parametrize":
            given, values = mark.args
            several = [given] if isinstance(given, str) else list(given)
            names += several
            columns.append([(repr(one),) if len(several) == 1 else tuple(map(repr, one)) for one in values])
    return tuple(names), frozenset(sum(parts, ()) for parts in itertools.product(*columns))


def _marks_of(test: Any) -> list[pytest.Mark]:
    return _marks(getattr(test, "pytestmark", []))


def _marks(given: Any) -> list[pytest.Mark]:
    """What `pytestmark` holds: one or several, decorators or marks."""
    several: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
    marks: list[pytest.Mark] = [getattr(one, "mark", one) for one in several]
    return marks


_remember(Guarded)
