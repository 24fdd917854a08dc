"""Reads the form of the CRM's mapping: rows of fields, rules, interactions. What is wrong is said by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request
from pydantic import ValidationError

from server.console import crm_values
from server.sync.ours import PEOPLE, STANDARD, field_of
from server.sync.schema import INTERACTIONS, Crm, Mapped
from server.sync.writing import with_fields

SPARE_ROWS = 3
COLUMNS = ("ours", "theirs", "record", "direction", "rule", "values")
MOST_ROWS = 200


@dataclass
class Form:
    """What stands in the form: `rows` as texts, what is wrong by number of the row, and the mapping when nothing is.
    `wrong_words`: rows in which that is "Words there". `is_stale`: another version was applied since it was opened."""

    rows: list[dict[str, str]]
    settings: dict[str, Any]
    problems: dict[int, str] = field(default_factory=dict)
    wrong_words: set[int] = field(default_factory=set)
    problem: str = ""
    is_stale: bool = False
    crm: Crm | None = None


def of_mapping(crm: Crm) -> Form:
    """The form as it is shown for what holds."""
    rows = [_shown(one) for one in crm.all_fields]
    return Form(rows, {**crm.model_dump(exclude={"fields", "standard"})}, crm=crm)


def read(before: Crm) -> Form:
    """The form as it was sent; rows without our value are left out."""
    number, rows = min(request.form.get("rows", type=int) or 0, MOST_ROWS), []
    for n in range(number):
        row = {name: request.form.get(f"{name}-{n}", "").strip() for name in COLUMNS}
        if row["ours"] and f"gone-{n}" not in request.form:
            rows.append(row)
    form = Form(rows, _settings())
    mapped = [one for n, row in enumerate(rows) if (one := _mapped(form, n, row)) is not None]
    if not form.problems:
        try:
            form.crm = with_fields(before, mapped, **form.settings)
        except ValidationError as error:
            form.problem = _said(error)
    return form


def lacking(form: Form, theirs: Mapping[str, Sequence[Any]]) -> list[int]:
    """The rows whose field the CRM does not have, by number; where it does not tell, none."""
    names = {on: {name for one in some for name in (one.name, one.ours) if name} for on, some in theirs.items() if some}
    found = []
    for number, row in enumerate(form.rows):
        on = row["record"] or _own_record(row["ours"]) or PEOPLE
        if on in names and row["theirs"] not in names[on] and row["theirs"] not in STANDARD[on]:
            found.append(number)
    return found


def _settings() -> dict[str, Any]:
    given = request.form
    records = {
        name: {"new": given.get(f"{name}-new", "create"), "known": given.get(f"{name}-known", "update")}
        for name in ("people", "companies")
    }
    match = ["email", *(name for name in ("domain", "name") if f"match-{name}" in given)]
    told = [name for name in INTERACTIONS if f"tell-{name}" in given]
    rest = given.get("rest_minutes", "").strip()
    return {**records, "match": match, "interactions": told, "rest_minutes": int(rest) if rest.isdecimal() else 0}


def _mapped(form: Form, number: int, row: Mapping[str, str]) -> Mapped | None:
    try:
        return Mapped.model_validate(
            {
                "ours": row["ours"],
                "theirs": row["theirs"],
                "record": row["record"] if row["record"] not in ("", _own_record(row["ours"])) else None,
                "direction": row["direction"] or "out",
                "rule": row["rule"] or "update",
                "values": crm_values.read(row["values"]),
            }
        )
    except ValidationError as error:
        form.problems[number] = _said(error)
    except ValueError as error:
        form.problems[number] = str(error)
        form.wrong_words.add(number)
    return None


def _own_record(name: str) -> str:
    """Where the value goes when nobody says otherwise."""
    found = field_of(name)
    return found.record if found else ""


def _shown(mapped: Mapped) -> dict[str, str]:
    return {
        "ours": mapped.ours, "theirs": mapped.theirs, "record": mapped.on, "direction": mapped.direction,
        "rule": mapped.rule, "values": crm_values.shown(mapped.values),
    }  # fmt: skip


def _said(error: ValidationError) -> str:
    """What is wrong, in the schema's own words."""
    found = error.errors(include_url=False)[0]
    message = str(found["msg"]).removeprefix("Value error, ")
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {message}" if place else message
