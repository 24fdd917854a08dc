"""What the outbox's tests share: queueing, an outside that answers as told, and looking at what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plugins.errors import PluginError
from server.db import Database
from server.outbox import service as outbox


class Answer(dict[str, Any]):
    """As adapters.carry_out gives it."""

    connection_id = ""


class Outside:
    """Hears deliveries through one connection. `answers` maps a key to the errors it gives first, `always` is what it
    answers all others with."""

    def __init__(
        self, connection: str = "", always: Callable[[], PluginError] | None = None, **answers: list[PluginError]
    ) -> None:
        self.heard: list[str] = []
        self.connection, self.always, self.answers = connection, always, answers

    def __call__(self, delivery: Any) -> Answer:
        self.heard.append(delivery.key)
        troubles = self.answers.get(delivery.key)
        trouble = troubles.pop(0) if troubles else self.always() if self.always else None
        if trouble is not None:
            trouble.connection_id = self.connection
            raise trouble
        answer = Answer(id=f"at-{delivery.key}")
        answer.connection_id = self.connection
        return answer


def queue(db: Database, key: str, **more: Any) -> bool:
    given = {"site_id": "sit_1", "kind": "crm", "operation": "upsert_person", "payload": {"to": key}, **more}
    with db.transaction() as tx:
        return outbox.queue(tx, key=key, **given)


def row(db: Database, key: str) -> Any:
    with db.reading() as tx:
        return outbox.by_key(tx, key)


def states(db: Database) -> dict[str, str]:
    with db.reading() as tx:
        return {one.key: one.state for one in outbox.latest(tx, limit=10_000)}


def deliver_all(db: Database, call: Any) -> None:
    while outbox.deliver_due(db, call):
        pass
