"""Accounts in Dynamics: found by their domain, which Dynamics itself has no column for, ours values there and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from plugins.crm import Account, Company, Kind, Owner, Ref
from plugins.crm.dynamics.fields import COMPANY_COLUMNS, Fields
from plugins.crm.dynamics.following import ends
from plugins.crm.dynamics.lengths import fitted
from plugins.crm.dynamics.people import People, owner_of, user_of
from plugins.crm.dynamics.rows import MERGED, Row, by_key, expanded
from plugins.crm.dynamics.web import LABEL, SETS, Web, own_id, quoted
from plugins.emails import ascii_domain
from plugins.errors import Duplicate, InvalidInput

CUSTOMER = 3
"""Of customertypecode, as Dynamics comes."""
_SEEN = ("accountid", *COMPANY_COLUMNS.values(), "emailaddress1", "customertypecode", "statecode", "createdon", *MERGED)


class Companies:
    """`domain`: the column that holds the domain, where the owner made one; `target`, `csm`: theirs for our flag and
    for who looks after the customer. "" where there are none."""

    def __init__(self, web: Web, fields: Fields, people: People, *, domain: str, target: str, csm: str) -> None:
        self._web, self._fields, self._people = web, fields, people
        self._domain, self._target, self._csm = domain, target, csm

    def upsert(self, company: Company) -> Ref:
        """The account with this domain brought up to date, or a new one whose key follows from the domain."""
        domain = ascii_domain(company.domain)
        if "." not in domain:
            raise InvalidInput("a company is found by its domain", field="domain")
        values = self._written(company)
        there = self._found(domain, "upsert_company")
        id = there.id if there else own_id("company", domain)
        if there is None:
            first = {"websiteurl": f"https://{domain}", "name": domain}
            first = fitted("account", first) | ({self._domain: domain} if self._domain else {})
            try:
                if self._web.make("upsert_company", "account", id, first | values):
                    return self._web.ref("account", id, created=True)
            except Duplicate:  # somebody has just made it: the alternate key says so
                there = self._found(domain, "upsert_company")
                if there is None:
                    raise
                id = there.id
        self._web.change("upsert_company", "account", id, values)
        return self._web.ref("account", id)

    def by_domain(self, domain: str) -> Account | None:
        """What Dynamics knows of it."""
        row = self._found(ascii_domain(domain), "account_by_domain")
        if row is None:
            return None
        data = row.data
        return Account(
            ref=self._web.ref("account", row.id),
            domain=ascii_domain(domain),
            name=str(data.get("name") or ""),
            industry=data.get(f"industrycode{LABEL}"),
            employees=data.get("numberofemployees"),
            country=data.get("address1_country"),
            is_customer=_customer(data),
            is_target=data.get(self._target) if self._target else None,
            owner=owner_of(row),
            csm=self._csm_of(data),
        )

    def named(self, name: str) -> list[Ref]:
        """Those of exactly this name that were not merged into others, the oldest first. Dataverse leaves accents out
        of account, we do not."""
        wanted = name.strip().casefold()
        if not wanted:
            return []
        filtered = f"name eq {quoted(name.strip())}"
        columns = ",".join(("accountid", "name", "statecode", *MERGED))
        params = {"$select": columns, "$filter": filtered, "$orderby": "createdon asc"}
        rows = [Row("account", one) for one in self._web.pages("companies_named", SETS["account"][0], params=params)]
        there = [row for row in rows if not row.merged_into]
        fitting = [row for row in there if str(row.data.get("name") or "").strip().casefold() == wanted]
        return [self._web.ref("account", row.id) for row in fitting]

    def read(self, refs: Sequence[Ref], fields: Sequence[str]) -> dict[str, Company]:
        """What is there of these companies now, by the id of their reference. One that was merged into another is
        gone."""
        rows = by_key(self._web, "companies", Kind.COMPANY, refs, self.columns, fields)
        there = [row for row in rows if not row.merged_into]
        return {self._web.ref(row.table, row.id).id: self.company_of(row, fields) for row in there}

    def columns(self, table: str = "account") -> list[str]:
        """The columns that we read."""
        own = [self._domain, self._target, f"_{self._csm}_value" if self._csm else ""]
        return [*_SEEN, *filter(None, own)]

    def company_of(self, row: Row, fields: Sequence[str] = ()) -> Company:
        """A row by our names."""
        data = row.data
        owner = owner_of(row)
        return Company(
            domain=str(data.get(self._domain) or "") if self._domain else domain_of(data),
            name=data.get("name"),
            industry=data.get(f"industrycode{LABEL}"),
            employees=data.get("numberofemployees"),
            country=data.get("address1_country"),
            phone=data.get("telephone1"),
            is_customer=_customer(data),
            is_target=data.get(self._target) if self._target else None,
            owner_email=owner.email if owner else None,
            fields={name: data.get(name) for name in fields},
        )

    def _found(self, domain: str, operation: str) -> Row | None:
        """The account of this domain; of several one that is open, the oldest. Of a merged one that which it became.
        Dataverse finds more than we mean."""
        if self._domain:
            wanted = f"{self._domain} eq {quoted(domain)}"
        else:
            wanted = f"contains(websiteurl,{quoted(domain)}) or endswith(emailaddress1,{quoted(f'@{domain}')})"
        params = {"$select": ",".join(self.columns()), "$filter": wanted, "$orderby": "createdon asc"} | expanded(
            "account"
        )
        rows = [Row("account", one) for one in self._web.pages(operation, SETS["account"][0], params=params)]
        fitting = [row for row in rows if self._domain or domain in (domain_of(row.data), _mail_domain(row.data))]
        became = ends(self._web, operation, fitting, self.columns)
        there = [became.get(row.id, row) for row in fitting]
        there = [row for row in there if not row.merged_into]
        return min(there, key=lambda row: (not row.is_open, domain_of(row.data) != domain), default=None)

    def _written(self, company: Company) -> dict[str, Any]:
        said = {"name": company.name, "employees": company.employees, "country": company.country}
        said |= {"phone": company.phone}
        said = {name: value for name, value in said.items() if value is not None}
        values: dict[str, Any] = {COMPANY_COLUMNS[name]: value or None for name, value in said.items()}
        if company.industry is not None:
            values["industrycode"] = self._industry(company.industry)
        if company.is_customer:
            values["customertypecode"] = CUSTOMER
        if company.is_target is not None and self._target:
            values[self._target] = company.is_target
        values |= self._people.owned_by("upsert_company", company.owner_email)
        return fitted("account", values) | self._fields.fitting("account", company.fields, all_of_them=True)

    def _industry(self, label: str) -> int | None:
        if not label:
            return None
        number = self._fields.choice("account", "industrycode", label)
        if number is None:
            raise InvalidInput(f"Dynamics has no industry {label}", field="industry")
        return number

    def _csm_of(self, data: Any) -> Owner | None:
        id = data.get(f"_{self._csm}_value") if self._csm else None
        if not id:
            return None
        columns = "systemuserid,fullname,internalemailaddress,isdisabled"
        return user_of(self._web.get("account_by_domain", f"systemusers({id})", params={"$select": columns}))


def domain_of(data: Any) -> str:
    """The domain that an account's website names, "" when it names none."""
    host = re.sub(r"^[a-z]+://", "", str(data.get("websiteurl") or "").strip().lower())
    return ascii_domain(re.split(r"[/:?#]", host)[0]).removeprefix("www.")


def _mail_domain(data: Any) -> str:
    return ascii_domain(str(data.get("emailaddress1") or "").rpartition("@")[2])


def _customer(data: Any) -> bool | None:
    kind = data.get("customertypecode")
    return None if kind is None else kind == CUSTOMER
