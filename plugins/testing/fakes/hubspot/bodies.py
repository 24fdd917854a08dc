"""What the made-up HubSpot reads strictly, and the shapes of what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set
from typing import Any, TypeVar

from werkzeug.wrappers import Request

from plugins.testing.fakes.hubspot.portal import TIES, Refused
from plugins.testing.fakes.server import Refusal

Found = TypeVar("Found")
CORRELATION = "c033cdaa-2c40-4a64-ae48-b4cec88dad24"
_TYPES: dict[str, Any] = {
    "properties": (dict, list), "associations": list, "inputs": list, "filterGroups": list, "sorts": list,
    "limit": int, "after": str, "id": str, "idProperty": str, "objectId": str, "hasUniqueValue": bool,
    "propertiesWithHistory": list, "objectWriteTraceId": str,
}  # fmt: skip


def body(request: Request, required: Set[str], optional: Set[str] = frozenset()) -> dict[str, Any]:
    """The JSON of a request: all of `required`, nothing beside `optional`, each of its type."""
    try:
        told = json.loads(request.get_data())
    except ValueError:
        raise Refusal(400, error("VALIDATION_ERROR", "Invalid input JSON")) from None
    return fields(told, required, optional)


def fields(told: Any, required: Set[str], optional: Set[str]) -> dict[str, Any]:
    """The same for an object inside."""
    if not isinstance(told, dict) or not required <= set(told) <= required | optional:
        raise Refusal(400, error("VALIDATION_ERROR", f"Invalid input JSON: wanted {sorted(required)}, got {told}"))
    for name, value in told.items():
        if not isinstance(value, _TYPES.get(name, object)):
            raise Refusal(400, error("VALIDATION_ERROR", f"Invalid input JSON: {name}"))
    return told


def inputs(request: Request, required: Set[str], optional: Set[str]) -> list[dict[str, Any]]:
    """The inputs of a batch, at most 100."""
    told = body(request, {"inputs"})["inputs"]
    if len(told) > 100:
        raise Refusal(400, error("VALIDATION_ERROR", "a batch holds no more than 100"))
    return [fields(one, required, optional) for one in told]


def tie_of(type: str, told: Any) -> tuple[str, str]:
    """Where an association of a new record leads: the other kind and its id. The number must be the right one."""
    one = fields(told, {"to", "types"}, frozenset())
    id = fields(one["to"], {"id"}, frozenset())["id"]
    (spec,) = one["types"]
    wanted = fields(spec, {"associationCategory", "associationTypeId"}, frozenset())
    others = [other for (of, other), number in TIES.items() if of == type and number == wanted["associationTypeId"]]
    if not others or wanted["associationCategory"] != "HUBSPOT_DEFINED":
        raise Refusal(400, error("VALIDATION_ERROR", f"there is no such association from {type}"))
    return others[0], id


def held(deed: Callable[[], Found]) -> Found:
    """What `deed` gives, or the refusal of its value as an answer."""
    try:
        return deed()
    except Refused as refused:
        raise Refusal(400, refused_body(refused)) from None


def error(category: str, message: str) -> dict[str, Any]:
    """HubSpot's error object."""
    return {"status": "error", "message": message, "correlationId": CORRELATION, "category": category}


def refused_body(refused: Refused) -> dict[str, Any]:
    """A property that is not taken: in the message, and in the details."""
    if not refused.name:
        return error("VALIDATION_ERROR", refused.says)
    if refused.code == "NOT_SET":
        told = error("VALIDATION_ERROR", "Error creating record. Some required properties were not set.")
        return {**told, "context": {"properties": [refused.name]}}
    inside = {"isValid": False, "message": refused.says, "error": refused.code, "name": refused.name}
    detail = {"message": refused.says, "code": refused.code, "context": {"propertyName": [refused.name]}}
    told = error("VALIDATION_ERROR", f"Property values were not valid: {json.dumps([inside])}")
    return {**told, "errors": [detail]}


def limit(policy: str) -> dict[str, Any]:
    """Too many calls, by which limit."""
    told = error("RATE_LIMITS", f"You have reached your {policy.lower()} limit.")
    return {**told, "errorType": "RATE_LIMIT", "policyName": policy}


def batch(results: list[dict[str, Any]], errors: list[Mapping[str, Any]] | list[dict[str, Any]]) -> tuple[int, Any]:
    """The answer to a batch: 207 when something in it failed."""
    told: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": "", "completedAt": ""}
    if errors:
        return 207, {**told, "numErrors": len(errors), "errors": errors}
    return 200, told
