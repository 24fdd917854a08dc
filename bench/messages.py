"""What a visitor's message costs: storing it and its answer, understanding it, letting the playbook go on.

Run: python -m bench.messages. First table: CPU of storing a message and its answer, by the plain driver one at a time
(the reference) and by our writer in groups. Second table: where the rest of the time goes. Third: a question asked
while open times are on offer, which are then shown again: as they were, and looked for anew (the reference).
Prints; never fails.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench.databases import databases
from server import ids
from server.config import folder
from server.config import service as config
from server.conversations import service as conversations
from server.conversations.service import Change, Draft
from server.db import Database, migrate
from server.playbooks import knowing, meaning, messages, times
from server.playbooks import service as playbooks
from server.playbooks.hello import Hello
from server.sections import SECTIONS
from server.settings import ROOT

CONVERSATIONS = 192  # three full groups
GROUPS = (1, 8, 64)
ROUNDS = 5
SAID = {
    "a number asked for": "we are about 250",
    "a question in the middle": "Do you integrate with Salesforce?",
    "an option in words": "replacing a tool",
    "a question nobody can know": "Who will win the world cup?",
}
OFFERED = 24  # conversations in which times are on offer
TO_THE_TIMES = ("about 250", "replacing a tool", "This month")
ASKED = "What does the Team plan cost?"
PAGE = {"url": "http://localhost/pricing", "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}
CHOICES = {
    "kind": "choices",
    "multi": False,
    "options": [{"id": f"option-{n}", "label": f"Option {n}"} for n in range(4)],
}
LOOK = "SELECT seq, engine, conversations.* FROM conversations WHERE id = %s"
SAID_BEFORE = "SELECT seq FROM messages WHERE conversation_id = %s AND client_id = %s"
ADD = (
    "INSERT INTO messages (conversation_id, seq, client_id, author, name, text, value, node, citations, part, at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
MOVE = "UPDATE conversations SET seq = %s, engine = %s, last_at = %s WHERE id = %s"


def main() -> None:
    """Measure and print."""
    stored = Table("storing a message and its answer", "CPU µs each", "times the driver")
    again = Table("a question while open times are on offer", "CPU ms", "times looking anew")
    turns = Table("a whole message, in groups of 64", "understanding ms", "playbook and storing ms", "CPU ms")
    with tempfile.TemporaryDirectory() as place:
        for name, url in databases(place):
            db, opened = prepared(url)
            spent = storing(db, url, opened)
            reference = spent[0]
            stored.add_row(f"{name}: plain driver, a transaction each", f"{reference * 1e6:.0f}", "1")
            for size in GROUPS:
                ours = spent[size]
                stored.add_row(f"{name}: our writer, groups of {size}", f"{ours * 1e6:.0f}", f"{ours / reference:.2f}")
            for step, text in SAID.items():
                find, take = whole(db, opened, text)
                turns.add_row(f"{name}: {step}", *(f"{part * 1e3:.2f}" for part in (find, take, find + take)))
            anew, remembered = offering(db)
            again.add_row(f"{name}: times looked for anew", f"{anew * 1e3:.2f}", "1")
            again.add_row(f"{name}: times as they were", f"{remembered * 1e3:.2f}", f"{remembered / anew:.2f}")
            db.close()
    for table in (stored, turns, again):
        Console(width=120).print(table)


def prepared(url: str) -> tuple[Database, list[str]]:
    """A database with the sample site and open conversations."""
    ids.use_key("a key for measuring only")
    db = Database(url)
    migrate.upgrade(db)
    version = config.apply(db, folder.load(ROOT / "server" / "sample"), author="bench", sections=SECTIONS)
    knowing.warm_up(db, version)
    return db, [playbooks.open(db, Hello.from_frame(hello(n))).conversation_id for n in range(CONVERSATIONS)]


def storing(db: Database, url: str, opened: Sequence[str]) -> dict[int, float]:
    """CPU seconds a message by size of the group, 0 for the plain driver: the least of five interleaved rounds."""
    rounds = []
    for turn in range(ROUNDS):
        rounds.append({0: driver(url, opened, turn), **{size: writer(db, opened, size, turn) for size in GROUPS}})
    return {size: min(one[size] for one in rounds) for size in (0, *GROUPS)}


def driver(url: str, opened: Sequence[str], turn: int) -> float:
    """CPU seconds for looking at the conversation, storing two messages and moving it on, one transaction each."""
    plain = SqliteDriver(url) if url.startswith("sqlite") else PostgresDriver(url)
    _, seconds = timed(lambda: [plain.store(one, f"driver {turn}") for one in opened])
    plain.db.close()
    return seconds / len(opened)


class PostgresDriver:
    """psycopg alone."""

    begin = "BEGIN"
    lock = " FOR UPDATE"

    def __init__(self, url: str) -> None:
        self.db: Any = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def spell(self, statement: str) -> str:
        return statement

    def store(self, conversation: str, client_id: str) -> None:
        run, spell = self.db.execute, self.spell
        run(self.begin)
        seq, engine = run(spell(LOOK + self.lock), (conversation,)).fetchone()[:2]
        run(spell(SAID_BEFORE), (conversation, client_id)).fetchone()
        state = {**(json.loads(engine) if isinstance(engine, str) else engine), "tries": client_id}
        said = (conversation, seq + 1, client_id, "visitor", "", "we are about 250", None, "", "[]", None, AT)
        told = (conversation, seq + 2, None, "bot", "Ada", "And why?", None, "size", "[]", json.dumps(CHOICES), AT)
        self.db.cursor().executemany(spell(ADD), [said, told])
        run(spell(MOVE), (seq + 2, json.dumps(state), AT, conversation))
        run("COMMIT")


class SqliteDriver(PostgresDriver):
    """sqlite3 alone, flushing the disk at every commit."""

    begin = "BEGIN IMMEDIATE"
    lock = ""

    def __init__(self, url: str) -> None:
        self.db = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        self.db.execute("PRAGMA synchronous=FULL")

    def spell(self, statement: str) -> str:
        return statement.replace("%s", "?")


def writer(db: Database, opened: Sequence[str], size: int, turn: int) -> float:
    """The same by our writer, in groups of `size`."""

    def store(group: Sequence[str]) -> None:
        with db.transaction() as tx:
            rows = conversations.lock_all(tx, group)
            conversations.said_among(tx, [(one, f"{size} {turn}") for one in group])
            conversations.write(tx, [change(rows[one]) for one in group])

    def change(row: Any) -> Change:
        said = Draft("visitor", "we are about 250", client_id=f"{size} {turn}")
        told = Draft("bot", "And why?", name="Ada", node="size", part=CHOICES)
        return Change(row, [said, told], {"engine": {**row.engine, "tries": turn}})

    groups = [opened[at : at + size] for at in range(0, len(opened), size)]
    _, seconds = timed(lambda: [store(group) for group in groups])
    return seconds / len(opened)


def whole(db: Database, opened: Sequence[str], text: str) -> tuple[float, float]:
    """CPU seconds of understanding a message, and of the playbook's turn and storing it in groups of 64."""
    saids, find = timed(
        lambda: [messages.Said(one, text, text, meant=meaning.find(db, one, text, None)) for one in opened]
    )
    messages.hear_together(db, saids[:1])  # the first one compiles texts and statements
    groups = [saids[at : at + 64] for at in range(0, len(saids), 64)]
    _, take = timed(lambda: [messages.hear_together(db, group) for group in groups])
    return find / len(opened), take / len(opened)


def offering(db: Database) -> tuple[float, float]:
    """CPU seconds a question, asked where times are on offer: looking for them anew, and showing them as they were."""
    least = []
    for good_for in (timedelta(), times.GOOD_FOR):
        times.GOOD_FOR = good_for
        opened = [playbooks.open(db, Hello.from_frame(hello(n))).conversation_id for n in range(OFFERED)]
        for step, said in enumerate(TO_THE_TIMES):
            for one in opened:
                playbooks.hear(db, one, f"{one} {step}", said)
        rounds = [_asked(db, opened, turn) for turn in range(ROUNDS)]
        least.append(min(rounds))
    return least[0], least[1]


def _asked(db: Database, opened: Sequence[str], turn: int) -> float:
    _, seconds = timed(lambda: [playbooks.hear(db, one, f"{one} asks {turn}", ASKED) for one in opened])
    return seconds / len(opened)


def timed(do: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    done = do()
    return done, time.process_time() - began


def hello(n: int) -> dict[str, object]:
    about = {"device": "desktop", "locale": "en", "zone": "Europe/Berlin", "seed": f"seed {n}"}
    return {"t": "hello", "site": "acme", "page": PAGE, **about}


AT = "2026-03-02 09:00:00"

if __name__ == "__main__":
    main()
