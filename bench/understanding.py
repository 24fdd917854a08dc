"""How well and how fast visitors are understood: prints accuracy on phrasings no rule was written for, and the cost of
a call beside difflib over the same words. Never fails.

Run: python -m bench.understanding. The phrasings stand in bench/understanding.txt: kind | locale | text | meaning.
"""

from __future__ import annotations

import difflib
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from plugins.ai import Expect, Expectation, Intent, Option, Understanding
from plugins.ai.builtin import BuiltinAI
from plugins.ai.rules.text import LANGUAGES
from plugins.ai.rules.words import lists
from plugins.config import Config
from plugins.records import MemoryRecords

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PHRASINGS = Path(__file__).with_suffix(".txt")
NEED = (
    Option("compare", "Comparing tools"),
    Option("buy", "Ready to buy", ("purchase",)),
    Option("look", "Just looking"),
)
YES_NO = (Option("yes", "Yes"), Option("no", "No"))
ASKED = {
    "choice": Expectation(Expect.CHOICE, NEED),
    "yesno": Expectation(Expect.CHOICE, YES_NO),
    "number": Expectation(Expect.NUMBER),
    "text": Expectation(Expect.TEXT),
    "email": Expectation(Expect.EMAIL),
    "company": Expectation(Expect.COMPANY),
    "date": Expectation(Expect.DATE),
    "none": Expectation(),
}
Row = tuple[str, str, str, str]


def main() -> None:
    ai = BuiltinAI(Config({}), records=MemoryRecords())
    rows = phrasings()
    console = Console()
    console.print(_accuracy(ai, rows, console))
    console.print(_speed(ai, rows))


def phrasings() -> list[Row]:
    lines = PHRASINGS.read_text(encoding="utf-8").splitlines()
    return [
        (kind, locale, text, meaning)
        for line in lines
        if "|" in line and not line.startswith("#")
        for kind, locale, text, meaning in [[part.strip() for part in line.split("|")]]
    ]


def meant(heard: Understanding) -> str:
    """The value when one was taken as the answer, else the intent."""
    if heard.matched and heard.intent in (Intent.ANSWER, Intent.OBJECTION):
        return str(heard.value)
    return str(heard.intent)


def _ask(ai: BuiltinAI, row: Row) -> Understanding:
    kind, locale, text, _ = row
    return ai.understand(text, ASKED[kind], locale=locale, now=NOW, zone="Europe/Berlin")


def _accuracy(ai: BuiltinAI, rows: list[Row], console: Console) -> Table:
    right: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        got = meant(_ask(ai, row))
        good = got == (row[2] if row[3] == "=" else row[3])
        right[row[0]].append(good)
        right[f"in {row[1]}"].append(good)
        if not good:
            console.print(f"[dim]{row[0]} {row[1]}[/dim] {row[2]!r}: {got}, meant {row[3]}")
    table = Table("what", "phrasings", "understood", title="Held-out phrasings")
    for name, goods in right.items():
        table.add_row(name, str(len(goods)), f"{sum(goods) / len(goods):.0%}")
    return table


def _speed(ai: BuiltinAI, rows: list[Row]) -> Table:
    vocabulary = sorted({phrase for language in LANGUAGES for phrase in lists("choices", language)["yes"]})[:300]
    ours = _microseconds([lambda row=row: _ask(ai, row) for row in rows])  # type: ignore[misc]
    named = _microseconds([lambda row=row: difflib.get_close_matches(row[2], vocabulary) for row in rows])  # type: ignore[misc]
    table = Table("µs a call", "median", "95th", "worst", title="Cost of a call")
    for name, costs in (("understand", ours), (f"difflib, {len(vocabulary)} phrases", named)):
        table.add_row(name, *(f"{value:.0f}" for value in _spread(costs)))
    table.add_row("ratio", *(f"{a / b:.2f}" for a, b in zip(_spread(ours), _spread(named), strict=True)))
    return table


def _microseconds(calls: list[Callable[[], object]]) -> list[float]:
    """The quickest of seven tries: other work on the machine is not the question."""
    costs = []
    for call in calls:
        tries = []
        for _ in range(7):
            begun = time.perf_counter()
            call()
            tries.append((time.perf_counter() - begun) * 1e6)
        costs.append(min(tries))
    return costs


def _spread(costs: list[float]) -> tuple[float, float, float]:
    return statistics.median(costs), statistics.quantiles(costs, n=20)[-1], max(costs)


if __name__ == "__main__":
    main()
