"""Our values in Salesforce's fields and back: people as leads and contacts, companies as accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from plugins.config import Config
from plugins.crm import Account, Company, Kind, Owner, Person, Ref
from plugins.crm.salesforce.errors import Names
from plugins.crm.salesforce.rows import ACCOUNT, CONTACT, LEAD
from plugins.crm.salesforce.soql import field_name, moment
from plugins.emails import ascii_domain

UNKNOWN_COMPANY = "[not provided]"
"""What Salesforce itself writes where a lead has no company, which it demands."""
LONGEST = {
    "first_name": 40, "last_name": 80, "title": 128, "phone": 40, "company": 255, "name": 255, "country": 80,
}  # fmt: skip
"""The longest texts of standard fields that visitors type, by our names (object reference: Lead, Contact, Account). The
rest is cut off, with a mark: it must not keep the person from being written. Further fields keep what was mapped."""
_BOTH = {"email": "Email", "first_name": "FirstName", "last_name": "LastName", "phone": "Phone", "title": "Title"}
_COMPANY = {"name": "Name", "industry": "Industry", "employees": "NumberOfEmployees", "phone": "Phone"}


class Shape:
    """How this org keeps what we know, by the settings."""

    def __init__(self, config: Config) -> None:
        code = "Code" if config["country_codes"] else ""
        opted_out = {"opted_out": field} if (field := _chosen(config, "opt_out_field")) else {}
        both = {**_BOTH, "source": "LeadSource", **opted_out}
        self.names: dict[str, dict[str, str]] = {
            LEAD: {**both, "company": "Company", "country": f"Country{code}", "status": "Status"},
            CONTACT: {**both, "country": f"MailingCountry{code}"},
            ACCOUNT: {**_COMPANY, "country": f"BillingCountry{code}", "domain": "Website"},
        }
        self._customer_field, self._customer = _chosen(config, "customer_field"), set(config["customer_values"] or ())
        self._target, self._csm = config.text("target_field"), config.text("csm_field")

    def names_of(self, sobject: str) -> Names:
        """What we call a field of theirs; for errors, and to map fields."""
        back = {theirs: ours for ours, theirs in self.names.get(sobject, {}).items()}
        flags = {self._customer_field: "is_customer", self._target: "is_target", self._csm: "csm_email"}
        further = {name: ours for name, ours in flags.items() if name and sobject == ACCOUNT}
        return {**back, **further, "OwnerId": "owner_email"}

    @property
    def never_written(self) -> str:
        """The field that only people at Salesforce write."""
        return self._customer_field

    def person(self, sobject: str, person: Person, *, there: bool) -> dict[str, Any]:
        """What to write of a person. `there`: the record exists, so that what it must have is not made up."""
        first, last = _names_of(person, there=there)
        given = {
            "first_name": first, "last_name": last or None, "phone": person.phone, "title": person.title,
            "company": person.company or None, "country": person.country, "source": person.source,
            "opted_out": person.opted_out, "status": person.status or None,
        }  # fmt: skip
        body = self._body(sobject, given, person.fields)
        if not there:
            body.setdefault("LastName", person.email.partition("@")[0].strip())
        if not there and sobject == LEAD:
            body.setdefault("Company", UNKNOWN_COMPANY)
        return body

    def company(self, company: Company, *, there: bool) -> dict[str, Any]:
        """What to write of a company. Whether it is a customer is Salesforce's to say."""
        given = {
            "name": company.name or None, "industry": company.industry, "employees": company.employees,
            "country": company.country, "phone": company.phone,
            "domain": None if there else ascii_domain(company.domain),
        }  # fmt: skip
        body = self._body(ACCOUNT, given, company.fields)
        if self._target and company.is_target is not None:
            body[self._target] = company.is_target
        if not there:
            body.setdefault("Name", ascii_domain(company.domain))
        return body

    @property
    def csm_field(self) -> str:
        """The field of accounts that leads to the customer success manager, "" when there is none."""
        return self._csm

    def columns(self, sobject: str, extra: Iterable[str] = ()) -> list[str]:
        """What to ask for, so that `person_of`, `company_of` and `account_of` can read it."""
        columns = ["Id", *self.names[sobject].values(), "OwnerId", "Owner.Email", "Owner.Name", "Owner.IsActive"]
        if sobject == LEAD:
            columns += ["IsConverted", "ConvertedContactId"]
        if sobject == CONTACT:
            columns += ["AccountId", "Account.Name"]
        if sobject == ACCOUNT:
            columns += [self._customer_field] if self._customer_field else []
            columns += [self._target] if self._target else []
            columns += [f"{_relation(self._csm)}.{part}" for part in ("Id", "Email", "Name", "IsActive") if self._csm]
        columns += [plain for name in extra if (plain := plain_name(name, sobject))]
        return list(dict.fromkeys(columns))

    def person_of(self, sobject: str, row: Mapping[str, Any], extra: Iterable[str] = ()) -> Person:
        """A lead or contact in our words."""
        told = {ours: row.get(theirs) for ours, theirs in self.names[sobject].items()}
        names = [part for part in (told["first_name"], told["last_name"]) if part]
        company = told.get("company") if sobject == LEAD else (row.get("Account") or {}).get("Name")
        at = str(row.get("AccountId") or "")
        return Person(
            email=told["email"] or "", name=" ".join(names) or None, first_name=told["first_name"],
            last_name=told["last_name"], phone=told["phone"], title=told["title"], country=told["country"],
            company=None if company == UNKNOWN_COMPANY else company, company_ref=Ref(Kind.COMPANY, at) if at else None,
            status=told.get("status"), source=told["source"], owner_email=owner_email(row),
            opted_out=told.get("opted_out"), fields=_extra(row, extra, sobject),
        )  # fmt: skip

    def company_of(self, row: Mapping[str, Any], extra: Iterable[str] = ()) -> Company:
        """An account in our words."""
        told = {ours: row.get(theirs) for ours, theirs in self.names[ACCOUNT].items()}
        csm = self.csm(row)
        return Company(
            domain=host_of(told["domain"] or ""), name=told["name"], industry=told["industry"],
            employees=told["employees"], country=told["country"], phone=told["phone"],
            is_customer=self.is_customer(row), is_target=row.get(self._target) if self._target else None,
            owner_email=owner_email(row), csm_email=csm.email if csm else None, fields=_extra(row, extra, ACCOUNT),
        )  # fmt: skip

    def account_of(self, row: Mapping[str, Any], domain: str, ref: Ref) -> Account:
        """An account with its people."""
        company = self.company_of(row)
        return Account(
            ref=ref, domain=domain, name=company.name or "", industry=company.industry, employees=company.employees,
            country=company.country, is_customer=company.is_customer, is_target=company.is_target,
            owner=owner_of(row), csm=self.csm(row),
        )  # fmt: skip

    def is_customer(self, row: Mapping[str, Any]) -> bool | None:
        """By the values that mean so; a checkbox means itself; an empty field is not known."""
        said = row.get(self._customer_field) if self._customer_field else None
        return said if said is None or isinstance(said, bool) else said in self._customer

    def csm(self, row: Mapping[str, Any]) -> Owner | None:
        """The customer success manager of an account."""
        found = row.get(_relation(self._csm)) if self._csm else None
        return _user(found, str(found.get("Id", ""))) if found else None

    def _body(self, sobject: str, given: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
        names = self.names[sobject]
        body = {
            names[ours]: _sent(cut(value, LONGEST[ours]) if ours in LONGEST else value)
            for ours, value in given.items()
            if value is not None and ours in names
        }
        for name, value in further.items():
            if value is not None and (plain := plain_name(name, sobject)):
                body[plain] = _sent(value)
        return body


def cut(text: str, most: int) -> str:
    """No more than so many characters, the last of them a mark where something is left out."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def pairs(items: Iterable[str]) -> dict[str, str]:
    """A list setting of `ours=theirs`."""
    return {ours.strip(): theirs.strip() for ours, _, theirs in (item.partition("=") for item in items) if theirs}


def _chosen(config: Config, name: str) -> str:
    """A field that has a usual name, "" for `none`."""
    return "" if config.text(name).lower() == "none" else config.text(name)


def plain_name(name: str, sobject: str) -> str:
    """The field that `name` is of this kind of record; "" when it names another kind (`Contact.Level__c`)."""
    of, _, field = name.rpartition(".")
    return field_name(field) if of in ("", sobject) else ""


def owner_of(row: Mapping[str, Any]) -> Owner | None:
    """The user who owns a record; None where a queue does: nobody has taken it yet."""
    id, owner = str(row.get("OwnerId") or ""), row.get("Owner") or {}
    return _user(owner, id) if id.startswith("005") else None


def owner_email(row: Mapping[str, Any]) -> str | None:
    """The owner's address, None where a queue is."""
    owner = owner_of(row)
    return owner.email if owner else None


def host_of(website: str) -> str:
    """The host of a website as people write them: with or without https:// and www."""
    host = website.strip().partition("://")[2] or website.strip()
    for end in "/?#":
        host = host.partition(end)[0]
    return ascii_domain(host.rpartition("@")[2].partition(":")[0]).removeprefix("www.")


def _user(told: Mapping[str, Any], id: str) -> Owner:
    return Owner(
        id, str(told.get("Email") or ""), str(told.get("Name") or ""), active=told.get("IsActive") is not False
    )


def _relation(field: str) -> str:
    return f"{field.removesuffix('__c')}__r" if field.endswith("__c") else field.removesuffix("Id")


def _extra(row: Mapping[str, Any], extra: Iterable[str], sobject: str) -> dict[str, Any]:
    return {name: row.get(plain) for name in extra if (plain := plain_name(name, sobject))}


def _sent(value: Any) -> Any:
    """A value as JSON says it; "" clears."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return ";".join(str(one) for one in value) or None
    return None if value == "" else value


def _names_of(person: Person, *, there: bool) -> tuple[str | None, str | None]:
    """First and last name. Of a name in one word nobody knows which it is: it makes no new last name of one that is
    there."""
    if person.first_name is not None or person.last_name is not None:
        return person.first_name, person.last_name
    first, _, last = (person.name or "").strip().rpartition(" ")
    if first:
        return first.strip(), last
    return None, None if there else last or None
