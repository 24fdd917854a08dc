"""What a fake of Salesforce takes for a value: known fields, their types, their lengths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from plugins.testing.fakes.salesforce.tables import NUMBERS, TEXTS, F, refusal


def hold_to_types(fields: Mapping[str, F], kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept; the refusal of the first that is not right."""
    if not isinstance(values, dict):
        raise refusal(
            400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
        )
    for name in values:
        if name not in fields or fields[name].hidden:
            raise refusal(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}")
        if fields[name].owned:
            said = f"Unable to create/update fields: {name}. Please check the security settings of this field"
            raise refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", said, [name])
    return {name: _kept(fields[name], value) for name, value in values.items()}


def _kept(field: F, value: Any) -> Any:
    if value is None:
        if field.required or field.type == "boolean":
            raise refusal(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field.name}]", [field.name])
        return None
    if field.type == "boolean" and not isinstance(value, bool):
        raise _unreadable(field, "boolean", value)
    if field.type in NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _unreadable(field, "double", value)
    if field.type in TEXTS:
        return _text(field, value)
    if field.type in ("date", "datetime"):
        return _moment(field, value)
    return value


def _text(field: F, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _unreadable(field, "string", value)
    if len(value) > field.most:
        said = f"{field.name}: data value too large: {value[:60]} (max length={field.most})"
        raise refusal(400, "STRING_TOO_LONG", said, [field.name])
    if field.type == "email" and value and not re.fullmatch(r"[^@\s]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", value):
        raise refusal(400, "INVALID_EMAIL_ADDRESS", f"{field.name}: invalid email address: {value}", [field.name])
    if field.restricted and value not in field.choices:
        said = f"bad value for restricted picklist field: {value}"
        raise refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", said, [field.name])
    return value.strip() or None


def _moment(field: F, value: Any) -> str:
    try:
        if field.type == "date":
            return date.fromisoformat(value).isoformat()
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _unreadable(field, field.type, value) from None
    if at.tzinfo is None:
        raise _unreadable(field, field.type, value)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000%z")


def _unreadable(field: F, wanted: str, value: Any) -> Exception:
    said = f"Cannot deserialize instance of {wanted} from value {value!r} at [line:1, column:1] in {field.name}"
    return refusal(400, "JSON_PARSER_ERROR", said, [field.name])
