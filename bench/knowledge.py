"""Knowledge search beside plain FTS5 with the porter stemmer, in one run: prints ratios, never fails.

Run: python -m bench.knowledge. Cost on 2,000 made-up passages in four languages; hit rates on the questions of
tests/knowledge/bikes.
"""

from __future__ import annotations

import random
import re
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from server.config import folder
from server.config.version import candidate
from server.knowledge.index import Index
from server.knowledge.passages import Passage, passages_of
from server.knowledge.schema import Article

BIKES = Path(__file__).resolve().parent.parent / "tests" / "knowledge" / "bikes"
PASSAGES = 2_000
WORDS = {
    "en": """booking calendar supports zones reminders cancel reschedule meeting invoices monthly payments refund policy
        annual subscriptions integrations connect encrypted exports conversation webhooks permissions""",
    "de": """kalender unterstützt zeitzonen erinnerungen treffen stornieren verschieben rechnungen monatlich zahlungen
        benutzer verbinden berechtigungen rückerstattung abonnements verschlüsselt gespeichert""",
    "fr": """calendrier fuseaux horaires rappels annuler déplacer réunion factures paiements sécurité utilisateurs
        connectent remboursement abonnements annuels""",
    "es": """calendario zonas recordatorios cancelar reunión facturas mensualmente pagos segura usuarios conectan
        reembolsos suscripciones anuales""",
}
ASKED = [
    ("en", "what is your refund policy for annual subscriptions"),
    ("en", "refnd polcy anual subscritpions"),
    ("de", "wann werden rechnungen bezahlt"),
    ("fr", "remboursement d'un abonnement annuel"),
    ("es", "cancelar una reunion"),
]


class Plain:
    """The reference: FTS5's own porter stemmer, OR of all words, bm25; what most people would write."""

    def __init__(self, passages: list[Passage]) -> None:
        self.passages = passages
        self.table = sqlite3.connect(":memory:")
        self.table.execute("CREATE VIRTUAL TABLE f USING fts5(body, lang UNINDEXED, tokenize='porter unicode61')")
        rows = [(n, f"{one.path} {one.text}", one.locale) for n, one in enumerate(passages)]
        self.table.executemany("INSERT INTO f (rowid, body, lang) VALUES (?, ?, ?)", rows)

    def search(self, question: str, locale: str) -> list[Passage]:
        query = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        statement = "SELECT rowid FROM f WHERE f MATCH ? AND lang = ? ORDER BY bm25(f) LIMIT 3"
        return [self.passages[row[0]] for row in self.table.execute(statement, (query, locale))]


def made_up() -> list[Passage]:
    """Passages of 92 words: twelve of their language, eighty that are nobody's."""
    rnd = random.Random(7)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in "aeiou"]
    filler = ["".join(rnd.choices(syllables, k=rnd.randint(2, 4))) for _ in range(6_000)]
    found = []
    for number in range(PASSAGES):
        locale = list(WORDS)[number % 4]
        words = rnd.sample(WORDS[locale].split(), 12) + rnd.choices(filler, k=80)
        found.append(Passage(f"p#{number}", "Page", (), "/p", locale, " ".join(words)))
    return found


def seconds(deed: Callable[[], Any], times: int) -> float:
    """The median of some runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        deed()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def cost(console: Console) -> None:
    passages = made_up()
    ours, plain = Index(passages), Plain(passages)
    rows = [
        ("build, ms", seconds(lambda: Index(passages), 3) * 1e3, seconds(lambda: Plain(passages), 3) * 1e3),
        *(
            (
                f"search, ms: {question}",
                seconds(lambda q=question, at=locale: ours.search(q, at), 30) * 1e3,  # type: ignore[misc]
                seconds(lambda q=question, at=locale: plain.search(q, at), 30) * 1e3,  # type: ignore[misc]
            )
            for locale, question in ASKED
        ),
    ]
    table = Table("cost, 2,000 passages", "ours", "plain FTS5 porter", "ratio", title="Knowledge search")
    for name, one, other in rows:
        table.add_row(name, f"{one:.2f}", f"{other:.2f}", f"{one / other:.1f}")
    console.print(table)


def hits(console: Console) -> None:
    files = folder.load(BIKES)
    questions = YAML(typ="safe", pure=True).load(files.pop("questions.yml"))["questions"]
    version = candidate(files)
    articles = version.part(Article)
    passages = [one for name, article in articles.items() for one in passages_of(name, article, "en")]
    ours, plain = Index(passages, (), ["Nordlicht", "Cargo"]), Plain(passages)
    right = {"ours": 0, "plain": 0}
    answered = {"ours": 0, "plain": 0}
    for one in questions:
        locale = one.get("locale", "en")
        found = [hit.passage for hit in ours.search(one["ask"], locale, 1) if hit.confidence >= 0.55]
        for name, best in (("ours", found), ("plain", plain.search(one["ask"], locale)[:1])):
            if "in" in one:
                right[name] += bool(best) and best[0].id.split("#")[0] in one["in"]
            else:
                answered[name] += bool(best)
    known = sum("in" in one for one in questions)
    unknown = len(questions) - known
    table = Table("questions of visitors", "ours, sure from 0.55", "plain FTS5 porter", title="What is answered")
    table.add_row(f"right article first, of {known}", str(right["ours"]), str(right["plain"]))
    table.add_row(f"answered though nobody knows, of {unknown}", str(answered["ours"]), str(answered["plain"]))
    console.print(table)


if __name__ == "__main__":
    screen = Console(width=110)
    cost(screen)
    hits(screen)
