"""The CRM for those who have none: people, companies, activities, meetings and owners, kept in our own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from plugins.adapter import CheckResult
from plugins.crm import (
    CRM,
    Account,
    Activity,
    Capability,
    Company,
    Conversion,
    Kind,
    Meeting,
    Owner,
    Person,
    Ref,
)
from plugins.emails import ascii_domain, fold, stable_id
from plugins.errors import InvalidInput, NotFound
from plugins.records import Record, change

PERSON, COMPANY, ACTIVITY, MEETING, OPPORTUNITY = (f"crm.{kind}" for kind in Kind)
KEYS_KEPT = 20
"""How many delivery keys a record remembers, so that a late repeat of an old write does not undo a newer one."""


class BuiltinCRM(CRM):
    """One record per folded e-mail, domain, meeting uid and activity key."""

    name = "builtin"
    title = "Built-in CRM"
    about = "Keeps people, companies, activities and meetings in Usher's own database."
    capabilities = frozenset(Capability) - {
        Capability.CHANGES, Capability.FIELDS, Capability.READ, Capability.HOOKS,
    }  # fmt: skip

    def check(self) -> CheckResult:
        self.records.list(PERSON, limit=1)
        return CheckResult(ok=True, account=self.title)

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        id = self.ref_of(person.email).id
        return self._upsert(Kind.PERSON, id, {"email": person.email.strip(), **_said(person, "email")}, key)

    def upsert_company(self, company: Company, *, key: str) -> Ref:
        domain = ascii_domain(company.domain)
        if "." not in domain:
            raise InvalidInput("a company is found by its domain", field="domain")
        return self._upsert(Kind.COMPANY, stable_id("com", domain), {"domain": domain, **_said(company, "domain")}, key)

    def find_by_email(self, email: str) -> list[Ref]:
        person = self._person(email)
        return [Ref(Kind.PERSON, person["id"])] if person else []

    def owner_of(self, email: str) -> Owner | None:
        return _owner((self._person(email) or {}).get("owner_email"))

    def account_by_domain(self, domain: str) -> Account | None:
        found = self.records.get(COMPANY, stable_id("com", ascii_domain(domain)))
        return _account(found) if found else None

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        self._hold_to_person(person)
        id = stable_id("act", key)
        value = {"id": id, "person": person.id, **asdict(activity), "at": activity.at.isoformat()}
        return Ref(Kind.ACTIVITY, id, created=self.records.put(ACTIVITY, id, value, new=True))

    def log_meeting(self, person: Ref, meeting: Meeting, *, key: str) -> Ref:
        self._hold_to_person(person)
        times = {"start": meeting.start.isoformat(), "end": meeting.end.isoformat()}
        value = {"person": person.id, **asdict(meeting), **times}
        return self._upsert(Kind.MEETING, stable_id("met", meeting.uid), value, key)

    def convert(self, person: Ref, *, key: str, company: Ref | None = None, opportunity: str = "") -> Conversion:
        self._hold_to_person(person)
        self._upsert(Kind.PERSON, person.id, {"converted": True, "company_ref": company and asdict(company)}, key)
        if not opportunity:
            return Conversion(person, company)
        value = {"name": opportunity, "person": person.id, "company": company.id if company else None}
        deal = self._upsert(Kind.OPPORTUNITY, stable_id("opp", person.id, opportunity), value, key)
        return Conversion(person, company, deal)

    def erase(self, person: Ref, *, key: str) -> None:
        for kind in (ACTIVITY, MEETING, OPPORTUNITY):
            for record in self.records.find(kind, {"person": person.id}):
                self.records.delete(kind, record["id"])
        self.records.delete(PERSON, person.id)

    def ref_of(self, email: str) -> Ref:
        """What a person with this e-mail is known by here, whether there is one or not."""
        return Ref(Kind.PERSON, stable_id("per", fold(email)))

    def _person(self, email: str) -> Record | None:
        return self.records.get(PERSON, stable_id("per", fold(email)))

    def _hold_to_person(self, person: Ref) -> None:
        if person.kind != Kind.PERSON or self.records.get(PERSON, person.id) is None:
            raise NotFound(f"there is no person {person.id}")

    def _upsert(self, kind: Kind, id: str, values: Mapping[str, Any], key: str) -> Ref:
        """Lay `values` over the record, unless this key has done so before."""

        def laid_over(there: Record | None) -> Record:
            if there is None:
                return {"id": id, **values, "keys": [key]}
            if key in there["keys"]:
                return there
            fields = {**there.get("fields", {}), **values.get("fields", {})}
            keys = [*there["keys"], key][-KEYS_KEPT:]
            return {**there, **values, **({"fields": fields} if fields else {}), "keys": keys}

        return Ref(kind, id, created=change(self.records, f"crm.{kind}", id, laid_over).before is None)


def _said(value: Person | Company, identity: str) -> Record:
    """What the caller wants written: everything that is not None, without what the record is found by."""
    return {name: said for name, said in asdict(value).items() if said is not None and name != identity}


def _owner(email: str | None) -> Owner | None:
    return Owner(id=email, email=email) if email else None


def _account(found: Record) -> Account:
    return Account(
        ref=Ref(Kind.COMPANY, found["id"]),
        domain=found["domain"],
        name=found.get("name", ""),
        industry=found.get("industry"),
        employees=found.get("employees"),
        country=found.get("country"),
        is_customer=found.get("is_customer"),
        is_target=found.get("is_target"),
        owner=_owner(found.get("owner_email")),
        csm=_owner(found.get("csm_email")),
    )
