"""Search of the made-up HubSpot: filters, one sort, and only what its index has seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from plugins.testing.fakes.hubspot.bodies import error, fields
from plugins.testing.fakes.hubspot.portal import Portal, Record
from plugins.testing.fakes.server import Refusal


def matching(portal: Portal, type: str, told: Mapping[str, Any]) -> list[Record]:
    """The records that any group of filters lets through, in order."""
    groups = [fields(group, {"filters"}, frozenset())["filters"] for group in told["filterGroups"]]
    found = [one for one in portal.indexed(type) if not groups or any(_all(portal, type, one, g) for g in groups)]
    if len(told["sorts"]) > 1:
        raise Refusal(400, error("VALIDATION_ERROR", "only one sort"))
    for sort in told["sorts"]:
        asked = fields(sort, {"propertyName", "direction"}, frozenset())
        name, down = asked["propertyName"], asked["direction"] == "DESCENDING"
        found = sorted(found, key=lambda one: _comparable(portal, type, name, one.properties.get(name)), reverse=down)
    return found


def _all(portal: Portal, type: str, record: Record, filters: list[Any]) -> bool:
    return all(_passes(portal, type, record, one) for one in filters)


def _passes(portal: Portal, type: str, record: Record, told: Any) -> bool:
    one = fields(told, {"propertyName", "operator"}, {"value", "values", "highValue"})
    name = one["propertyName"]
    if name not in portal.properties[type]:
        raise Refusal(400, error("VALIDATION_ERROR", f"There was a problem with the request: no property {name}"))
    has = record.properties.get(name)
    if one["operator"] == "HAS_PROPERTY":
        return has is not None
    if has is None:
        return False
    left, right = (_comparable(portal, type, name, value) for value in (has, one["value"]))
    deeds = {"EQ": left == right, "GT": left > right, "GTE": left >= right, "LT": left < right, "LTE": left <= right}
    if one["operator"] not in deeds:
        raise Refusal(400, error("VALIDATION_ERROR", f"no operator {one['operator']}"))
    return deeds[one["operator"]]


def _comparable(portal: Portal, type: str, name: str, value: str | None) -> Any:
    kind = portal.properties[type][name]["type"]
    if kind == "number":
        return float(value or 0)
    if kind == "datetime":
        return _milliseconds(value or "0")
    return (value or "").lower()


def _milliseconds(value: str) -> int:
    return int(value) if value.isdigit() else round(datetime.fromisoformat(value).timestamp() * 1000)
