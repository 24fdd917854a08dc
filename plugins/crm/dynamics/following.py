"""Rows of Dynamics that went into others: merged ones, and leads that were qualified. Where what was theirs stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plugins.crm import Kind, Ref
from plugins.crm.dynamics.rows import Columns, Row, columns_of, rows_of
from plugins.crm.dynamics.web import SETS, Web, at, key_of

_STEPS = 8
"""A row may have gone into one that went into another."""
_LEAD = "_originatingleadid_value"


def ends(web: Web, operation: str, rows: Sequence[Row], columns: Columns) -> dict[str, Row]:
    """By the key of each of these rows that went into another: the row at the end of that way. One whose way leads to
    nothing that is there is not named."""
    steps: dict[str, Row] = {}
    wave = list(rows)
    for _ in range(_STEPS):
        found = _next(web, operation, wave, columns)
        wave = [row for id, row in found.items() if id not in steps]
        steps |= found
        if not wave:
            break
    reached = {row.id: _end(row, steps) for row in rows if row.id in steps}
    return {id: end for id, end in reached.items() if not end.merged_into}


def standing(web: Web, operation: str, person: Ref) -> tuple[str, str]:
    """Table and key of the person by now. NotFound when there is none."""
    table, id = key_of(person, Kind.PERSON)
    found = web.get(operation, at(table, id), params={"$select": ",".join(columns_of(table))})
    row = Row(table, {**found, SETS[table][1]: id})
    end = ends(web, operation, [row], columns_of).get(id, row)
    return end.table, end.id


def _next(web: Web, operation: str, rows: Sequence[Row], columns: Columns) -> dict[str, Row]:
    """One step of each row that goes on."""
    found: dict[str, Row] = {}
    for table in {row.table for row in rows}:
        into = {row.id: row.merged_into for row in rows if row.table == table and row.merged_into}
        found |= _led(web, operation, table, into, columns)
    leads = [row for row in rows if row.became_a_contact and not row.merged_into]
    return found | _contacts(web, operation, leads)


def _contacts(web: Web, operation: str, leads: Sequence[Row]) -> dict[str, Row]:
    """The oldest contact that came of each of these leads, else the one that it names, with the same address: it was
    qualified to somebody who was a contact before."""
    wanted = [*columns_of("contact"), _LEAD]
    came = rows_of(web, operation, "contact", [row.id for row in leads], wanted, by=_LEAD)
    newest_first = sorted(came, key=lambda row: str(row.data.get("createdon") or ""), reverse=True)
    found = {str(row.data[_LEAD]): row for row in newest_first}
    rest = {row.id: row for row in leads if row.id not in found and row.data.get("_parentcontactid_value")}
    into = {id: str(row.data["_parentcontactid_value"]) for id, row in rest.items()}
    named = _led(web, operation, "contact", into, columns_of)
    return found | {id: row for id, row in named.items() if _address(row) == _address(rest[id])}


def _led(web: Web, operation: str, table: str, into: Mapping[str, str], columns: Columns) -> dict[str, Row]:
    there = {row.id: row for row in rows_of(web, operation, table, into.values(), columns(table))}
    return {id: there[key] for id, key in into.items() if key in there}


def _address(row: Row) -> str:
    return str(row.data.get("emailaddress1") or "").strip().casefold()


def _end(row: Row, steps: Mapping[str, Row]) -> Row:
    seen: set[str] = set()
    while row.id in steps and row.id not in seen:
        seen.add(row.id)
        row = steps[row.id]
    return row
