"""Salesforce by its REST API: leads and contacts, accounts, tasks and events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from plugins.adapter import CheckResult
from plugins.config import Config
from plugins.crm import (
    CRM,
    Account,
    Activity,
    Capability,
    Changes,
    Company,
    Conversion,
    Kind,
    Meeting,
    Owner,
    Person,
    Ref,
    RemoteField,
)
from plugins.crm.salesforce.accounts import Accounts
from plugins.crm.salesforce.activities import Activities
from plugins.crm.salesforce.changes import changes_of
from plugins.crm.salesforce.check import checked
from plugins.crm.salesforce.claims import Claims
from plugins.crm.salesforce.converting import convert
from plugins.crm.salesforce.erasing import erase
from plugins.crm.salesforce.fields import described, merged, remote_fields
from plugins.crm.salesforce.following import watched
from plugins.crm.salesforce.people import People
from plugins.crm.salesforce.rows import ACCOUNT, CONTACT, EVENT, LEAD, Rows, Written, kind_of
from plugins.crm.salesforce.session import BROWSER, Session, oauth_of
from plugins.crm.salesforce.settings import FIELDS
from plugins.crm.salesforce.soql import listed, select
from plugins.crm.salesforce.values import Shape
from plugins.errors import InvalidInput, UnsupportedFeature
from plugins.http import Http
from plugins.oauth import OAuth
from plugins.records import Records
from plugins.tokens import Tokens

ALL = frozenset(Capability) - {Capability.HOOKS}
IN_ONE_QUERY = 200


class Salesforce(CRM):
    """People are contacts and leads, found by e-mail address; companies are accounts, found by domain.

    `capabilities` of an opened adapter are those its settings allow: converting needs an Apex service of the org, and
    activities and meetings need an external id field.
    """

    name = "salesforce"
    title = "Salesforce"
    about = "Writes leads, contacts, accounts, tasks and events, and hears of what changes there."
    capabilities = ALL
    fields = FIELDS

    def __init__(
        self, config: Config, *, records: Records, http: Http | None = None, tokens: Tokens | None = None
    ) -> None:
        super().__init__(config, records=records, http=http, tokens=tokens)
        needed = {
            "convert_path": (Capability.CONVERT,),
            "activity_id_field": (Capability.ACTIVITY, Capability.MEETING),
        }
        lacking = {one for setting, those in needed.items() if not config[setting] for one in those}
        self.__dict__["capabilities"] = ALL - lacking

    def check(self) -> CheckResult:
        return checked(self._session, self.config, self._shape)

    @classmethod
    def oauth(cls, config: Config) -> OAuth | None:
        return oauth_of(config) if config.text("sign_in") == BROWSER else None

    def revoke(self) -> None:
        self._session.revoke()

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        return self._ref(Kind.PERSON, self._people.upsert(person))

    def find_by_email(self, email: str) -> list[Ref]:
        return [self._ref(Kind.PERSON, id) for id in self._people.find(email)]

    def upsert_company(self, company: Company, *, key: str) -> Ref:
        return self._ref(Kind.COMPANY, self._accounts.upsert(company))

    def owner_of(self, email: str) -> Owner | None:
        return self._people.owner(email)

    def account_by_domain(self, domain: str) -> Account | None:
        row = self._accounts.by_domain(domain)
        return self._shape.account_of(row, domain.strip().lower(), self._ref(Kind.COMPANY, row["Id"])) if row else None

    def companies_named(self, name: str) -> list[Ref]:
        return [self._ref(Kind.COMPANY, id) for id in self._accounts.named(name)]

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        return self._ref(Kind.ACTIVITY, self._activities.log(person.id, activity, key))

    def log_meeting(self, person: Ref, meeting: Meeting, *, key: str) -> Ref:
        return self._ref(Kind.MEETING, self._activities.meet(person.id, meeting))

    def convert(self, person: Ref, *, key: str, company: Ref | None = None, opportunity: str = "") -> Conversion:
        path = self.config.text("convert_path")
        if not path:
            said = "Converting leads needs an Apex service in Salesforce: set its path."
            raise UnsupportedFeature("no convert_path", user_message=said).at("crm.salesforce", "convert")
        contact, account, deal = convert(self._session, path, person.id, company.id if company else "", opportunity)
        return Conversion(
            self._ref(Kind.PERSON, contact),
            self._ref(Kind.COMPANY, account) if account else company,
            self._ref(Kind.OPPORTUNITY, deal) if deal else None,
        )

    def erase(self, person: Ref, *, key: str) -> None:
        erase(self._session, person.id)

    def fields_of(self, kind: Kind) -> list[RemoteField]:
        names = self._shape.names_of
        if kind == Kind.COMPANY:
            of_accounts = described(self._session, "fields_of", ACCOUNT)
            return remote_fields(of_accounts, names(ACCOUNT), self._shape.never_written)
        if kind != Kind.PERSON:
            raise InvalidInput(f"there are no fields to map of {kind}", field="kind")
        leads, contacts = (
            remote_fields(described(self._session, "fields_of", one), names(one)) for one in (LEAD, CONTACT)
        )
        return merged(leads, contacts)

    def people(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Person]:
        shape = self._shape
        return {
            row["Id"]: shape.person_of(sobject, row, fields)
            for sobject in (LEAD, CONTACT)
            for row in self._rows_of("people", sobject, refs, shape.columns(sobject, fields))
        }

    def companies(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Company]:
        found = self._rows_of("companies", ACCOUNT, refs, self._shape.columns(ACCOUNT, fields))
        return {row["Id"]: self._shape.company_of(row, fields) for row in found}

    def meetings(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        found = self._rows_of("meetings", EVENT, refs, self._activities.columns())
        return {row["Id"]: self._activities.meeting_of(row) for row in found}

    def changes(self, cursor: str = "", *, limit: int = 200) -> Changes:
        extra, field = self.config["changed_fields"] or (), self.config.text("activity_id_field")
        followed = tuple(watched(self._shape, self._activities, extra, self._ref, field))
        return changes_of(self._session, followed, cursor, limit)

    def _rows_of(self, operation: str, sobject: str, refs: Sequence[Ref], columns: Sequence[str]) -> Iterable[Any]:
        """What is there of these records, those of one kind."""
        ids = [ref.id for ref in refs if kind_of(ref.id) == sobject]
        for n in range(0, len(ids), IN_ONE_QUERY):
            some = listed(ids[n : n + IN_ONE_QUERY])
            soql = select(columns, sobject, f"Id IN {some}")
            yield from self._session.query(operation, soql, names=self._shape.names_of(sobject))

    def _ref(self, kind: Kind, record: Written | str) -> Ref:
        id, created = (record, False) if isinstance(record, str) else (record.id, record.created)
        return Ref(kind, id, self._session.address(id), created)

    @cached_property
    def _session(self) -> Session:
        return Session(self.config, self.http, self.tokens)

    @cached_property
    def _shape(self) -> Shape:
        return Shape(self.config)

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self._session, save_warned=self.config["save_warned_duplicates"])

    @cached_property
    def _claims(self) -> Claims:
        return Claims(self.records, self._session.http.now)

    @cached_property
    def _people(self) -> People:
        return People(self._session, self._rows, self._shape, self.config, self._claims)

    @cached_property
    def _accounts(self) -> Accounts:
        return Accounts(self._session, self._rows, self._shape, self.config, self._claims)

    @cached_property
    def _activities(self) -> Activities:
        return Activities(self._session, self._rows, self.config)
