"""Take one person's address out of rows that are about somebody else, and what was erased out of SQLite's files."""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from sqlalchemy import JSON, ColumnElement, Connection, String, Table, Text, and_, cast, or_, select, update

from server.db import SWITCH_REST_SECONDS, SWITCH_TRIES, Database, aside, metadata

ERASED = "[erased]"
_SHORTEST = 120  # columns shorter than this hold words of our own and ids
_FOLD = re.compile(r"\r\n[ \t]")


class Wipe:
    """Replaces an e-mail address wherever it stands as a whole, in any case, also as addresses of pages write it."""

    def __init__(self, address: str) -> None:
        self.spellings = sorted({address, quote(address), quote(address, safe="")})
        found = "|".join(re.escape(one) for one in self.spellings)
        self._pattern = re.compile(rf"(?<![\w.+-])(?:{found})(?![\w-]|\.\w)", re.IGNORECASE)

    def __call__(self, value: Any) -> Any:
        """The same value, of JSON's kinds, without the address."""
        if isinstance(value, str):
            return self._invitation(value) if "BEGIN:VCALENDAR" in value else self._pattern.sub(ERASED, value)
        if isinstance(value, dict):
            return {self(name): self(one) for name, one in value.items()}
        return [self(one) for one in value] if isinstance(value, list) else value

    def _invitation(self, text: str) -> str:
        """iCalendar folds lines at 75 octets (RFC 5545 section 3.1), in the middle of addresses; people are lines."""
        kept = (
            self._pattern.sub(ERASED, line)
            for line in _FOLD.sub("", text).split("\r\n")
            if not (line.startswith("ATTENDEE") and self._pattern.search(line))
        )
        return "\r\n".join(_folded(line) for line in kept)


def scrub(tx: Connection, table: Table, wipe: Wipe, *where: ColumnElement[bool], whole: bool = False) -> int:
    """Replace the address in all long texts and JSON of the table; how many rows held it.

    `whole`: look into every row of `where`, also where the address may be torn apart (folded lines of invitations).
    """
    columns = [column for column in table.columns if not column.primary_key and _may_hold(column.type)]
    holding = [
        cast(column, Text).icontains(spelling, autoescape=True) for column in columns for spelling in wipe.spellings
    ]
    keys = list(table.primary_key.columns)
    count = 0
    for row in tx.execute(select(*keys, *columns).where(*where, *([] if whole else [or_(*holding)]))).all():
        changed = _changed(table, columns, row, wipe)
        if changed:
            tx.execute(update(table).where(and_(*(key == getattr(row, key.name) for key in keys))).values(changed))
            count += 1
    return count


def compact(db: Database) -> bool:
    """Overwrite what was deleted: SQLite's file is written anew, PostgreSQL's dead rows are freed.

    False when others used SQLite's file all the while, so that traces may stay in it until the next time.
    """
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not db.is_sqlite:
            connection.exec_driver_sql(f"VACUUM {', '.join(sorted(metadata.tables))}")
            return True
        raw: Any = connection.connection.driver_connection
        connection.rollback()
        raw.execute("PRAGMA busy_timeout=0")  # its waiting would stop the others of this process, for whom it waits
        try:
            return _until_done(lambda: bool(raw.execute("VACUUM"))) and _until_done(lambda: _emptied(raw))
        finally:
            raw.execute("PRAGMA busy_timeout=30000")


def _emptied(raw: Any) -> bool:
    """Whether the write-ahead log has gone into the file and is empty."""
    blocked, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not blocked


def _until_done(step: Callable[[], bool]) -> bool:
    """Try again while somebody else has the file; what takes long is done where commits are."""
    done: list[bool] = []
    for _ in range(SWITCH_TRIES):
        with suppress(sqlite3.OperationalError):
            aside(lambda: done.append(step()))
        if any(done):
            return True
        time.sleep(SWITCH_REST_SECONDS)
    return False


def _may_hold(kind: Any) -> bool:
    return isinstance(kind, JSON | Text) or (isinstance(kind, String) and (kind.length or 0) >= _SHORTEST)


def _changed(table: Table, columns: Sequence[Any], row: Any, wipe: Wipe) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for column in columns:
        before = getattr(row, column.name)
        after = wipe(before)
        if after != before:
            unique = column.unique or any(column.name in index.columns for index in table.indexes if index.unique)
            changed[column.name] = f"{after} {secrets.token_hex(4)}"[-column.type.length :] if unique else after
    return changed


def _folded(line: str) -> str:
    octets, parts = 0, [""]
    for sign in line:
        size = len(sign.encode())
        if octets + size > 74:
            parts.append(" ")
            octets = 1
        parts[-1] += sign
        octets += size
    return "\r\n".join(parts)
