"""A person is deleted at Salesforce with the tasks and events that are filed under them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plugins.crm.salesforce.errors import error_of
from plugins.crm.salesforce.people import went_into
from plugins.crm.salesforce.rows import CONTACT, EVENT, LEAD, TASK, sobject_of
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import listed, select, text
from plugins.errors import NotFound, Permanent

AT_ONCE = 200
"""How many records one call deletes."""


def erase(session: Session, person: str) -> None:
    """Delete activities first, then the person: the contact with the leads it came from, the lead with the contact it
    became, who was merged with who was kept. What is gone already is a success. Archived activities are found too."""
    try:
        if sobject_of(person) not in (LEAD, CONTACT):
            return
    except NotFound:
        return
    people = _selves(session, person)
    theirs = (f"WhoId IN {listed(people)}", "IsDeleted = false")
    filed = [
        row["Id"]
        for sobject in (TASK, EVENT)
        for row in session.query("erase", select(["Id"], sobject, *theirs), deleted=True)
    ]
    _delete(session, filed)
    _delete(session, people)


def _selves(session: Session, person: str) -> list[str]:
    """All records of the person: leads point to the contact that they became, merged records to the one kept."""
    selves = [person]
    while into := went_into(session, "erase", selves[-1]):
        selves.append(into)
    leads = [id for one in selves if sobject_of(one) == CONTACT for id in _leads(session, one)]
    return list(dict.fromkeys([*selves, *leads]))


def _leads(session: Session, contact: str) -> list[str]:
    soql = select(["Id"], LEAD, f"ConvertedContactId = {text(contact)}")
    return [row["Id"] for row in session.query("erase", soql)]


def _delete(session: Session, ids: list[str]) -> None:
    for n in range(0, len(ids), AT_ONCE):
        some = ",".join(ids[n : n + AT_ONCE])
        path = f"/services/data/v{{v}}/composite/sobjects?ids={some}&allOrNone=false"
        told = session.json("erase", "DELETE", path, repeatable=True)
        _hold_to_done(session, told if isinstance(told, list) else [])


def _hold_to_done(session: Session, told: Iterable[dict[str, Any]]) -> None:
    """Raise for what was not deleted, except what is not there."""
    for one in told:
        if one.get("success"):
            continue
        errors = [error if "errorCode" in error else {**error, "errorCode": error.get("statusCode")} for error in
                  one.get("errors", [])]  # fmt: skip
        error = error_of(errors, 400, {}, session.http.now) or Permanent(f"not deleted: {str(one)[:300]}")
        if not isinstance(error, NotFound):
            raise error.at(session.http.adapter, "erase")
