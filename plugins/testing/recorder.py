"""Writes down how each standard test ended, and holds that against the report that the adapter's package has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.quality import STATES, place

NAME = "usher-quality"
WRITE = "python -m plugins.testing.quality"
LEFT_OUT = "left out: "
SAYINGS = {
    "no_keys": "the service knows no keys",
    "no_age": "a call carries no moment",
    "no_signature": "a call carries a word, no signature",
}
Run = dict[str, Any]


def record(request: pytest.FixtureRequest) -> None:
    """From now on write down how tests end."""
    plugins = request.config.pluginmanager
    if not plugins.has_plugin(NAME):
        plugins.register(Recorder(), NAME)


class Recorder:
    """`runs`: how the rules stood, by adapter and class. A rule with several parameters stands as the one of them
    that comes first in STATES."""

    def __init__(self, *, compare: bool = True) -> None:
        self.compare = compare
        self.runs: dict[type, dict[str, tuple[str, str]]] = {}
        self.failed: set[str] = set()
        self._last: pytest.Item | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        report: Any = yield
        cls = held(item)
        if cls and (report.when == "call" or report.skipped or report.failed):
            self._note(cls, item, report)
        if cls and report.when == "teardown" and self._last is item and (problem := self._problem(cls)):
            report.outcome, report.longrepr = "failed", problem
            report.__dict__.pop("wasxfail", None)
        return report

    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        if self.compare and held(nextitem) is not held(item):
            self._last = item

    def _note(self, cls: type, item: pytest.Item, report: Any) -> None:
        test = item.name.partition("[")[0]
        if report.failed:
            self.failed.add(f"{cls.__qualname__}::{test}")
        if test not in _standard(cls):
            return
        rule = test.removeprefix("test_").replace("_", " ")
        stands = _state(item, report)
        known = self.runs.setdefault(cls, {}).get(rule)
        if known is None or STATES.index(stands[0]) < STATES.index(known[0]):
            self.runs[cls][rule] = stands

    def run_of(self, cls: type) -> Run:
        """One run, as it is written."""
        found: Run = {"done": sorted(rule for rule, stands in self.runs[cls].items() if stands[0] == "done")}
        for state in ("exempt", "left_out", "failing"):
            found[state] = {rule: why for rule, (how, why) in sorted(self.runs[cls].items()) if how == state}
        found["said"] = _sayings(cls)
        return found

    def _problem(self, cls: type) -> str:
        """What is wrong with the report that the package has, "" when it says the same. Runs of some tests only, or
        without success, say nothing."""
        file = report_of(cls)
        if file is None or not file.exists() or self.failed or len(self.runs[cls]) < len(_standard(cls)):
            return ""
        if json.loads(file.read_text()).get(title(cls)) == self.run_of(cls):
            return ""
        return f"{file.name} is out of date for {title(cls)}: {WRITE} TESTS"


def report_of(cls: Any) -> Path | None:
    """Where the report about the adapter of this class belongs."""
    adapter = cls.adapter
    return place(adapter.kind, adapter.name, f"{adapter.__module__}:{adapter.__qualname__}")


def title(cls: type) -> str:
    """What a run is called in the report."""
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__qualname__}"


def held(item: pytest.Item | None) -> type | None:
    """The class of the kit that the test belongs to, when it holds an adapter."""
    cls: type | None = getattr(item, "cls", None)
    return cls if cls and hasattr(cls, "adapter") and _standard(cls) else None


def _standard(cls: type) -> set[str]:
    kits = [kit for kit in cls.__mro__ if kit.__module__.startswith("plugins.testing.")]
    return {name for kit in kits for name in vars(kit) if name.startswith("test_")}


def _state(item: pytest.Item, report: Any) -> tuple[str, str]:
    """How the rule stands, and why when it was not simply held."""
    if report.failed:
        return "failing", "it fails"
    if hasattr(report, "wasxfail"):
        return "failing", report.wasxfail.removeprefix("reason: ")
    if report.skipped:
        why = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        why = why.removeprefix("Skipped: ")
        if item.get_closest_marker("skip") or item.get_closest_marker("skipif"):
            return "left_out", f"skipped by the author: {why}"
        return ("left_out", why.removeprefix(LEFT_OUT)) if why.startswith(LEFT_OUT) else ("exempt", why)
    return "done", ""


def _sayings(cls: Any) -> dict[str, str]:
    """What the author says is special about the service, where no test is skipped for it."""
    said = {words: getattr(cls, name) for name, words in SAYINGS.items() if getattr(cls, name, "")}
    for (deed, what), means in getattr(cls, "means", {}).items():
        meant = means.error.__name__ if means.error else "done"
        said[f"{deed} at {what} means {meant}"] = means.because
    return said
