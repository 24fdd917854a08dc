"""The rules that a fake of Salesforce holds records to: required, unique, references, validation, duplicates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from plugins.testing.fakes.salesforce.tables import F, refusal

LONGEST_EVENT = timedelta(days=14)
Row = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A validation rule: what breaks it, what is said then, and of which field ("" for the whole record)."""

    kind: str
    broken: Callable[[Row], bool]
    message: str
    field: str = ""


@dataclass(frozen=True)
class DuplicateRule:
    """Records of `kind` that equal one of `among` in `field`. `blocks`: nobody may save it; else it warns."""

    kind: str
    field: str = "Email"
    among: str = "Lead"
    blocks: bool = False
    on_edit: bool = False
    name: str = "Standard_Lead_Duplicate_Rule"


class Org(Protocol):
    """What rules look at."""

    fields: dict[str, dict[str, F]]
    rows: dict[str, dict[str, Row]]
    set_up: Any

    def there(self, kind: str) -> list[Row]: ...


def hold_to_rules(org: Org, kind: str, values: Row, there: Row | None, *, allow_save: bool) -> None:
    """Raise the refusal of the first rule that the record would break."""
    defaults = {name: one.default for name, one in org.fields[kind].items()}
    whole = {**(there or defaults), **values}
    if there is None:
        _hold_to_required(org.fields[kind], kind, whole)
    _hold_to_unique(org, kind, values, there)
    _hold_to_references(org, kind, values)
    if kind in ("Task", "Event"):
        _hold_to_activity(org, kind, whole, values)
    for rule in org.set_up.rules:
        if rule.kind == kind and rule.broken(whole):
            fields = [rule.field] if rule.field else []
            raise refusal(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)
    for duplicates in org.set_up.duplicate_rules:
        if duplicates.kind == kind and (there is None or duplicates.on_edit):
            _hold_to_duplicates(org, duplicates, whole, there, allow_save=allow_save)


def _hold_to_required(fields: Mapping[str, F], kind: str, whole: Row) -> None:
    missing = [name for name, one in fields.items() if one.required and name != "OwnerId" and not whole.get(name)]
    if kind == "Event" and not whole.get("DurationInMinutes") and not whole.get("EndDateTime"):
        missing.append("DurationInMinutes")
    if missing:
        said = f"Required fields are missing: [{', '.join(missing)}]"
        raise refusal(400, "REQUIRED_FIELD_MISSING", said, missing)


def _hold_to_unique(org: Org, kind: str, values: Row, there: Row | None) -> None:
    for name, value in values.items():
        if not org.fields[kind][name].unique or value is None:
            continue
        for other in org.there(kind):
            if other is not there and str(other[name] or "").lower() == str(value).lower():
                said = f"duplicate value found: {name} duplicates value on record with id: {other['Id'][:15]}"
                raise refusal(400, "DUPLICATE_VALUE", said)


def _hold_to_references(org: Org, kind: str, values: Row) -> None:
    for name, value in values.items():
        field = org.fields[kind][name]
        if field.type != "reference" or value is None:
            continue
        found = next((row for one in field.to if (row := org.rows[one].get(value))), None)
        if found is None:
            code = "MALFORMED_ID" if len(value) not in (15, 18) else "INVALID_CROSS_REFERENCE_KEY"
            raise refusal(400, code, f"{name}: id value of incorrect type: {value}", [name])
        if found["IsDeleted"]:
            raise refusal(400, "ENTITY_IS_DELETED", "entity is deleted", [name])
        if found.get("IsActive") is False:
            raise refusal(400, "INACTIVE_OWNER_OR_USER", f"operation performed with inactive user [{value}]", [name])
        if name == "WhoId" and found.get("IsConverted"):
            raise refusal(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")


def _hold_to_activity(org: Org, kind: str, whole: Row, values: Row) -> None:
    if str(whole.get("WhoId") or "").startswith("00Q") and whole.get("WhatId"):
        said = "You can only relate a task or event to a lead without relating it to something else"
        raise refusal(400, "FIELD_INTEGRITY_EXCEPTION", said, ["WhatId"])
    if kind == "Event" and whole.get("StartDateTime") and whole.get("EndDateTime"):
        long = datetime.fromisoformat(whole["EndDateTime"]) - datetime.fromisoformat(whole["StartDateTime"])
        if not timedelta() <= long <= LONGEST_EVENT:
            raise refusal(400, "FIELD_INTEGRITY_EXCEPTION", "End must be after start", ["EndDateTime"])


def _hold_to_duplicates(org: Org, rule: DuplicateRule, whole: Row, there: Row | None, *, allow_save: bool) -> None:
    wanted = str(whole.get(rule.field) or "").lower()
    others = [row for row in org.there(rule.among) if there is None or row["Id"] != there["Id"]]
    found = [row for row in others if wanted and str(row.get(rule.field) or "").lower() == wanted]
    if not found or (allow_save and not rule.blocks):
        return
    said = "You're creating a duplicate record. We recommend you use an existing record instead."
    records = [
        {"record": {"attributes": {"type": rule.among}, "Id": row["Id"]}, "matchConfidence": 100.0} for row in found
    ]
    match = {"entityType": rule.among, "errors": [], "matchRecords": records, "size": len(found), "success": True}
    result = {
        "allowSave": not rule.blocks, "duplicateRule": rule.name, "duplicateRuleEntityType": rule.kind,
        "errorMessage": said, "matchResults": [match],
    }  # fmt: skip
    raise refusal(400, "DUPLICATES_DETECTED", said, duplicateResut=result)  # its own spelling
