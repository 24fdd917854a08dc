"""The CRM for those who have none: people, companies, activities, meetings and owners, kept in our own records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from plugins.adapter import CheckResult
from plugins.crm import (
    CRM,
    Account,
    Activity,
    Capability,
    Change,
    Changes,
    Company,
    Conversion,
    Kind,
    Meeting,
    MeetingStatus,
    Owner,
    Person,
    Ref,
    RemoteField,
)
from plugins.crm.builtin_fields import FIELDS
from plugins.emails import ascii_domain, fold, stable_id
from plugins.errors import CursorExpired, InvalidInput, NotFound
from plugins.records import Record, append, change

PERSON, COMPANY, ACTIVITY, MEETING, OPPORTUNITY = (f"crm.{kind}" for kind in Kind)
LOG = "crm.log"
KEYS_KEPT = 20
"""How many delivery keys a record remembers, so that a late repeat of an old write does not undo a newer one."""
PAGE = 500
Held = TypeVar("Held", Person, Company)


class BuiltinCRM(CRM):
    """One record per folded e-mail, domain, meeting uid and activity key."""

    name = "builtin"
    title = "Built-in CRM"
    about = "Keeps people, companies, activities and meetings in Usher's own database."
    capabilities = frozenset(Capability) - {Capability.HOOKS}
    makes_fields = True

    def check(self) -> CheckResult:
        self.records.list(PERSON, limit=1)
        return CheckResult(ok=True, account=self.title, account_id=self.name)

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

    def companies_named(self, name: str) -> list[Ref]:
        wanted = name.strip().casefold()
        named = [found for found in self._all(COMPANY) if str(found.get("name", "")).strip().casefold() == wanted]
        return [Ref(Kind.COMPANY, found["id"]) for found in named] if wanted else []

    def fields_of(self, kind: Kind) -> list[RemoteField]:
        listed = list(FIELDS.get(kind, ()))
        known = {field.name for field in listed}
        made = dict.fromkeys(name for record in self._all(f"crm.{kind}") for name in record.get("fields", {}))
        return [*listed, *(RemoteField(name, name, custom=True) for name in made if name not in known)]

    def people(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Person]:
        return {id: _held(Person, record, fields) for id, record in self._read(PERSON, refs)}

    def companies(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Company]:
        return {id: _held(Company, record, fields) for id, record in self._read(COMPANY, refs)}

    def meetings(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        return {id: _meeting(record) for id, record in self._read(MEETING, refs)}

    def changes(self, cursor: str = "", *, limit: int = 200) -> Changes:
        if cursor and self.records.get(LOG, cursor) is None:
            raise CursorExpired(f"no entry {cursor} in the log of changes")
        entries = self.records.list(LOG, after=cursor, limit=limit + 1)
        page = entries[:limit]
        items = tuple(self._changed(entry) for _, entry in page)
        return Changes(items, page[-1][0] if page else cursor, more=len(entries) > limit)

    def edit(self, ref: Ref, values: Mapping[str, Any]) -> None:
        """Somebody changes a person or company by hand: `values` by our names where there is one, else as fields."""
        own = {name: value for name, value in values.items() if name in _NAMES[ref.kind]}
        further = {name: value for name, value in values.items() if name not in own}

        def edited(there: Record | None) -> Record:
            if there is None:
                raise NotFound(f"there is no {ref.kind} {ref.id}")
            return {**there, **own, **({"fields": {**there.get("fields", {}), **further}} if further else {})}

        change(self.records, f"crm.{ref.kind}", ref.id, edited)
        self._note(ref, values, ours=False)

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
        if self.records.delete(PERSON, person.id):
            self._note(person, {}, ours=True, deleted=True)

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

        step, ref = change(self.records, f"crm.{kind}", id, laid_over), Ref(kind, id)
        if step.before != step.now and kind in FIELDS:
            self._note(ref, _flat(values), ours=True)
        return Ref(kind, id, created=step.before is None)

    def _note(self, ref: Ref, values: Mapping[str, Any], *, ours: bool, deleted: bool = False) -> None:
        """The log names what changed; the values are looked up when it is read, so that what is erased is gone."""
        at = datetime.now(UTC).isoformat()
        entry = {"kind": ref.kind, "id": ref.id, "at": at, "names": sorted(values), "ours": ours, "deleted": deleted}
        append(self.records, LOG, entry)

    def _changed(self, entry: Record) -> Change:
        now = _flat(self.records.get(f"crm.{entry['kind']}", entry["id"]) or {})
        values = {name: now[name] for name in entry["names"] if name in now}
        ref, at = Ref(Kind(entry["kind"]), entry["id"]), datetime.fromisoformat(entry["at"])
        return Change(ref, at, values, deleted=entry["deleted"], ours=entry["ours"])

    def _read(self, kind: str, refs: Sequence[Ref]) -> Iterator[tuple[str, Record]]:
        for ref in refs:
            record = self.records.get(kind, ref.id)
            if record is not None:
                yield ref.id, record

    def _all(self, kind: str) -> Iterator[Record]:
        after = ""
        while rows := self.records.list(kind, after=after, limit=PAGE):
            yield from (record for _, record in rows)
            after = rows[-1][0]


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


_NAMES = {
    Kind.PERSON: {field.name for field in fields(Person)} - {"email", "fields", "company_ref"},
    Kind.COMPANY: {field.name for field in fields(Company)} - {"domain", "fields"},
}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was written, fields of their own beside ours."""
    own = {name: value for name, value in values.items() if name not in ("fields", "company_ref", "keys", "id")}
    return {**own, **values.get("fields", {})}


def _held(kind: type[Held], record: Record, wanted: Sequence[str]) -> Held:
    """The record in our dataclass; "" and nothing are both no value."""
    names = {field.name for field in fields(kind)} - {"fields", "company_ref"}
    own: dict[str, Any] = {name: record.get(name) or None for name in names if record.get(name) is not False}
    own |= {name: False for name in names if record.get(name) is False}
    further = {name: value for name, value in record.get("fields", {}).items() if name in wanted}
    company = record.get("company_ref")
    ref: dict[str, Any] = {"company_ref": company and Ref(Kind.COMPANY, company["id"])} if kind is Person else {}
    return kind(**own, **ref, fields=further)


def _meeting(record: Record) -> Meeting:
    own = {field.name: record[field.name] for field in fields(Meeting)}
    start, end = (datetime.fromisoformat(own[name]) for name in ("start", "end"))
    typed = {"start": start, "end": end, "status": MeetingStatus(own["status"]), "guests": tuple(own["guests"])}
    return Meeting(**{**own, **typed})
