"""An org of Salesforce in memory: records with their rules, and what people there do meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from plugins.testing.fakes.salesforce.rules import DuplicateRule, Rule, hold_to_rules
from plugins.testing.fakes.salesforce.sign_in import SalesforceSignIn
from plugins.testing.fakes.salesforce.tables import PREFIX, F, new_org, refusal
from plugins.testing.fakes.salesforce.values import hold_to_types

Row = dict[str, Any]


@dataclass(frozen=True)
class Saving:
    """How a record is written: by whom, past warning duplicate rules or not, with assignment rules or not."""

    by: str
    allow_save: bool = False
    assign: bool = True


@dataclass
class SetUp:
    """What the org's administrator has set up."""

    rules: list[Rule] = field(default_factory=list)
    duplicate_rules: list[DuplicateRule] = field(default_factory=list)
    assigns_to: str = ""
    locked: set[str] = field(default_factory=set)


class SalesforceOrg(SalesforceSignIn):
    """`rows[kind][id]` are the records, also deleted ones. People act by `add`, `change`, `remove`, `merge` and
    `convert`."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """A new org: one administrator, one user for us, nothing else."""
        self.forget_sign_ins()
        self.forget_limits()
        self.asked.clear()
        self.faults.clear()
        self.fields: dict[str, dict[str, F]] = new_org()
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in self.fields}
        self.set_up = SetUp()
        self.lag = timedelta()
        self.born: dict[str, int] = {}
        self._numbers = count(1)
        self.admin = self.add("User", Name="Olga Admin", Email="olga@acme.example", Username="olga@acme.example")
        self.us = self.add("User", Name="Usher", Email="usher@acme.example", Username="usher@acme.example")
        self.rows["Organization"][self.org_id] = {"Id": self.org_id, "Name": "Acme Analytics", "IsSandbox": False}
        self.app.approved.add("usher@acme.example")
        self.app.run_as = self.agreeing = "usher@acme.example"

    def forget_limits(self) -> None:
        """The day begins."""
        raise NotImplementedError

    def add_field(self, kind: str, name: str, type: str = "string", **about: Any) -> None:
        """The administrator makes a field; those of Activity are on tasks and events."""
        for one in ("Task", "Event") if kind == "Activity" else (kind,):
            self.fields[one][name] = F(name, type, **about)

    def add_usher_fields(self) -> None:
        """The external id fields that the page on Salesforce tells owners to make."""
        for kind in ("Lead", "Contact"):
            self.add_field(kind, "Usher_Id__c", most=64, unique=True, external=True)
        self.add_field("Account", "Usher_Domain__c", unique=True, external=True)
        self.add_field("Activity", "Usher_Id__c", unique=True, external=True)

    def add(self, kind: str, **values: Any) -> str:
        """Somebody there makes a record, past all rules. Its id."""
        with self.turn:
            return self._stored(kind, values, getattr(self, "admin", ""))

    def change(self, id: str, **values: Any) -> None:
        """Somebody there changes a record."""
        with self.turn:
            self._laid_over(self.row(id), values, self.admin)

    def remove(self, id: str) -> None:
        """Somebody there deletes a record: it lies in the bin."""
        with self.turn:
            self.delete(self.row(id), self.admin)

    def merge(self, kept: str, other: str) -> None:
        """Somebody there merges two records of a kind: the other is deleted, names the one that was kept, and hands its
        activities over (SOAP API guide, merge())."""
        with self.turn:
            for one in self.there("Task") + self.there("Event"):
                if one["WhoId"] == other:
                    self._laid_over(one, {"WhoId": kept}, self.admin)
            self._laid_over(self.row(other), {"IsDeleted": True, "MasterRecordId": kept}, self.admin)

    def convert(self, lead_id: str, by: str = "", account: str = "", opportunity: str = "") -> Row:
        """A lead becomes a contact of an account, with its activities; the lead."""
        with self.turn:
            lead, by = self.row(lead_id), by or self.admin
            account = account or self._stored("Account", {"Name": lead["Company"]}, by)
            shared = {name: lead[name] for name in self.fields["Contact"] if name in lead and not self._owned(name)}
            contact = self._stored("Contact", {**shared, "AccountId": account}, by)
            became = {"IsConverted": True, "ConvertedContactId": contact, "ConvertedAccountId": account}
            if opportunity:
                deal = {"Name": opportunity, "AccountId": account}
                became["ConvertedOpportunityId"] = self._stored("Opportunity", deal, by)
            for one in self.there("Task") + self.there("Event"):
                if one["WhoId"] == lead_id:
                    self._laid_over(one, {"WhoId": contact, "AccountId": account}, by)
            self._laid_over(lead, became, by)
            return lead

    def there(self, kind: str) -> list[Row]:
        """The records of a kind that are not deleted, oldest first."""
        return [row for row in self.rows[kind].values() if not row.get("IsDeleted")]

    def row(self, id: str) -> Row:
        """A record by its id of 15 or 18 letters, also from the bin. KeyError when there never was one."""
        return next(row for rows in self.rows.values() for key, row in rows.items() if key[:15] == id[:15])

    def user_named(self, username: str) -> str:
        found = (row for row in self.rows["User"].values() if row["Username"] == username and row["IsActive"])
        return str(next((row["Id"] for row in found), ""))

    def save(self, kind: str, values: Row, how: Saving, there: Row | None = None) -> Row:
        """What the API does: types, rules and references are held to, then the record is made or changed."""
        if there is not None and there["Id"] in self.set_up.locked:
            said = "unable to obtain exclusive access to this record or 1 records"
            raise refusal(400, "UNABLE_TO_LOCK_ROW", f"{said}: {there['Id']}", [there["Id"]])
        if there is not None and there.get("IsConverted"):
            raise refusal(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot update converted lead")
        values = hold_to_types(self.fields[kind], kind, values)
        hold_to_rules(self, kind, values, there, allow_save=how.allow_save)
        if kind == "Lead" and how.assign and self.set_up.assigns_to:
            values = {**values, "OwnerId": self.set_up.assigns_to}
        if there is None:
            return self.rows[kind][self._stored(kind, values, how.by)]
        self._laid_over(there, values, how.by)
        return there

    def delete(self, row: Row, by: str) -> None:
        """To the bin; what is filed under a person goes along."""
        self._laid_over(row, {"IsDeleted": True}, by)
        for one in self.there("Task") + self.there("Event"):
            if one["WhoId"] == row["Id"]:
                self._laid_over(one, {"IsDeleted": True}, by)

    def _stored(self, kind: str, values: Row, by: str) -> str:
        id, now = f"{PREFIX[kind]}{next(self._numbers):012d}EAA", self._now()
        row: Row = {name: one.default for name, one in self.fields[kind].items()}
        row |= {"Id": id, "IsDeleted": False, "CreatedDate": now, "CreatedById": by}
        row |= {"LastModifiedDate": now, "LastModifiedById": by, "SystemModstamp": now}
        owner = {"OwnerId": by} if "OwnerId" in row else {}
        self.born[id] = time.monotonic_ns()
        self.rows[kind][id] = self._derived({**row, **owner, **values})
        return id

    def _laid_over(self, row: Row, values: Row, by: str) -> None:
        now = self._now()
        row.update({**values, "LastModifiedDate": now, "LastModifiedById": by, "SystemModstamp": now})
        self._derived(row)

    def _derived(self, row: Row) -> Row:
        """What Salesforce works out: a full name, the account of an activity."""
        if "LastName" in row:
            row["Name"] = " ".join(part for part in (row["FirstName"], row["LastName"]) if part)
        if str(row.get("WhoId") or "").startswith("003"):
            row["AccountId"] = self.rows["Contact"].get(row["WhoId"], {}).get("AccountId")
        return row

    def _owned(self, name: str) -> bool:
        return self.fields["Contact"][name].owned or name in ("OwnerId", "AccountId")

    def _now(self) -> str:
        return (datetime.now(UTC) - self.lag).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
