"""People at Salesforce: found among contacts and leads, written to where sales works with them, made once."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plugins.config import Config
from plugins.crm import Owner, Person
from plugins.crm.salesforce.claims import Claims
from plugins.crm.salesforce.errors import CONVERTED, UNIQUE
from plugins.crm.salesforce.rows import CONTACT, LEAD, MERGED_INTO, Headers, Rows, Written, kind_of, sobject_of
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import either, field_name, listed, select, text
from plugins.crm.salesforce.values import Shape, owner_of
from plugins.emails import fold, stable_id
from plugins.errors import Conflict, Duplicate, NotFound, Transient

MOST = 50
"""How many records of one e-mail address are looked at."""
_OWNER = ("OwnerId", "Owner.Email", "Owner.Name", "Owner.IsActive")


@dataclass(frozen=True)
class Seen:
    """What one look found: contacts and leads of an e-mail address, oldest first, and who may own them."""

    contacts: Sequence[dict[str, Any]]
    leads: Sequence[dict[str, Any]]
    owner: str = ""
    stand_in: str = ""

    def places(self) -> list[str]:
        """Ids to write to, the best first: contacts, leads that sales works on, what converted leads became."""
        became = [row["ConvertedContactId"] for row in self.converted() if row["ConvertedContactId"]]
        ids = [row["Id"] for row in self.contacts] + [row["Id"] for row in self.open()] + became
        return list(dict.fromkeys(ids))

    def open(self) -> list[dict[str, Any]]:
        """Leads that are leads still."""
        return [row for row in self.leads if not row["IsConverted"]]

    def converted(self) -> list[dict[str, Any]]:
        """Leads that became contacts, the newest first."""
        return [row for row in reversed(self.leads) if row["IsConverted"]]


class People:
    """One org's people. `field`: the external id field that makes a person one, "" when the org has none."""

    def __init__(self, session: Session, rows: Rows, shape: Shape, config: Config, claims: Claims) -> None:
        self._session, self._rows, self._shape, self._claims = session, rows, shape, claims
        self._field = config.text("person_id_field")
        self._stand_in = config.text("new_lead_owner")
        self._rules_assign = bool(config["assign_new_leads"])

    def upsert(self, person: Person, operation: str = "upsert_person") -> Written:
        """Write to the contact, else to the lead, with this e-mail address; else make a lead."""
        email = fold(person.email)
        seen = self._look(operation, email, person.owner_email or "")
        found = self._write_to(operation, seen, person, email)
        return found or self._create(operation, seen, person, email)

    def find(self, email: str, operation: str = "find_by_email") -> list[str]:
        """Everybody with this address, the oldest first. A converted lead is its contact."""
        seen = self._look(operation, fold(email))
        rows = sorted([*seen.contacts, *seen.open()], key=lambda row: (row["CreatedDate"], row["Id"]))
        return [row["Id"] for row in rows] or seen.places()

    def owner(self, email: str) -> Owner | None:
        """The user who owns the contact, else the lead; None for what a queue owns."""
        seen = self._look("owner_of", fold(email))
        return next((owner for row in [*seen.contacts, *seen.open()] if (owner := owner_of(row))), None)

    def _look(self, operation: str, email: str, owner: str = "") -> Seen:
        """Contacts, leads, the owner wanted and who stands in for one: one call that counts once."""
        marked = f"{field_name(self._field)} = {text(_mark(email))}" if self._field else ""
        mine = either(f"Email IN {listed(_spellings(email))}", marked)
        both = ["Id", "Email", "CreatedDate", *_OWNER, *[self._field] * bool(self._field)]
        oldest = "CreatedDate, Id"
        soqls = {
            "contacts": select([*both, "AccountId"], CONTACT, mine, order=oldest, most=MOST),
            "leads": select([*both, "IsConverted", "ConvertedContactId"], LEAD, mine, order=oldest, most=MOST),
        }
        if wanted := [one for one in (owner, self._stand_in) if "@" in one]:
            soqls["users"] = users(wanted)
        if self._stand_in and "@" not in self._stand_in:
            named = either(f"Name = {text(self._stand_in)}", f"DeveloperName = {text(self._stand_in)}")
            soqls["queues"] = select(["Id"], "Group", "Type = 'Queue'", named, most=1)
        found = self._session.queries(operation, soqls, names=self._shape.names_of(LEAD))
        people = {row["Email"].lower(): row["Id"] for row in reversed(found.get("users", []))}
        queue = next((row["Id"] for row in found.get("queues", [])), "")
        stand_in = people.get(self._stand_in.lower(), queue)
        return Seen(found["contacts"], found["leads"], people.get(owner.lower(), ""), stand_in)

    def _write_to(self, operation: str, seen: Seen, person: Person, email: str) -> Written | None:
        """Write to the first of the records that is still there."""
        for id in seen.places():
            try:
                self._change(operation, id, seen, person, email)
            except NotFound:
                continue
            except Conflict as conflict:
                if conflict.vendor_code != CONVERTED:
                    raise
                raise Transient(conflict.message, vendor_code=CONVERTED) from conflict
            return Written(id, created=False)
        return None

    def _change(self, operation: str, id: str, seen: Seen, person: Person, email: str) -> None:
        sobject = sobject_of(id)
        names = self._shape.names_of(sobject)
        body = self._shape.person(sobject, person, there=True)
        if seen.owner:
            body["OwnerId"] = seen.owner
        row = next((row for row in [*seen.contacts, *seen.leads] if row["Id"] == id), None)
        if row is not None and not row["Email"]:
            body["Email"] = email
        if row is not None and sobject == CONTACT and not row["AccountId"] and person.company_ref:
            body["AccountId"] = person.company_ref.id
        marked = {**body, **self._marking(seen, row, email)}
        try:
            self._rows.update(operation, id, marked, names)
        except Duplicate as taken:
            if taken.vendor_code != UNIQUE or marked == body:
                raise
            self._rows.update(operation, id, body, names)

    def _marking(self, seen: Seen, row: dict[str, Any] | None, email: str) -> dict[str, str]:
        """Our external id for a record that was found by its address and that nobody holds yet."""
        if not self._field or row is None or row[self._field]:
            return {}
        taken = any(other[self._field] == _mark(email) for other in [*seen.contacts, *seen.leads])
        return {} if taken else {self._field: _mark(email)}

    def _create(self, operation: str, seen: Seen, person: Person, email: str) -> Written:
        """A new lead. With the external id field Salesforce keeps it one; without, our claim does among us."""
        names, owner = self._shape.names_of(LEAD), seen.owner or seen.stand_in
        body = {**self._shape.person(LEAD, person, there=False), "Email": email}
        if owner:
            body["OwnerId"] = owner
        assign = {"Sforce-Auto-Assign": "TRUE" if self._rules_assign and not seen.owner else "FALSE"}

        def write(headers: Headers) -> Written:
            asked = {**assign, **headers}
            if not self._field:
                return self._rows.create(operation, LEAD, body, names, asked)
            gone = [row["Id"] for row in seen.converted()][:1]
            return self._rows.create_once(operation, LEAD, self._field, _mark(email, *gone), body, names, asked)

        def instead() -> Written | None:
            return self._write_to(operation, self._look(operation, email), person, email)

        if self._field:
            return self._rows.past_rules(write, instead)
        with self._claims.holding(LEAD, _mark(email)):
            return instead() or self._rows.past_rules(write, instead)


