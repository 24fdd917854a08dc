"""HubSpot: contacts, companies, notes, meetings and deals of one account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from plugins.adapter import CheckResult
from plugins.config import Config
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
from plugins.crm.hubspot import fields, hooks
from plugins.crm.hubspot.api import SEARCH, Api, oauth_of
from plugins.crm.hubspot.changes import changes_since
from plugins.crm.hubspot.check import check
from plugins.crm.hubspot.own import OwnProperty
from plugins.crm.hubspot.owners import Owners
from plugins.crm.hubspot.reading import Reading
from plugins.crm.hubspot.settings import FIELDS
from plugins.crm.hubspot.stages import Stages
from plugins.emails import ascii_domain, fold, stable_id
from plugins.errors import ConfigError, Conflict, Duplicate, InvalidInput, NotFound
from plugins.hooks import Heard, HookCall
from plugins.limits import Rate
from plugins.oauth import OAuth

NOTE_TO_CONTACT, MEETING_TO_CONTACT, DEAL_TO_CONTACT, DEAL_TO_COMPANY = 202, 200, 3, 341
"""HubSpot's numbers of the ways in which two records may belong together."""


class HubSpot(CRM):
    """A person is the contact with their e-mail; a company, note, meeting or deal is the record with our key in a
    property of our own (`hubspot_own`). Nothing that we have just written is looked for in HubSpot's index."""

    name = "hubspot"
    title = "HubSpot"
    about = "Writes people, companies, chats and meetings to HubSpot, and hears what changes there."
    capabilities = frozenset({
        Capability.FIND, Capability.COMPANY, Capability.OWNER, Capability.ACCOUNT, Capability.NAMES,
        Capability.ACTIVITY, Capability.MEETING, Capability.CONVERT, Capability.CHANGES, Capability.ERASE,
        Capability.FIELDS, Capability.READ, Capability.HOOKS,
    })  # fmt: skip
    fields = FIELDS
    rate = Rate(95, 10)
    rates = MappingProxyType({SEARCH: Rate(5, 1.25)})

    @classmethod
    def oauth(cls, config: Config) -> OAuth | None:
        return oauth_of(config) if config.text("client_id") and not config.secret("token") else None

    def check(self) -> CheckResult:
        return check(self._api, self._own)

    def revoke(self) -> None:
        self._api.revoke()

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        email = fold(person.email)
        # without `email`: with a second address of a contact it would make that one the first; a new one gets it by id
        values = fields.of_person(person, self.config) | _owned(self._owners.id_of(person.owner_email))
        values = self._stages.forward("contacts", email, values, by="email")
        found = self._taken(
            person, values, lambda kept: self._api.upsert("upsert_person", "contacts", "email", email, kept, trace=key)
        )
        ref = self._ref(Kind.PERSON, found, created=bool(found.get("new")))
        if person.company_ref:
            self._api.tie("upsert_person", "contacts", ref.id, "companies", person.company_ref.id)
        return ref

    def find_by_email(self, email: str) -> list[Ref]:
        found = self._api.read("find_by_email", "contacts", fold(email), by="email")
        return [self._ref(Kind.PERSON, found)] if found else []

    def upsert_company(self, company: Company, *, key: str) -> Ref:
        domain = ascii_domain(company.domain)
        if "." not in domain:
            raise InvalidInput("a company is found by its domain", field="domain")
        own = self._own.ready("companies")
        values = fields.of_company(company, self.config) | _owned(self._owners.id_of(company.owner_email))
        if csm := self.config.text("csm_property"):
            values |= _owned(self._owners.id_of(company.csm_email), csm)
        known = self._reading.company(domain, ("lifecyclestage",))
        values = self._stages.ahead_of(known, "companies", values)
        if known:
            values = values if known["properties"].get(own) else {**values, own: domain}
            id = known["id"]
            try:
                found = self._taken(
                    company, values, lambda kept: self._api.change("upsert_company", "companies", id, kept)
                )
                return self._ref(Kind.COMPANY, found)
            except (NotFound, Duplicate):
                pass  # it went, or another record took our key, between the two calls
        values |= {own: domain, "domain": domain}
        found = self._taken(
            company, values, lambda kept: self._api.upsert("upsert_company", "companies", own, domain, kept, trace=key)
        )
        return self._ref(Kind.COMPANY, found, created=bool(found.get("new")))

    def owner_of(self, email: str) -> Owner | None:
        found = self._api.read("owner_of", "contacts", fold(email), ("hubspot_owner_id",), by="email")
        return self._owners.by_id(found["properties"].get("hubspot_owner_id")) if found else None

    def account_by_domain(self, domain: str) -> Account | None:
        return self._reading.account(ascii_domain(domain), self._ref)

    def companies_named(self, name: str) -> list[Ref]:
        return [self._ref(Kind.COMPANY, one) for one in self._reading.named(name)]

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        mark = stable_id("act", key)
        values = fields.of_activity(activity)
        made = self._filed("log_activity", "notes", mark, values, person, NOTE_TO_CONTACT)
        if made is None:
            found = self._api.read("log_activity", "notes", mark, by=self._own.name)
            if found is None:
                raise Conflict("HubSpot refused a second note with this key, yet has none")
            return Ref(Kind.ACTIVITY, str(found["id"]))
        return Ref(Kind.ACTIVITY, str(made["id"]), created=True)

    def log_meeting(self, person: Ref, meeting: Meeting, *, key: str) -> Ref:
        own = self._own.ready("meetings")
        values = fields.of_meeting(meeting) | _owned(self._owners.id_of(meeting.owner_email or None))
        if meeting.status != MeetingStatus.BOOKED:
            try:
                return self._meeting(self._api.change("log_meeting", "meetings", meeting.uid, values, by=own))
            except NotFound:
                pass  # nobody has told HubSpot of it before
        made = self._filed("log_meeting", "meetings", meeting.uid, values, person, MEETING_TO_CONTACT)
        if made is None:
            return self._meeting(self._api.change("log_meeting", "meetings", meeting.uid, values, by=own))
        return replace(self._meeting(made), created=True)

    def convert(self, person: Ref, *, key: str, company: Ref | None = None, opportunity: str = "") -> Conversion:
        stage = {"lifecyclestage": "opportunity" if opportunity else "salesqualifiedlead"}
        values = self._stages.forward("contacts", person.id, stage)
        self._api.change("convert", "contacts", person.id, values)
        if company:
            self._api.tie("convert", "contacts", person.id, "companies", company.id)
        if not opportunity:
            return Conversion(person, company)
        own, mark = self._own.ready("deals"), stable_id("opp", person.id, opportunity)
        values = {
            name: self.config.text(setting) for name, setting in (("pipeline", "pipeline"), ("dealstage", "deal_stage"))
        }
        ties = [(person.id, DEAL_TO_CONTACT), *([(company.id, DEAL_TO_COMPANY)] if company else [])]
        try:
            deal = self._api.create("convert", "deals", {**values, "dealname": opportunity, own: mark}, ties)
            return Conversion(person, company, self._ref(Kind.OPPORTUNITY, deal, created=True))
        except Duplicate as duplicate:
            found = self._api.read("convert", "deals", mark, by=own)
            if found is None:
                raise duplicate
            return Conversion(person, company, self._ref(Kind.OPPORTUNITY, found))

    def erase(self, person: Ref, *, key: str) -> None:
        for kind in ("notes", "meetings"):
            own = self._own.name
            ids = self._api.tied("erase", "contacts", person.id, kind)
            ours = [one["id"] for one in self._api.read_all("erase", kind, ids, [own]) if one["properties"].get(own)]
            self._api.archive("erase", kind, ours)
        self._api.forget("erase", person.id)

    def fields_of(self, kind: Kind) -> list[RemoteField]:
        return self._reading.fields_of(kind)

    def people(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Person]:
        return self._reading.people(refs, fields)

    def companies(self, refs: Sequence[Ref], *, fields: Sequence[str] = ()) -> dict[str, Company]:
        return self._reading.companies(refs, fields)

    def meetings(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        return self._reading.meetings(refs)

    def changes(self, cursor: str = "", *, limit: int = 200) -> Changes:
        return changes_since(self._api, self._reading, cursor, limit)

    def hear(self, call: HookCall) -> Heard:
        return hooks.hear(call, self.config.secret("client_secret") or call.secret, self._api.account().get("portalId"))

    def told(self, data: Mapping[str, Any]) -> tuple[Change, ...]:
        return hooks.told(data, self._reading)

    @cached_property
    def _api(self) -> Api:
        return Api(self.config, self.http, self.records, self.tokens)

    @cached_property
    def _own(self) -> OwnProperty:
        return OwnProperty(self._api, self.config.text("key_property"))

    @cached_property
    def _owners(self) -> Owners:
        return Owners(self._api)

    @cached_property
    def _stages(self) -> Stages:
        return Stages(self._api)

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self._api, self.config, self._owners)

    def _taken(
        self, given: Person | Company, values: dict[str, str], write: Callable[[dict[str, str]], dict[str, Any]]
    ) -> dict[str, Any]:
        """What `write` makes of as many of `values` as this account takes."""
        try:
            return write(values)
        except (InvalidInput, ConfigError) as error:
            milder = fields.milder(error, values, given)
            if milder is None:
                raise
        return self._taken(given, milder, write)

    def _filed(
        self, operation: str, kind: str, mark: str, values: Mapping[str, str], person: Ref, tie: int
    ) -> dict[str, Any] | None:
        """A new record under the person, with our mark; None when the mark is taken: this was done before."""
        own = self._own.ready(kind)
        try:
            return self._api.create(operation, kind, {**values, own: mark}, [(person.id, tie)])
        except Duplicate:
            return None
        except (InvalidInput, NotFound) as error:
            if self._api.read(operation, "contacts", person.id) is None:
                raise NotFound(f"there is no contact {person.id}", http_status=404) from error
            raise

    def _meeting(self, found: Mapping[str, Any]) -> Ref:
        return Ref(Kind.MEETING, str(found["id"]))

    def _ref(self, kind: Kind, found: Mapping[str, Any], *, created: bool = False) -> Ref:
        return Ref(kind, str(found["id"]), self._api.page(kind, found), created)


def _owned(id: str | None, property: str = "hubspot_owner_id") -> dict[str, str]:
    return {} if id is None else {property: id}
