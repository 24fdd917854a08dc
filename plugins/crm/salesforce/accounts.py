"""Companies at Salesforce: found by an external id or by their website, made once."""

from __future__ import annotations

from typing import Any

from plugins.config import Config
from plugins.crm import Company
from plugins.crm.salesforce.claims import Claims
from plugins.crm.salesforce.errors import UNIQUE
from plugins.crm.salesforce.people import users
from plugins.crm.salesforce.rows import ACCOUNT, Headers, Rows, Written
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import containing, either, field_name, select, text
from plugins.crm.salesforce.values import Shape, host_of
from plugins.emails import ascii_domain
from plugins.errors import Duplicate, InvalidInput, NotFound

MOST = 200
"""How many accounts with a domain in their website are looked at."""


class Accounts:
    """One org's accounts. `field`: the external id field that holds the domain, "" when the org has none."""

    def __init__(self, session: Session, rows: Rows, shape: Shape, config: Config, claims: Claims) -> None:
        self._session, self._rows, self._shape, self._claims = session, rows, shape, claims
        self._field = config.text("company_id_field")

    def upsert(self, company: Company) -> Written:
        """Write to the account of this domain; else make one."""
        domain = _domain(company.domain)
        found, owner = self._look("upsert_company", domain, company.owner_email or "", company.csm_email or "")
        return self._write_to(found, company, owner) or self._create(company, domain, owner)

    def by_domain(self, domain: str) -> dict[str, Any] | None:
        """The account's row, None when there is none."""
        found, _ = self._look("account_by_domain", _domain(domain))
        return found[0] if found else None

    def named(self, name: str) -> list[str]:
        """Accounts of exactly this name, the oldest first. Salesforce compares texts without regard to case."""
        wanted = name.strip()
        soql = select(["Id", "Name"], ACCOUNT, f"Name = {text(wanted)}", order="CreatedDate, Id", most=MOST)
        return [row["Id"] for row in self._session.query("companies_named", soql)] if wanted else []

    def _look(self, operation: str, domain: str, *emails: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Accounts of a domain, the surest first, and the fields that lead to the owner and the manager wanted."""
        columns = self._shape.columns(ACCOUNT) + ([field_name(self._field)] if self._field else [])
        marked = f"{self._field} = {text(domain)}" if self._field else ""
        mine = either(f"Website LIKE {containing(domain)}", marked)
        soqls = {"accounts": select(columns, ACCOUNT, mine, order="CreatedDate, Id", most=MOST)}
        soqls |= {f"user{n}": users([email]) for n, email in enumerate(emails) if email}
        found = self._session.queries(operation, soqls, names=self._shape.names_of(ACCOUNT))
        fields = ("OwnerId", self._shape.csm_field)
        people = {field: rows[0]["Id"] for n, field in enumerate(fields) if field and (rows := found.get(f"user{n}"))}
        sure = [(self._sureness(row, domain), n, row) for n, row in enumerate(found["accounts"])]
        return [row for how, _, row in sorted(sure, key=lambda one: one[:2]) if how < 3], people

    def _sureness(self, row: dict[str, Any], domain: str) -> int:
        if self._field and str(row[self._field] or "").lower() == domain:
            return 0
        host = host_of(row["Website"] or "")
        if host == domain:
            return 1
        return 2 if host.endswith(f".{domain}") else 3

    def _write_to(self, found: list[dict[str, Any]], company: Company, people: dict[str, str]) -> Written | None:
        names = self._shape.names_of(ACCOUNT)
        for row in found:
            body = {**self._shape.company(company, there=True), **people}
            free = self._field and not row[self._field] and not any(other[self._field] for other in found)
            marked = {**body, self._field: _domain(company.domain)} if free else body
            try:
                self._change(row["Id"], marked, body, names)
            except NotFound:
                continue
            return Written(row["Id"], created=False)
        return None

    def _change(self, id: str, marked: dict[str, Any], body: dict[str, Any], names: Any) -> None:
        try:
            self._rows.update("upsert_company", id, marked, names)
        except Duplicate as taken:
            if taken.vendor_code != UNIQUE or marked == body:
                raise
            self._rows.update("upsert_company", id, body, names)

    def _create(self, company: Company, domain: str, people: dict[str, str]) -> Written:
        names = self._shape.names_of(ACCOUNT)
        body = {**self._shape.company(company, there=False), **people}

        def write(headers: Headers) -> Written:
            if self._field:
                return self._rows.create_once("upsert_company", ACCOUNT, self._field, domain, body, names, headers)
            return self._rows.create("upsert_company", ACCOUNT, body, names, headers)

        def instead() -> Written | None:
            return self._write_to(self._look("upsert_company", domain)[0], company, people)

        if self._field:
            return self._rows.past_rules(write, instead)
        with self._claims.holding(ACCOUNT, domain):
            return instead() or self._rows.past_rules(write, instead)


def _domain(given: str) -> str:
    domain = ascii_domain(given)
    if "." not in domain or any(letter.isspace() or letter in "/@'\"\\" for letter in domain):
        raise InvalidInput("a company is found by its domain", field="domain")
    return domain
