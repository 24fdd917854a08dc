"""What became of each lead at the CRM, as it came there; and what our outbox holds of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from server.db import Database
from server.leads.tables import leads
from server.outbox import service as outbox
from tests.journeys.stories.service import CrmService


class History:
    """`came`: (address, text of an activity | when and how a meeting is), whenever that was new at the CRM."""

    def __init__(self, crm: CrmService) -> None:
        self._crm = crm
        self.came: list[tuple[str, Any]] = []
        self._known: dict[Any, Any] = {}

    def begin(self) -> None:
        """Look after each call from now on; Usher's own tables are looked at afterwards only."""
        if self._crm.name != "builtin":
            self._crm.after_each_write(self._look)

    def of(self, email: str) -> list[Any]:
        return [what for about, what in self.came if about == email]

    def _look(self) -> None:
        for key, value in _seen(self._crm):
            if self._known.get(key) != value:
                self._known[key] = value
                self.came.append((key[1], value))


def told(db: Database, site_id: str, crm: CrmService) -> dict[str, list[Any]]:
    """By address, what our outbox holds of activities and meetings, in its order, as the CRM is to hear it."""
    found: dict[str, list[Any]] = defaultdict(list)
    with db.reading() as tx:
        rows = [row for row in outbox.latest(tx, site_id, limit=100_000) if row.kind == "crm"]
        emails = {row.id: str(row.email_key or "").lower() for row in tx.execute(select(leads))}
    for row in reversed(rows):
        about = emails.get(row.order_key.removeprefix("lead:"), "")
        if row.operation == "log_activity":
            found[about].append(row.payload["activity"]["subject"])
        elif row.operation == "log_meeting":
            meeting = row.payload["meeting"]
            found[about].append((datetime.fromisoformat(meeting["start"]), crm.words[meeting["status"]]))
    return found


def _seen(crm: CrmService) -> Iterator[tuple[tuple[str, str, Any], Any]]:
    """Each thing that stands there by a name of its own, with what of it may change."""
    for number, (email, text) in enumerate(crm.activities()):
        yield ("activity", email, number), text
    for number, one in enumerate(crm.meetings()):
        yield ("meeting", one.email, number), (one.start, one.status)
