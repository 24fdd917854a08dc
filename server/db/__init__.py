"""The database: one engine, transactions that take what they check, SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, TimeoutError  # noqa: A004 - SQLAlchemy's own

from server.db.turns import Turns
from server.db.types import Id, Json, Name, UtcDateTime, metadata

__all__ = ["AWAY", "Connection", "Database", "Id", "Json", "Name", "UtcDateTime", "metadata"]

AWAY = (OperationalError, TimeoutError)
"""What is raised when the database does not answer, or too many wait for it: try again in a minute."""
_BEGIN = "usher_begin"
CONNECTIONS = 10
"""To PostgreSQL, of a process; more did not help in our measurements (docs/decisions.md)."""
SWITCH_TRIES, SWITCH_REST_SECONDS = 200, 0.05
Run = Callable[[Callable[[], None]], object]


def _here(commit: Callable[[], None]) -> None:
    commit()


_commit_by: Run = _here


def commit_by(run: Run) -> None:
    """Let `run` carry out SQLite's commits and return when it has: they wait for the disk, and under gevent everybody
    would wait with them. In another thread others go on meanwhile, and share the next commit."""
    global _commit_by
    _commit_by = run


def aside(do: Callable[[], None]) -> None:
    """Carry out where commits are what takes SQLite long; returns when it is done."""
    _commit_by(do)


class Database:
    """One database. Services open `transaction()` to change, `reading()` to look; stores never do."""

    def __init__(self, url: str, *, patience_seconds: float = 60) -> None:
        self.url = make_url(url)
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._turns = Turns(1 if self.is_sqlite else CONNECTIONS)
        self._patience_seconds = patience_seconds

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing. On SQLite it takes the write lock at once, so two writers never interleave."""
        # SQLite's own waiting would stop every greenlet of this process; this lets the others go on meanwhile.
        with self._turn(), self._begin("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN") as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent look that blocks nobody; what it writes is rolled back."""
        with nullcontext() if self.is_sqlite else self._turn(), self._begin("BEGIN", keep=False) as tx:
            yield tx

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.take(self._patience_seconds):
            raise TimeoutError("waited long for other transactions; is one opened inside another?")
        try:
            yield
        finally:
            self._turns.give_back()

    @contextmanager
    def _begin(self, how: str, *, keep: bool = True) -> Iterator[Connection]:
        with self.engine.connect().execution_options(**{_BEGIN: how}) as connection, connection.begin() as change:
            yield connection
            if not keep and change.is_active:
                change.rollback()

    def check(self) -> None:
        """Raise the driver's error when the database does not answer."""
        with self.reading() as tx:
            tx.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


class _SQLite(sqlite3.Connection):
    """A connection whose commits may be carried out elsewhere."""

    def commit(self) -> None:
        _commit_by(super().commit)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. SQLite does not wait for others here, so processes that start at once must."""
    for left in range(SWITCH_TRIES, 0, -1):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if left == 1:
                raise
            time.sleep(SWITCH_REST_SECONDS)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _as_json(value: Any) -> str:
    return "null" if value is None else _encode(value)


def _sqlite_engine(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).resolve().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        json_serializer=_as_json,
        hide_parameters=True,
        pool_size=5,
        max_overflow=20,
        connect_args={"timeout": 30, "check_same_thread": False, "factory": _SQLite},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for IMMEDIATE
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))

    return engine


def _postgres_engine(url: str) -> Engine:
    return create_engine(
        url,
        json_serializer=_as_json,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
    )
