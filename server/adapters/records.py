"""plugins.records.Records on our own table: each call is a transaction of its own, check and take are one step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from plugins.records import Record
from server.adapters.tables import adapter_records as t


class Transactions(Protocol):
    """What `Database` offers."""

    def reading(self) -> AbstractContextManager[Connection]: ...

    def transaction(self) -> AbstractContextManager[Connection]: ...


class TableRecords:
    """The records of one site."""

    def __init__(self, db: Transactions, site_id: str) -> None:
        self._db = db
        self._site_id = site_id

    def get(self, kind: str, id: str) -> Record | None:
        with self._db.reading() as tx:
            return self._value(tx, kind, id)

    def put(self, kind: str, id: str, value: Record, *, expect: Record | None = None, new: bool = False) -> bool:
        with self._db.transaction() as tx:
            there = self._value(tx, kind, id, lock=True)
            if (new and there is not None) or (expect is not None and there != expect):
                return False
            if there is not None:
                tx.execute(update(t).where(*self._is(kind, id)).values(value=value))
                return True
            row = {"site_id": self._site_id, "kind": kind, "id": id, "added": time.time_ns(), "value": value}
            return self._add(tx, row, keep=new)

    def delete(self, kind: str, id: str) -> bool:
        with self._db.transaction() as tx:
            return tx.execute(delete(t).where(*self._is(kind, id))).rowcount == 1

    def find(self, kind: str, where: Mapping[str, Any]) -> list[Record]:
        with self._db.reading() as tx:
            of_kind = select(t.c.value).where(t.c.site_id == self._site_id, t.c.kind == kind).order_by(t.c.added)
            found = tx.execute(of_kind).scalars()
            return [value for value in found if where.items() <= value.items()]

    def list(self, kind: str, *, after: str = "", limit: int = 1000) -> list[tuple[str, Record]]:
        with self._db.reading() as tx:
            of_kind = select(t.c.id, t.c.value).where(t.c.site_id == self._site_id, t.c.kind == kind, t.c.id > after)
            return [(row.id, row.value) for row in tx.execute(of_kind.order_by(t.c.id).limit(limit))]

    def _add(self, tx: Connection, row: dict[str, Any], *, keep: bool) -> bool:
        """Add, though somebody else may be adding the same at this moment: theirs stays when `keep`, else ours."""
        statement = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(t).values(**row)
        keys = ["site_id", "kind", "id"]
        if keep:
            return (
                tx.execute(statement.on_conflict_do_nothing(index_elements=keys).returning(t.c.id)).first() is not None
            )
        tx.execute(statement.on_conflict_do_update(index_elements=keys, set_={"value": statement.excluded.value}))
        return True

    def _value(self, tx: Connection, kind: str, id: str, *, lock: bool = False) -> Record | None:
        found = select(t.c.value).where(*self._is(kind, id))
        return tx.execute(found.with_for_update() if lock else found).scalar_one_or_none()

    def _is(self, kind: str, id: str) -> tuple[Any, ...]:
        return t.c.site_id == self._site_id, t.c.kind == kind, t.c.id == id