def went_into(session: Session, operation: str, id: str) -> str:
    """The record that a lead or contact went into: the one that was kept when they were merged (the other is deleted
    then and names it, SOAP API guide, merge()), or the contact that a lead became. "" for one that is itself, or gone.
    """
    sobject = kind_of(id)
    if sobject not in (LEAD, CONTACT):
        return ""
    columns = ["Id", MERGED_INTO, *["ConvertedContactId"] * (sobject == LEAD)]
    found = session.query(operation, select(columns, sobject, f"Id = {text(id)}"), deleted=True)
    return next((str(row[MERGED_INTO] or row.get("ConvertedContactId") or "") for row in found), "")


def users(emails: Sequence[str]) -> str:
    """The query for users who may own something: active people with these addresses."""
    active = ("IsActive = true", "UserType = 'Standard'")
    return select(["Id", "Email"], "User", *active, f"Email IN {listed(emails)}", order="CreatedDate, Id", most=MOST)


def _mark(email: str, *gone: str) -> str:
    """What the external id of a person is: the same for every spelling of the address, always. `gone`: a converted lead
    that keeps the first one although its contact was deleted."""
    return stable_id("usher", email, *gone)


def _spellings(email: str) -> list[str]:
    """The folded address, and the one that people type where its domain has letters beyond ASCII."""
    local, _, domain = email.rpartition("@")
    try:
        typed = unicodedata.normalize("NFC", f"{local}@{domain.encode().decode('idna')}")
    except UnicodeError:
        typed = email
    return list(dict.fromkeys([email, typed]))
