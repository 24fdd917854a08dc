"""Our values as the CRM's records, by crm.yml: what would be said, before anybody has looked at what stands there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from plugins.crm import Company, Person, RemoteField
from server.sync import fates
from server.sync.fates import Fate
from server.sync.ours import COMPANIES, PEOPLE, STANDARD
from server.sync.schema import Crm, Mapped
from server.sync.values import Known, Value

LINK = "$link"
"""`{"$link": [kind, id]}` stands for where our lead or account stands at the CRM when the delivery goes out."""
_NUMBERS = ("employees",)
_TRUTHS = ("is_customer", "is_target", "opted_out")


def person(crm: Crm, known: Known) -> dict[str, Any]:
    """plugins.crm.Person as JSON, with `$link` to the company. The e-mail must be known."""
    company = {"company_ref": {LINK: ["account", known.account_id]}} if known.domain else {}
    return {"email": known.email, **_said(crm, PEOPLE, known), **company}


def company(crm: Crm, known: Known) -> dict[str, Any]:
    """plugins.crm.Company as JSON. The domain must be known."""
    return {"domain": known.domain, **_said(crm, COMPANIES, known)}


def as_record(on: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Values by their names in the shape of Person or Company: standing fields by name, the others under `fields`."""
    own = {name: _in_type(name, value) for name, value in said.items() if name in STANDARD[on]}
    further = {name: value for name, value in said.items() if name not in STANDARD[on]}
    return {**own, **({"fields": further} if further else {})}


def said_in(on: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The other way round: values by their names."""
    own = {name: record[name] for name in STANDARD[on] if record.get(name) is not None}
    return {**own, **(record.get("fields") or {})}


def there_in(on: str, record: Person | Company | None) -> dict[str, Any]:
    """What the CRM holds, by their names; what it has no value for is left out."""
    if record is None:
        return {}
    own = {name: getattr(record, name) for name in STANDARD[on]}
    return {name: value for name, value in {**own, **record.fields}.items() if not fates.empty(value)}


def fates_of(
    crm: Crm,
    on: str,
    values: Mapping[str, Value],
    *,
    there: Mapping[str, Any] | None,
    told: Mapping[str, Any],
    remote: Mapping[str, RemoteField] | None = None,
    makes_fields: bool = True,
) -> list[Fate]:
    """What becomes of every mapped field. `there` None: the CRM has no such record. `remote`: its fields by their and
    by our names, None when it cannot tell; with `makes_fields` those it does not list are made."""
    return [_fate(crm, mapped, values.get(mapped.ours), there, told, remote, makes_fields) for mapped in crm.of(on)]


def incoming(crm: Crm, on: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the CRM's values (by their names) tell us, by our names: only fields that may come from there."""
    for mapped in crm.of(on):
        if mapped.comes_in and not fates.empty(values.get(mapped.theirs)):
            yield mapped.ours, fates.back(mapped, values[mapped.theirs])


def wanted_fields(crm: Crm, on: str) -> list[str]:
    """The CRM's own fields that have to be read for this."""
    return [mapped.theirs for mapped in crm.of(on) if not mapped.is_standard]


def _fate(
    crm: Crm,
    mapped: Mapped,
    value: Value | None,
    there: Mapping[str, Any] | None,
    told: Mapping[str, Any],
    remote: Mapping[str, RemoteField] | None,
    makes_fields: bool,
) -> Fate:
    field = remote.get(mapped.theirs) if remote is not None else None
    if remote is not None and field is None and not mapped.is_standard and not makes_fields and mapped.goes_out:
        return Fate(mapped, fates.REFUSE, "field", "The CRM has no such field.", value.value if value else None)
    at = (there or {}).get(mapped.theirs)
    if mapped.is_standard and remote is not None:
        at = told.get(mapped.theirs) if field is None and at is None else at
        field = field if field is not None and _is_strict(field) else None
    return fates.decide(
        mapped, value, crm.rules_for(mapped.on), there=at, exists=there is not None, told=told, remote=field
    )


def _is_strict(field: RemoteField) -> bool:
    """Standing fields have our types, and their adapter puts them into the CRM's (an owner's address into a number);
    only choices, and what nobody may write, are as the CRM says. One that it does not list is as we wrote it last:
    an adapter may have no place for it."""
    return field.type in ("choice", "choices") or not field.writable


def _said(crm: Crm, on: str, known: Known) -> dict[str, Any]:
    said = {
        mapped.theirs: _plain(fates.translated(mapped, known.get(mapped.ours)))
        for mapped in crm.of(on)
        if mapped.goes_out and not fates.empty(known.get(mapped.ours))
    }
    return as_record(on, said)


def _in_type(name: str, value: Any) -> Any:
    """Standing fields have types of their own, whatever the mapping puts there; what does not fit stays and is refused
    with its name."""
    if name in _TRUTHS or isinstance(value, bool):
        return value if name in _TRUTHS else ("yes" if value else "no")
    if name in _NUMBERS:
        number, wrong = fates.fitting(value, RemoteField(name, name, "number"))
        return value if wrong else int(number)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value
