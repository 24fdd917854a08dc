"""The columns of Dynamics' tables: what they are called, which values they take, and ours brought into that form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugins.crm import Kind, RemoteField
from plugins.crm.dynamics.rows import COLUMNS, OF_LEADS
from plugins.crm.dynamics.web import Web
from plugins.errors import InvalidInput

COMPANY_COLUMNS = {
    "name": "name",
    "domain": "websiteurl",
    "industry": "industrycode",
    "employees": "numberofemployees",
    "country": "address1_country",
    "phone": "telephone1",
}
_PEOPLE = {column: name for name, column in COLUMNS.items()}
OURS = {
    "lead": _PEOPLE | {column: name for name, column in OF_LEADS.items()},
    "contact": _PEOPLE,
    "account": {column: name for name, column in COMPANY_COLUMNS.items()},
}
"""Table → their column → our name."""
_TYPES = {
    "String": "text",
    "Memo": "text",
    "Integer": "number",
    "BigInt": "number",
    "Double": "number",
    "Decimal": "number",
    "Money": "number",
    "Boolean": "boolean",
    "DateTime": "moment",
    "Picklist": "choice",
    "State": "choice",
    "Status": "choice",
}
WRITTEN = ("Picklist", "MultiSelectPicklist")
SHOWN = (*WRITTEN, "State", "Status")
"""Kinds of columns with choices: those that are written, and all."""
_ASKED = (
    "LogicalName,DisplayName,AttributeType,AttributeTypeName,IsCustomAttribute,RequiredLevel,"
    "IsValidForCreate,IsValidForUpdate,AttributeOf"
)


class Fields:
    """Of one environment, asked for when they are needed and kept as long as the adapter is open."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._known: dict[str, list[dict[str, Any]]] = {}
        self._choices: dict[tuple[str, str], dict[str, dict[str, int]]] = {}

    def of(self, table: str) -> list[RemoteField]:
        """All columns that hold a value of their own, in the service's order."""
        choices = self._choices_of(table, SHOWN)
        found = []
        for one in self._columns(table):
            name, kind = str(one["LogicalName"]), _type(one)
            if kind is None or one.get("AttributeOf"):
                continue
            labels = tuple(choices.get(name, {}))
            found.append(
                RemoteField(
                    name=name,
                    title=_label(one.get("DisplayName")) or name,
                    type=kind,
                    custom=bool(one.get("IsCustomAttribute")),
                    required=(one.get("RequiredLevel") or {}).get("Value") in ("ApplicationRequired", "SystemRequired"),
                    writable=bool(one.get("IsValidForUpdate") and one.get("IsValidForCreate")),
                    choices=labels,
                    ours=OURS.get(table, {}).get(name, ""),
                )
            )
        return found

    def fitting(self, table: str, fields: Mapping[str, Any], *, all_of_them: bool) -> dict[str, Any]:
        """Further values as the columns take them: labels of choices as their numbers, "" as nothing, None left out.

        `all_of_them` False: what the table has no column for is left out, because the mapping is of another table.
        """
        said = {name: None if value == "" else value for name, value in fields.items() if value is not None}
        if not said:
            return {}
        if not all_of_them:
            there = {str(one["LogicalName"]) for one in self._columns(table)}
            said = {name: value for name, value in said.items() if name in there}
        if any(isinstance(value, str | list | tuple) for value in said.values()):
            choices = self._choices_of(table)
            said = {name: _chosen(name, value, choices.get(name)) for name, value in said.items()}
        return said

    def choice(self, table: str, column: str, label: str) -> int | None:
        """The number of a label, None when the column has no such choice."""
        known = {name.casefold(): number for name, number in self._choices_of(table).get(column, {}).items()}
        return known.get(label.strip().casefold())

    def _columns(self, table: str) -> list[dict[str, Any]]:
        if table not in self._known:
            path = f"EntityDefinitions(LogicalName='{table}')/Attributes"
            self._known[table] = list(self._web.pages("fields_of", path, params={"$select": _ASKED}, prefer=""))
        return self._known[table]

    def _choices_of(self, table: str, casts: tuple[str, ...] = WRITTEN) -> dict[str, dict[str, int]]:
        """Column → label → number, of columns of these kinds."""
        found: dict[str, dict[str, int]] = {}
        for cast in casts:
            if (table, cast) not in self._choices:
                self._choices[table, cast] = dict(self._asked(table, cast))
            found |= self._choices[table, cast]
        return found

    def _asked(self, table: str, cast: str) -> Iterator[tuple[str, dict[str, int]]]:
        path = f"EntityDefinitions(LogicalName='{table}')/Attributes/Microsoft.Dynamics.CRM.{cast}AttributeMetadata"
        params = {"$select": "LogicalName", "$expand": "OptionSet($select=Options)"}
        for one in self._web.pages("fields_of", path, params=params, prefer=""):
            options = (one.get("OptionSet") or {}).get("Options") or []
            yield str(one["LogicalName"]), {_label(option["Label"]): int(option["Value"]) for option in options}


def table_of(kind: Kind, people: str) -> str:
    """The table whose columns are those of a kind."""
    return {Kind.PERSON: people, Kind.COMPANY: "account", Kind.MEETING: "appointment"}.get(kind, "opportunity")


def _chosen(name: str, value: Any, choices: Mapping[str, int] | None) -> Any:
    if not choices or value is None or isinstance(value, bool | int | float):
        return value
    known = {label.casefold(): number for label, number in choices.items()}
    labels = value if isinstance(value, list | tuple) else [value]
    numbers = [known.get(str(one).strip().casefold()) for one in labels]
    if None in numbers:
        raise InvalidInput(f"{name} has no choice {value!r}; there are: {', '.join(choices)}"[:300], field=name)
    return ",".join(map(str, numbers)) if isinstance(value, list | tuple) else numbers[0]


def _type(column: Mapping[str, Any]) -> str | None:
    named = (column.get("AttributeTypeName") or {}).get("Value")
    return "choices" if named == "MultiSelectPicklistType" else _TYPES.get(str(column.get("AttributeType")))


def _label(told: Any) -> str:
    user = (told or {}).get("UserLocalizedLabel") or {}
    return str(user.get("Label") or "")
