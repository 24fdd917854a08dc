"""People in Dynamics: contacts and leads found by e-mail, our values in their columns and back."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from plugins.crm import Kind, Owner, Person, Ref
from plugins.crm.dynamics.following import ends
from plugins.crm.dynamics.lengths import fitted
from plugins.crm.dynamics.rows import COLUMNS, OWNER, Row, by_key, columns_of
from plugins.crm.dynamics.web import LABEL, SETS, Web, at, bound, key_of, own_id, quoted
from plugins.emails import fold
from plugins.errors import InvalidInput, NotFound, Transient

OPTED_OUT = ("donotbulkemail", "donotemail")
WEB = 8
"""Of leadsourcecode, as Dynamics comes."""


class Values(Protocol):
    """What knows the columns of a table (fields.py)."""

    def fitting(self, table: str, fields: Mapping[str, Any], *, all_of_them: bool) -> dict[str, Any]: ...

    def choice(self, table: str, column: str, label: str) -> int | None: ...


class People:
    """`new` is the table of people who are not there yet."""

    def __init__(self, web: Web, values: Values, *, new: str) -> None:
        self._web, self._values, self._new = web, values, new

    def upsert(self, person: Person) -> Ref:
        """The contact or lead with this e-mail brought up to date, or a new one. Its key follows from the e-mail, so
        that two at once are one."""
        folded = fold(person.email)
        there = best(self.found(person.email, "upsert_person"))
        if there is None:
            id = own_id("person", folded)
            written = self._written(person, self._new, new=True)
            if self._web.make("upsert_person", self._new, id, written):
                return self._web.ref(self._new, id, created=True)
            there = Row(self._new, {SETS[self._new][1]: id})
        try:
            self._web.change("upsert_person", there.table, there.id, self._written(person, there.table, new=False))
        except NotFound as gone:  # deleted since we looked
            if gone.vendor_code and there.id.lower() not in gone.message.lower():
                raise
            raise Transient(gone.message, http_status=gone.http_status) from gone
        return self._web.ref(there.table, there.id)

    def found(self, email: str, operation: str) -> list[Row]:
        """Everybody with this e-mail, the oldest first; who went into another record is who they became. Dataverse
        compares without regard to case and accents; we look again."""
        folded = fold(email)
        wanted = " or ".join(f"emailaddress1 eq {quoted(one)}" for one in _spellings(email, folded))
        found = []
        for table in ("contact", "lead"):
            params = {"$select": ",".join(columns_of(table)), "$filter": wanted, "$expand": OWNER}
            rows = self._web.pages(operation, SETS[table][0], params={**params, "$orderby": "createdon asc"})
            found += [Row(table, one) for one in rows if _is(one.get("emailaddress1"), folded)]
        became = ends(self._web, operation, found, columns_of)
        there = [became.get(row.id, row) for row in found]
        people = {row.id: row for row in there if not row.merged_into}
        return sorted(people.values(), key=lambda row: str(row.data.get("createdon") or ""))

    def read(self, refs: Sequence[Ref], fields: Sequence[str]) -> dict[str, Person]:
        """What is there of these people now, by the id of their reference. Who was merged into another is gone."""
        rows = by_key(self._web, "people", Kind.PERSON, refs, columns_of, fields)
        return {self._web.ref(row.table, row.id).id: person_of(row, fields) for row in rows if not row.merged_into}

    def owned_by(self, operation: str, email: str | None) -> dict[str, str]:
        """What makes a row the user's with this address. Nothing when there is none who works there: it stays whose it
        is."""
        if not email:
            return {}
        named = f"(internalemailaddress eq {quoted(email)} or domainname eq {quoted(email)})"
        params = {"$select": "systemuserid", "$filter": f"{named} and isdisabled eq false"}
        for one in self._web.pages(operation, "systemusers", params=params):
            return {"ownerid@odata.bind": bound("systemuser", str(one["systemuserid"]))}
        return {}

    def _written(self, person: Person, table: str, *, new: bool) -> dict[str, Any]:
        first, last = _names(person)
        said = {"first_name": first, "last_name": last, "phone": person.phone, "title": person.title}
        said |= {"country": person.country}
        values: dict[str, Any] = {COLUMNS[name]: value or None for name, value in said.items() if value is not None}
        if person.opted_out is not None:
            values |= {column: person.opted_out for column in OPTED_OUT}
        values |= self._of_company(person, table)
        values |= self.owned_by("upsert_person", person.owner_email)
        if new:
            values |= _at_first(person, table)
        return fitted(table, values) | self._values.fitting(table, person.fields, all_of_them=table == self._new)

    def _of_company(self, person: Person, table: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if table == "lead" and person.company is not None:
            values["companyname"] = person.company or None
        if person.company_ref:
            column = "parentaccountid" if table == "lead" else "parentcustomerid_account"
            values[f"{column}@odata.bind"] = bound(*key_of(person.company_ref, Kind.COMPANY))
        return values


def best(found: Sequence[Row]) -> Row | None:
    """Who is meant: a contact before a lead, one that is open before one that is closed, the oldest of them."""
    return min(found, key=lambda row: (not row.is_open, row.table != "contact"), default=None)


def person_of(row: Row, fields: Sequence[str] = ()) -> Person:
    """A row by our names."""
    data = row.data
    said = {name: data.get(column) for name, column in COLUMNS.items() if name != "email"}
    owner = owner_of(row)
    return Person(
        str(data.get("emailaddress1") or ""),
        name=data.get("fullname"),
        company=data.get("companyname"),
        status=data.get(f"statuscode{LABEL}"),
        source=data.get(f"leadsourcecode{LABEL}"),
        owner_email=owner.email if owner else None,
        opted_out=data.get("donotbulkemail"),
        fields={name: data.get(name) for name in fields},
        **said,
    )


def owner_of(row: Row) -> Owner | None:
    """Whose it is. What belongs to a team, or to an application such as ours, is nobody's."""
    user = row.data.get("owninguser")
    if not isinstance(user, dict) or user.get("applicationid"):
        return None
    return user_of(user)


