"""Writes down how each standard test ended, and holds that against the report that the adapter's package has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.quality import place
from plugins.testing.guard import Exempt, LeftOut, Row, standard_tests, test_of

NAME = "usher-quality"
WRITE = "python -m plugins.testing.quality"
WORST_FIRST = ("failing", "left_out", "done", "exempt")
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
    """`runs`: how the rules stood, by adapter and class. A rule with several rows stands as the one of them that comes
    first in WORST_FIRST, and is left out when one of its rows was not tried."""

    def __init__(self, *, compare: bool = True) -> None:
        self.compare = compare
        self.runs: dict[type, dict[str, tuple[str, str]]] = {}
        self.failed: set[str] = set()
        self._tried: dict[tuple[type, str], set[Row]] = {}
        self._last: pytest.Item | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        report: Any = yield
        cls = held(item)
        if cls and (report.when == "call" or report.skipped or report.failed):
            self._note(cls, item, report, call)
        if cls and report.when == "teardown" and self._last is item and (problem := self._problem(cls)):
            report.outcome, report.longrepr = "failed", problem
            report.__dict__.pop("wasxfail", None)
        return report

    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        if self.compare and held(nextitem) is not held(item):
            self._last = item

    def _note(self, cls: type, item: pytest.Item, report: Any, call: pytest.CallInfo[None]) -> None:
        test = test_of(item)
        if report.failed:
            self.failed.add(f"{cls.__qualname__}::{test}")
        standard = standard_tests(cls).get(test)
        if standard is None:
            return
        stands = _state(report, call)
        if stands[0] != "failing" and getattr(item, "function", None) is not standard.test:
            stands = "failing", "another test ran in its place"
        rules = self.runs.setdefault(cls, {})
        known = rules.get(rule_of(test))
        if known is None or WORST_FIRST.index(stands[0]) < WORST_FIRST.index(known[0]):
            rules[rule_of(test)] = stands
        self._tried.setdefault((cls, test), set()).add(standard.row_of(item))

    def lacking(self, cls: type) -> dict[str, str]:
        """The rules of which rows were not tried, with how many."""
        found = {}
        for test, standard in standard_tests(cls).items():
            untried = standard.lacking(cls, test, self._tried.get((cls, test), set()))
            if untried:
                found[rule_of(test)] = f"{len(untried)} of {len(standard.rows)} were not tried"
        return found

    def run_of(self, cls: type) -> Run:
        """One run, as it is written."""
        stands = dict(self.runs[cls])
        for rule, why in self.lacking(cls).items():
            if stands.get(rule, ("done", ""))[0] != "failing":
                stands[rule] = "left_out", why
        found: Run = {"done": sorted(rule for rule, (how, _) in stands.items() if how == "done")}
        for state in ("exempt", "left_out", "failing"):
            found[state] = {rule: why for rule, (how, why) in sorted(stands.items()) if how == state}
        found["said"] = _sayings(cls)
        return found

    def _problem(self, cls: type) -> str:
        """What is wrong with the report that the package has, "" when it says the same. Runs of some tests only, or
        without success, say nothing."""
        file = report_of(cls)
        if file is None or not file.exists() or self.failed or self.lacking(cls):
            return ""
        if json.loads(file.read_text()).get(title(cls)) == self.run_of(cls):
            return ""
        return f"{file.name} is out of date for {title(cls)}: {WRITE} TESTS"


def rule_of(test: str) -> str:
    """What the report calls a test."""
    return test.removeprefix("test_").replace("_", " ")


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
    return cls if cls and hasattr(cls, "adapter") and standard_tests(cls) else None


def _state(report: Any, call: pytest.CallInfo[None]) -> tuple[str, str]:
    """How the rule stands, and why when it was not simply held. Only the kit exempts."""
    if report.failed:
        return "failing", "it fails"
    if hasattr(report, "wasxfail"):
        return "failing", report.wasxfail.removeprefix("reason: ")
    if not report.skipped:
        return "done", ""
    raised = call.excinfo.value if call.excinfo else None
    why = str(getattr(raised, "msg", None) or "without a reason")
    if isinstance(raised, Exempt):
        return "exempt", why
    return "left_out", why if isinstance(raised, LeftOut) else f"skipped by the author: {why}"


def _sayings(cls: Any) -> dict[str, str]:
    """What the author says is special about the service, where no test is skipped for it."""
    said = {words: getattr(cls, name) for name, words in SAYINGS.items() if getattr(cls, name, "")}
    for (deed, what), means in getattr(cls, "means", {}).items():
        meant = means.error.__name__ if means.error else "done"
        said[f"{deed} at {what} means {meant}"] = means.because
    return said
