"""Which records of Salesforce are followed, and what a change of one says in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from plugins.crm import Company, Kind, Meeting, Person, Ref
from plugins.crm.salesforce.activities import Activities
from plugins.crm.salesforce.changes import Watched
from plugins.crm.salesforce.rows import ACCOUNT, CONTACT, EVENT, LEAD, MERGED_INTO
from plugins.crm.salesforce.values import Shape

_UNTOLD = ("fields", "company_ref", "locale", "zone", "guests", "url")
"""What Salesforce does not keep by these names, or what is told apart."""
RefOf = Callable[[Kind, str], Ref]


def watched(shape: Shape, activities: Activities, extra: Sequence[str], ref: RefOf, meetings: str) -> Iterable[Watched]:
    """Leads, contacts and accounts, and meetings that are ours: those with a value in the field `meetings`."""
    for sobject in (LEAD, CONTACT):
        columns = (*shape.columns(sobject, extra), MERGED_INTO)
        yield Watched(sobject, columns, _person(shape, sobject, extra), _to(ref, Kind.PERSON))
    of_accounts = (*shape.columns(ACCOUNT, extra), MERGED_INTO)
    yield Watched(ACCOUNT, of_accounts, _company(shape, extra), _to(ref, Kind.COMPANY))
    if meetings:
        only = f"{meetings} != null"
        yield Watched(EVENT, tuple(activities.columns()), _meeting(activities), _to(ref, Kind.MEETING), only)


def _to(ref: RefOf, kind: Kind) -> Callable[[str], Ref]:
    return lambda id: ref(kind, id)


def _person(shape: Shape, sobject: str, extra: Sequence[str]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def read(row: Mapping[str, Any]) -> dict[str, Any]:
        became = {name: row[name] for name in ("IsConverted", "ConvertedContactId") if row.get("IsConverted")}
        return {**_told(shape.person_of(sobject, row, extra)), **became}

    return read


def _company(shape: Shape, extra: Sequence[str]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda row: _told(shape.company_of(row, extra))


def _meeting(activities: Activities) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda row: _told(activities.meeting_of(row))


def _told(record: Person | Company | Meeting) -> dict[str, Any]:
    told = {one.name: getattr(record, one.name) for one in fields(record) if one.name not in _UNTOLD}
    return {**told, **getattr(record, "fields", {})}