def user_of(user: Mapping[str, Any]) -> Owner:
    """A user by our names."""
    return Owner(
        str(user["systemuserid"]),
        str(user.get("internalemailaddress") or "").lower(),
        str(user.get("fullname") or ""),
        not user.get("isdisabled"),
    )


def path_of(ref: Ref) -> str:
    """The path of a person."""
    return at(*key_of(ref, Kind.PERSON))


def _at_first(person: Person, table: str) -> dict[str, Any]:
    """What only a new row gets."""
    email = unicodedata.normalize("NFC", person.email.strip())
    if table != "lead":
        return {"emailaddress1": email}
    named = person.name or " ".join(filter(None, (person.first_name, person.last_name))) or email
    return {"emailaddress1": email, "subject": f"{person.source or 'Website'}: {named}", "leadsourcecode": WEB}


def _names(person: Person) -> tuple[str | None, str | None]:
    if person.first_name is not None or person.last_name is not None or person.name is None:
        return person.first_name, person.last_name
    first, _, last = person.name.strip().rpartition(" ")
    return first, last


def _spellings(email: str, folded: str) -> list[str]:
    """How the address may be written there: as given, composed or not, the domain in letters or in ASCII."""
    local, _, domain = folded.rpartition("@")
    try:
        letters = domain.encode().decode("idna")
    except UnicodeError:
        letters = domain
    given = email.strip()
    forms = [folded, f"{local}@{letters}", given]
    return list(dict.fromkeys([*forms, *(unicodedata.normalize("NFD", one) for one in forms)]))


def _is(there: Any, folded: str) -> bool:
    try:
        return fold(str(there or "")) == folded
    except InvalidInput:
        return False
