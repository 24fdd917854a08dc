"""The guard that nobody blanks a standard test: not by another of its name, not by a class in between, not later."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.testing.recorder import record

KIT = "plugins.testing."
NARROWING = ("keyword", "markexpr", "deselect", "lf")


class Guarded:
    """Refuses subclasses that replace a standard test of the kit, unless by an xfail with a reason."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith(KIT):
            return
        for name, kit in standard_tests(cls).items():
            if not _kept(getattr(cls, name, None)):
                raise TypeError(f"{cls.__qualname__}.{name} replaces a test of {kit}: mark it xfail(reason=…)")
        marks = {mark.name for mark in _marks(vars(cls).get("pytestmark", []))}
        if marks & {"skip", "skipif", "xfail"}:
            raise TypeError(f"{cls.__qualname__} is marked {', '.join(sorted(marks))} as a whole")

    @pytest.fixture(autouse=True)
    def _recorded(self, request: pytest.FixtureRequest) -> None:
        record(request)

    def test_no_standard_test_was_taken_away(self, request: pytest.FixtureRequest) -> None:
        standard = standard_tests(type(self))
        assert not [name for name in standard if not _kept(getattr(type(self), name, None))]
        if is_narrowed(request.config):
            return
        collected = {item.name.partition("[")[0] for item in request.session.items if _class_of(item) is type(self)}
        assert not sorted(set(standard) - collected), "standard tests were not collected"


def standard_tests(cls: type) -> dict[str, str]:
    """The tests that the kit has for this class, by name, with the class of the kit that brings each."""
    return {
        name: kit.__qualname__
        for kit in reversed(cls.__mro__)
        if kit.__module__.startswith(KIT)
        for name in vars(kit)
        if name.startswith("test_")
    }


def is_narrowed(config: pytest.Config) -> bool:
    """Whether whoever called pytest asked for some tests only."""
    asked = any(config.getoption(name, None) for name in NARROWING)
    return asked or any("::" in str(word) for word in config.invocation_params.args)


def _class_of(item: pytest.Item) -> type | None:
    found: type | None = getattr(item, "cls", None)
    return found


def _kept(test: object) -> bool:
    """Whether it is the kit's own, or fails for a reason that is said."""
    if str(getattr(test, "__module__", "")).startswith(KIT):
        return True
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in _marks(getattr(test, "pytestmark", [])))


def _marks(given: Any) -> list[pytest.Mark]:
    """What `pytestmark` holds: one or several, decorators or marks."""
    several: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
    marks: list[pytest.Mark] = [getattr(one, "mark", one) for one in several]
    return marks
