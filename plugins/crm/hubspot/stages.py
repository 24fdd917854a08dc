"""Lifecycle stages of HubSpot's, which only go forward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.crm.hubspot.api import Api
from plugins.crm.hubspot.own import PROPERTIES, path

STAGE = "lifecyclestage"
USUAL = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist",
    "other",
)  # fmt: skip


class Stages:
    """HubSpot's documents say that it ignores a step back and reports of what it does differ, so we do not send one."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def forward(self, kind: str, id: str, values: Mapping[str, str], *, by: str = "") -> dict[str, str]:
        """`values` without a stage that the record has reached or passed."""
        if STAGE not in values:
            return dict(values)
        return self.ahead_of(self._api.read("stage", kind, id, (STAGE,), by=by), kind, values)

    def ahead_of(self, found: Mapping[str, Any] | None, kind: str, values: Mapping[str, str]) -> dict[str, str]:
        """The same for a record that was read; None is a new one."""
        now = str(found["properties"].get(STAGE) or "") if found else ""
        wanted = values.get(STAGE)
        if wanted is None or not now:
            return dict(values)
        rest = {name: value for name, value in values.items() if name != STAGE}
        return {**rest, STAGE: wanted} if wanted and self._after(kind, now, wanted) else rest

    def _after(self, kind: str, now: str, wanted: str) -> bool:
        """By the order that the account's admin gave them; a stage that nobody knows is no step forward."""
        if now == wanted:
            return False
        options = self._api.call("stage", "GET", path(PROPERTIES, kind, STAGE)).get("options") or []
        shown = sorted(options, key=lambda one: one.get("displayOrder", 0))
        order = [str(one["value"]) for one in shown] or list(USUAL)
        return now in order and wanted in order and order.index(wanted) > order.index(now)
