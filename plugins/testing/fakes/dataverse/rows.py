"""The rows of the fake of Dataverse: how they are kept, what may be written into them, and what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from plugins.testing.fakes.dataverse.tables import TABLES, Column
from plugins.testing.fakes.server import Refusal

START = datetime(2026, 3, 1, tzinfo=UTC)
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
_BOUND = re.compile(r"/(\w+)\(([0-9a-fA-F-]{36})\)")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "String": str, "Memo": str, "DateTime": str, "Integer": int, "Boolean": bool, "Picklist": int, "State": int,
    "Status": int, "MultiSelectPicklist": str, "Uniqueidentifier": str,
}  # fmt: skip


class Rows:
    """All tables. `clock` counts the changes; a second goes by with each."""

    def __init__(self) -> None:
        self.clock = 0
        self._rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in TABLES}
        self._gone: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}

    def of(self, table: str) -> list[dict[str, Any]]:
        return list(self._rows[table].values())

    def has(self, table: str, id: str) -> bool:
        return id in self._rows[table]

    def get(self, table: str, id: str) -> dict[str, Any]:
        if id not in self._rows[table]:
            raise refusal(404, "0x80040217", f"{table} With Id = {id} Does Not Exist")
        return self._rows[table][id]

    def put(self, table: str, id: str, values: Mapping[str, Any], *, by: str = "") -> str:
        """Make or change; its key."""
        self.clock += 1
        now = f"{START + timedelta(seconds=self.clock):%Y-%m-%dT%H:%M:%SZ}"
        states = TABLES[table].states
        new: dict[str, Any] = {TABLES[table].key: id, "createdon": now, "_ownerid_value": by}
        new |= {"statecode": 0, "statuscode": states[0][0]}
        row = {**(self._rows[table].get(id) or new), **values}
        row |= {"modifiedon": now, "versionnumber": self.clock, "_modifiedby_value": by}
        if table in ("lead", "contact"):
            row["fullname"] = " ".join(filter(None, (row.get("firstname"), row.get("lastname")))) or None
        self._rows[table][id] = row
        return id

    def delete(self, table: str, id: str) -> None:
        """Gone, with what is filed under it."""
        self.clock += 1
        self._rows[table].pop(id, None)
        self._gone[table].append({"id": id, "gone": True, "versionnumber": self.clock})
        for other in ("task", "phonecall", "appointment", "annotation"):
            for row in self.of(other):
                if id in (row.get("_regardingobjectid_value"), row.get("_objectid_value")):
                    self.delete(other, row[TABLES[other].key])

    def since(self, table: str, after: int, until: int, *, gone: bool) -> list[dict[str, Any]]:
        """What changed between two counts: rows that are there in order, then those that are gone."""
        there = sorted(self.of(table), key=lambda row: row["versionnumber"])
        found = there + (self._gone[table] if gone else [])
        return [row for row in found if after < row["versionnumber"] <= until]

    def qualify(self, lead: dict[str, Any], *, deal: bool, by: str) -> Iterator[tuple[str, str]]:
        """What comes of a lead: (table, key)."""
        copied = ("emailaddress1", "firstname", "lastname", "telephone1", "jobtitle", "donotbulkemail")
        of_lead = {"_originatingleadid_value": lead["leadid"], "_ownerid_value": lead["_ownerid_value"]}
        account = lead.get("_parentaccountid_value")
        person = {name: lead.get(name) for name in copied} | of_lead | {"_parentcustomerid_value": account}
        made = [("contact", self.put("contact", str(uuid4()), person, by=by))]
        if deal:
            about = {"name": lead.get("subject"), "_parentcontactid_value": made[0][1]} | of_lead
            made.append(("opportunity", self.put("opportunity", str(uuid4()), about, by=by)))
        self.put("lead", lead["leadid"], {"statecode": 1, "statuscode": 3, "_parentcontactid_value": made[0][1]}, by=by)
        return iter(made)

    def labels(self, table: str, values: Mapping[str, Any]) -> dict[str, str]:
        """The words for choices, beside their numbers."""
        found = {}
        for name, value in values.items():
            column = TABLES[table].columns.get(name, Column())
            words = {number: text for text, number in column.choices.items()}
            if value in words:
                found[f"{name}{FORMATTED}"] = words[value]
        return found


def seen(table: str) -> dict[str, Any]:
    """All that may be asked about: columns, the key, lookups."""
    about = TABLES[table]
    lookups = {f"_{column}_value": True for column, _ in about.bindings.values()}
    lookups |= {"_masterid_value": True} if "merged" in about.columns else {}
    return {about.key: True, **about.columns, **lookups, "_modifiedby_value": True, "versionnumber": True}


def changed_columns(rows: Rows, table: str, said: Any, *, new: bool) -> dict[str, Any]:
    """What is sent, checked as Dataverse does, with bindings as lookups."""
    if not isinstance(said, dict):
        raise refusal(400, "0x80048d19", "Error identified in Payload provided by the user.")
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name.endswith("@odata.bind"):
            values |= _binding(rows, table, name.removesuffix("@odata.bind"), value)
            continue
        column = TABLES[table].columns.get(name)
        if column is None or not column.writable:
            raise refusal(400, "0x80048d19", f"Could not find a property named '{name}' on type 'mscrm.{table}'.")
        _hold_to_type(table, name, column, value)
        values[name] = value
    _hold_to_states(table, values, new=new)
    return values


def _binding(rows: Rows, table: str, name: str, value: Any) -> dict[str, Any]:
    told = TABLES[table].bindings.get(name)
    found = _BOUND.fullmatch(str(value))
    if told is None or not found or found[1] != TABLES[told[1]].set:
        raise refusal(400, "0x80048d19", f"An undeclared property '{name}' was found.")
    rows.get(told[1], found[2])
    return {f"_{told[0]}_value": found[2]}


def _hold_to_type(table: str, name: str, column: Column, value: Any) -> None:
    if value is None:
        return
    right = isinstance(value, _TYPES[column.kind]) and (isinstance(value, bool) == (column.kind == "Boolean"))
    if not right:
        said = f"Cannot convert the literal '{value}' to the expected type of the property '{name}'."
        raise refusal(400, "0x80048d19", said)
    if column.kind in ("String", "Memo") and len(value.encode("utf-16-le")) > 2 * column.length:
        said = f"The length of the '{name}' attribute of the '{table}' entity exceeded {column.length}."
        raise refusal(400, "0x80044331", said)
    if column.kind == "Picklist" and value not in column.choices.values():
        said = f"The value '{value}' of '{name}' attribute on record of type '{table}' is outside the valid range."
        raise refusal(400, "0x80048d19", said)
    if column.kind == "DateTime" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        raise refusal(400, "0x80048d19", f"Cannot convert the literal '{value}' of the property '{name}'.")


def _hold_to_states(table: str, values: Mapping[str, Any], *, new: bool) -> None:
    """A row is made open, and goes into a state only with one of its reasons."""
    state = values.get("statecode")
    if state is None:
        return
    if new and state != 0:
        raise refusal(400, "0x80040203", f"{state} is not a valid state code to create a {table} with.")
    if values.get("statuscode") not in TABLES[table].states.get(state, ()):
        raise refusal(400, "0x80048408", f"{values.get('statuscode')} is not a valid status code for state {state}.")


def label(text: str) -> dict[str, Any]:
    """A text as metadata tells it."""
    return {"UserLocalizedLabel": {"Label": text, "LanguageCode": 1033}}


def refusal(status: int, code: str, message: str) -> Refusal:
    """An error as Dataverse words it."""
    return Refusal(status, {"error": {"code": code, "message": message}})
