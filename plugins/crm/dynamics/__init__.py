"""Dynamics 365 Sales, by the Web API of Dataverse."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from plugins.adapter import CheckResult, Rate
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
from plugins.crm.dynamics.activities import Activities
from plugins.crm.dynamics.changes import Deltas
from plugins.crm.dynamics.companies import Companies
from plugins.crm.dynamics.converting import convert
from plugins.crm.dynamics.fields import OURS, Fields, table_of
from plugins.crm.dynamics.people import People, best, owner_of
from plugins.crm.dynamics.web import Web
from plugins.fields import Field, Type
from plugins.microsoft import APP_FIELDS, LOGIN_FIELD, SignIn
from plugins.oauth import Authorized
from plugins.tokens import Granted

_COLUMN = r"[a-z][a-z0-9_]*"


class Dynamics(CRM):
    """A person is a contact or a lead ("contact/<key>", "lead/<key>"). Keys of rows that we make follow from e-mail,
    domain, meeting or delivery, so that making twice makes one."""

    name = "dynamics"
    title = "Dynamics 365 Sales"
    about = "Keeps leads, contacts, accounts, activities and meetings in Dynamics, and reads owners and changes."
    capabilities = frozenset(Capability) - {Capability.HOOKS}
    rate = Rate(1000, 60.0)
    fields = (
        Field(
            "base_url",
            "Address of the environment",
            Type.URL,
            required=True,
            help="Such as https://acme.crm4.dynamics.com.",
        ),
        Field("tenant", "Directory (tenant) ID", required=True, help="Or its domain."),
        *APP_FIELDS,
        Field(
            "new_people",
            "New people are made as",
            choices=("lead", "contact"),
            choice_titles=("Leads", "Contacts"),
            default="lead",
            help="Who is there already is changed where they are.",
        ),
        Field(
            "domain_field",
            "Column of accounts that holds the domain",
            pattern=_COLUMN,
            help="Its logical name, best one with an alternate key. Empty: website and e-mail address are used.",
        ),
        Field("target_field", "Column of accounts that marks targets", pattern=_COLUMN, help="Yes or no."),
        Field("csm_field", "Column of accounts that names who looks after them", pattern=_COLUMN, help="A user."),
        Field(
            "detect_duplicates",
            "Let duplicate detection rules refuse new people and companies",
            Type.BOOLEAN,
            default=False,
        ),
        LOGIN_FIELD,
    )

    def check(self) -> CheckResult:
        us = self._us
        named = self._web.get("check", f"systemusers({us})", params={"$select": "fullname"})
        self._web.get("check", "leads", params={"$select": "leadid", "$top": "1"})
        tracked = self._untracked()
        host = self._web.base.split("://")[-1]
        warnings = [f"Changes of {table}s are not tracked: turn on Track changes." for table in tracked]
        account = f"{named.get('fullname') or us} ({host})"
        return CheckResult(ok=True, account=account, warnings=tuple(warnings), account_id=self._who["OrganizationId"])

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        return self._people.upsert(person)

    def find_by_email(self, email: str) -> list[Ref]:
        found = self._people.found(email, "find_by_email")
        contacts = any(row.table == "contact" for row in found)
        people = [row for row in found if not (contacts and row.became_a_contact)]
        return [self._web.ref(row.table, row.id) for row in people]

    def upsert_company(self, company: Company, *, key: str) -> Ref:
        return self._companies.upsert(company)

    def owner_of(self, email: str) -> Owner | None:
        person = best(self._people.found(email, "owner_of"))
        return owner_of(person) if person else None

    def account_by_domain(self, domain: str) -> Account | None:
        return self._companies.by_domain(domain)

    def companies_named(self, name: str) -> list[Ref]:
        return self._companies.named(name)

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        return self._activities.log(person, activity, key=key)

    def log_meeting(self, person: Ref, meeting: Meeting, *, key: str) -> Ref:
        return self._activities.meet(person, meeting)

    def convert(self, person: Ref, *, key: str, company: Ref | None = None, opportunity: str = "") -> Conversion:
        return convert(self._web, person, company, opportunity)

    def erase(self, person: Ref, *, key: str) -> None:
        self._activities.erase(person)

    def fields_of(self, kind: Kind) -> list[RemoteField]:
        return self._fields.of(table_of(kind, self.config.text("new_people")))

    def people(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Person]:
        return self._people.read(refs, fields)

    def companies(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Company]:
        return self._companies.read(refs, fields)

    def meetings(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        return self._activities.read(refs)

    def changes(self, cursor: str = "", *, limit: int = 200) -> Changes:
        return Deltas(self._web, self._companies, self.http.now(), lambda: self._us).since(cursor, limit)

    @cached_property
    def _web(self) -> Web:
        calls = Authorized(self.http, self.tokens, self._renew)
        base = self.config.text("base_url").rstrip("/")
        return Web(calls, base, OURS, detect_duplicates=bool(self.config["detect_duplicates"]))

    @cached_property
    def _fields(self) -> Fields:
        return Fields(self._web)

    @cached_property
    def _people(self) -> People:
        return People(self._web, self._fields, new=self.config.text("new_people"))

    @cached_property
    def _companies(self) -> Companies:
        own = {name: self.config.text(f"{name}_field") for name in ("domain", "target", "csm")}
        return Companies(self._web, self._fields, self._people, **own)

    @cached_property
    def _activities(self) -> Activities:
        return Activities(self._web, self._people)

    @cached_property
    def _who(self) -> dict[str, str]:
        """Who we are there, and of which organization, by their keys."""
        told = self._web.get("check", "WhoAmI")
        return {name: str(told.get(name) or "") for name in ("UserId", "OrganizationId")}

    @property
    def _us(self) -> str:
        """The key of the application user."""
        return self._who["UserId"]

    def _untracked(self) -> list[str]:
        """Tables whose changes Dataverse does not keep track of."""
        wanted = "LogicalName eq 'lead' or LogicalName eq 'contact' or LogicalName eq 'account'"
        params = {"$select": "LogicalName,ChangeTrackingEnabled", "$filter": wanted}
        found = self._web.pages("check", "EntityDefinitions", params=params, prefer="")
        return [str(one["LogicalName"]) for one in found if not one.get("ChangeTrackingEnabled")]

    def _renew(self, granted: Granted) -> Granted:
        scope = f"{self.config.text('base_url').rstrip('/')}/.default"
        return SignIn.of(self.config).as_application(self.http, scope)
