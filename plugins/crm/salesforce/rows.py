"""One record of Salesforce at a time: written by id or by external id, past duplicate rules that only warn."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from plugins.crm.salesforce.errors import UNIQUE, Names, RuleObjects
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import field_name, select, text
from plugins.errors import Duplicate, NotFound, Permanent, Transient

LEAD, CONTACT, ACCOUNT, USER, TASK, EVENT = "Lead", "Contact", "Account", "User", "Task", "Event"
PREFIXES = {"00Q": LEAD, "003": CONTACT, "001": ACCOUNT, "00T": TASK, "00U": EVENT}
"""The first letters of an id tell what it leads to."""
MERGED_INTO = "MasterRecordId"
"""Of a lead, contact or account that was deleted because it was merged: which record was kept."""
NOWHERE = ("NOT_FOUND", "")
"""Codes of a 404 that speaks of the address; others speak of a record."""
Body = Mapping[str, Any]
Headers = Mapping[str, str]
_NONE: Headers = {}
_SOBJECTS = "/services/data/v{v}/sobjects"


@dataclass(frozen=True, slots=True)
class Written:
    """The id of a record that was written, and whether that made it."""

    id: str
    created: bool


def sobject_of(id: str) -> str:
    """What an id leads to; NotFound for what is no id of a record we write."""
    if kind := kind_of(id):
        return kind
    raise NotFound(f"{id[:40]} is no id of a record at Salesforce")


def kind_of(id: str) -> str:
    """What an id leads to, "" for others."""
    return PREFIXES.get(id[:3], "") if re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", id) else ""


class Rows:
    """Writes records. `save_warned`: where a duplicate rule only warns, save all the same."""

    def __init__(self, session: Session, *, save_warned: bool) -> None:
        self._session, self._save_warned = session, save_warned

    def upsert(
        self, operation: str, sobject: str, field: str, value: str, body: Body, names: Names, headers: Headers = _NONE
    ) -> Written:
        """The record whose external id `field` has `value`: changed, or made. Sent twice it is one record.

        Two that make it at once: the second is told that the value is taken (DUPLICATE_VALUE), finds it there and
        changes it. Where `field` is not unique and several have the value, the first of them is changed.
        """
        try:
            return self._upserted(operation, sobject, field, value, body, names, headers)
        except Duplicate as taken:
            if taken.vendor_code != UNIQUE:
                raise
        try:
            return self._upserted(operation, sobject, field, value, body, names, headers)
        except Duplicate as still:
            if still.vendor_code != UNIQUE or field not in still.message:
                raise
            raise Transient(still.message, http_status=still.http_status, vendor_code=UNIQUE) from still

    def create(self, operation: str, sobject: str, body: Body, names: Names, headers: Headers = _NONE) -> Written:
        """A new record. Without an external id a lost answer is ambiguous: look it up before trying again."""
        return self._made(operation, sobject, body, names, headers, repeatable=False)

    def create_once(
        self, operation: str, sobject: str, field: str, value: str, body: Body, names: Names, headers: Headers = _NONE
    ) -> Written:
        """A new record with an external id that is unique: Duplicate when somebody has made it meanwhile. Unlike an
        upsert it lays nothing over theirs that was made up for a record that is not there."""
        marked = {**body, field_name(field): value}
        return self._made(operation, sobject, marked, names, headers, repeatable=True)

    def update(self, operation: str, id: str, body: Body, names: Names) -> None:
        """Change a record; nothing to change is nothing sent. Its owner stays: rules of assignment are not asked.
        NotFound when it is gone."""
        if not body:
            return
        path = f"{_SOBJECTS}/{sobject_of(id)}/{id}"

        def change(headers: Headers) -> Written:
            asked = {"Sforce-Auto-Assign": "FALSE", **headers}
            self._session.call(operation, "PATCH", path, json=dict(body), headers=asked, names=names, repeatable=True)
            return Written(id, created=False)

        self.past_rules(change)

    def past_rules(
        self, write: Callable[[Headers], Written], instead: Callable[[], Written | None] | None = None
    ) -> Written:
        """What `write` wrote. When it is there already, by a unique field or a duplicate rule: what `instead` finds to
        write to; or saved all the same, when the rule only warns and the owner wants it; else the objection."""
        try:
            return write({})
        except Duplicate as objection:
            there = instead() if instead else None
            if there is not None:
                return there
            if not (self._save_warned and isinstance(objection, RuleObjects) and objection.may_save):
                raise
        return write({"Sforce-Duplicate-Rule-Header": "allowSave=true"})

    def _made(
        self, operation: str, sobject: str, body: Body, names: Names, headers: Headers, *, repeatable: bool
    ) -> Written:
        told = self._session.json(
            operation, "POST", f"{_SOBJECTS}/{sobject}", json=dict(body), headers=dict(headers), names=names,
            repeatable=repeatable,
        )  # fmt: skip
        return _written(told, created=True)

    def _upserted(
        self, operation: str, sobject: str, field: str, value: str, body: Body, names: Names, headers: Headers
    ) -> Written:
        path = f"{_SOBJECTS}/{sobject}/{field_name(field)}/{quote(value, safe='')}"
        try:
            told = self._session.json(
                operation, "PATCH", path, json=dict(body), headers=dict(headers), names=names, repeatable=True,
                welcome=(300,),
            )  # fmt: skip
        except NotFound as missing:
            if missing.vendor_code not in NOWHERE:
                raise
            return self._found_or_made(operation, sobject, field, value, body, names, headers)
        if isinstance(told, list):
            first = str(told[0]).rpartition("/")[2] if told else ""
            self.update(operation, first, body, names)
            return Written(first, created=False)
        return _written(told, created=bool(told.get("created")))

    def _found_or_made(
        self, operation: str, sobject: str, field: str, value: str, body: Body, names: Names, headers: Headers
    ) -> Written:
        """The same without the value in the address, where Salesforce answers 404 to one that ends like certain names
        of files, as uids at a domain under .inc do (REST API guide, Upsert Records Using sObject Rows by External ID).
        ConfigError when it is the field that there is not."""
        soql = select(["Id"], sobject, f"{field_name(field)} = {text(value)}", order="CreatedDate, Id", most=1)
        found = self._session.query(operation, soql, names=names)
        if not found:
            return self.create_once(operation, sobject, field, value, body, names, headers)
        self.update(operation, found[0]["Id"], body, names)
        return Written(found[0]["Id"], created=False)


def _written(told: Any, *, created: bool) -> Written:
    id = told.get("id") if isinstance(told, dict) else None
    if not isinstance(id, str) or not id:
        raise Permanent(f"a write was answered without an id: {str(told)[:200]}")
    return Written(id, created)
