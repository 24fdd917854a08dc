"""What a visitor's message costs the server: stored, understood and answered, beside the bare driver storing two rows.

Run: python bench/messages.py. Prints CPU per message in one process on SQLite with synchronous=FULL; never fails.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from server import ids
from server.config import folder
from server.config import service as config
from server.db import Database, migrate
from server.playbooks import knowing
from server.playbooks import service as playbooks
from server.playbooks.hello import Hello
from server.sections import SECTIONS
from server.settings import ROOT

CONVERSATIONS = 60
SAID = {
    "a number asked for": "we are about 250",
    "a question in the middle": "Do you integrate with Salesforce?",
    "an option in words": "replacing a tool",
    "a question nobody can know": "Who will win the world cup?",
    "the last answer, open times": "this quarter",
}
PAGE = {"url": "http://localhost/pricing", "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        ours, reference = measure(place), measure_driver(place)
    table = Table("step", "CPU ms a message", "times the driver")
    for step, seconds in ours.items():
        table.add_row(step, f"{seconds * 1000:.2f}", f"{seconds / reference:.0f}")
    table.add_row("bare driver: one look, two rows, one change", f"{reference * 1000:.2f}", "1")
    Console().print(table)


def measure(place: str) -> dict[str, float]:
    """CPU seconds of each step of a conversation, the mean over all conversations."""
    ids.use_key("a key for measuring only")
    db = Database(f"sqlite:///{place}/usher.db")
    migrate.upgrade(db)
    version = config.apply(db, folder.load(ROOT / "server" / "sample"), author="bench", sections=SECTIONS)
    knowing.warm_up(db, version)
    spent = {"hello": 0.0, **dict.fromkeys(SAID, 0.0)}
    for n in range(CONVERSATIONS):
        opened, spent_here = timed(lambda n=n: playbooks.open(db, Hello.from_frame(hello(n))))  # type: ignore[misc]
        spent["hello"] += spent_here
        for step, text in SAID.items():
            _, spent_here = timed(lambda t=text, c=opened: playbooks.hear(db, c.conversation_id, t, t))  # type: ignore[misc]
            spent[step] += spent_here
    db.close()
    return {step: seconds / CONVERSATIONS for step, seconds in spent.items()}


def measure_driver(place: str) -> float:
    """CPU seconds of one transaction of the plain driver that stores a message and its answer."""
    db = sqlite3.connect(f"{place}/plain.db", isolation_level=None)
    db.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE c (id INTEGER PRIMARY KEY, seq INTEGER);"
        "CREATE TABLE m (c INTEGER, seq INTEGER, text TEXT, PRIMARY KEY (c, seq)); INSERT INTO c VALUES (1, 0);"
    )

    def store() -> None:
        db.execute("BEGIN IMMEDIATE")
        (seq,) = db.execute("SELECT seq FROM c WHERE id = 1").fetchone()
        db.executemany("INSERT INTO m VALUES (1, ?, ?)", [(seq + 1, "we are about 250"), (seq + 2, "And why?")])
        db.execute("UPDATE c SET seq = ? WHERE id = 1", (seq + 2,))
        db.execute("COMMIT")

    _, seconds = timed(lambda: [store() for _ in range(1000)])
    db.close()
    return seconds / 1000


def timed(do: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    done = do()
    return done, time.process_time() - began


def hello(n: int) -> dict[str, object]:
    about = {"device": "desktop", "locale": "en", "zone": "Europe/Berlin", "seed": f"seed {n}"}
    return {"t": "hello", "site": "acme", "page": PAGE, **about}


if __name__ == "__main__":
    main()
