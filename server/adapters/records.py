"""plugins.records.Records on our own table: each call is a transaction of its own, check and take are one step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from plugins.records import Record
from server.adapters.tables import adapter_records as t
from server.db import Database


class TableRecords:
    """The records of one site."""

    def __init__(self, db: Database, site_id: str) -> None:
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
            if there is None:
                row = {"site_id": self._site_id, "kind": kind, "id": id, "added": time.time_ns(), "value": value}
                tx.execute(insert(t), row)
            else:
                tx.execute(update(t).where(*self._is(kind, id)).values(value=value))
            return True

    def delete(self, kind: str, id: str) -> bool:
        with self._db.transaction() as tx:
            return tx.execute(delete(t).where(*self._is(kind, id))).rowcount == 1

    def find(self, kind: str, where: Mapping[str, Any]) -> list[Record]:
        with self._db.reading() as tx:
            of_kind = select(t.c.value).where(t.c.site_id == self._site_id, t.c.kind == kind).order_by(t.c.added)
            found = tx.execute(of_kind).scalars()
            return [value for value in found if all(value.get(name) == wanted for name, wanted in where.items())]

    def list(self, kind: str, *, after: str = "", limit: int = 1000) -> list[tuple[str, Record]]:
        with self._db.reading() as tx:
            of_kind = select(t.c.id, t.c.value).where(t.c.site_id == self._site_id, t.c.kind == kind, t.c.id > after)
            return [(row.id, row.value) for row in tx.execute(of_kind.order_by(t.c.id).limit(limit))]

    def _value(self, tx: Connection, kind: str, id: str, *, lock: bool = False) -> Record | None:
        found = select(t.c.value).where(*self._is(kind, id))
        return tx.execute(found.with_for_update() if lock else found).scalar_one_or_none()

    def _is(self, kind: str, id: str) -> tuple[Any, ...]:
        return t.c.site_id == self._site_id, t.c.kind == kind, t.c.id == id
