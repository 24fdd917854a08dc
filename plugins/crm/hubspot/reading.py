"""What HubSpot holds: companies by domain, records by id, and the properties there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from plugins.config import Config
from plugins.crm import Account, Company, Kind, Meeting, Person, Ref, RemoteField
from plugins.crm.hubspot import found as found_as
from plugins.crm.hubspot.api import VERSION, Api, path
from plugins.crm.hubspot.fields import COMPANY, MEETING, OPTIONAL, PERSON, TYPES
from plugins.crm.hubspot.own import PROPERTIES
from plugins.crm.hubspot.owners import Owners
from plugins.errors import ConfigError, InvalidInput, NotFound, PermissionDenied

OLDEST = {"propertyName": "createdate", "direction": "ASCENDING"}
OBJECT_SCHEMAS = f"/crm-object-schemas/{VERSION}/schemas"


class Reading:
    """Of one open adapter."""

    def __init__(self, api: Api, config: Config, owners: Owners) -> None:
        self._api, self.config, self.owners = api, config, owners

    def company(self, domain: str, properties: Sequence[str] = ()) -> dict[str, Any] | None:
        """The record of a domain: the one with our key, else the oldest that others made. The index that finds the
        latter lags, but what we made ourselves is never looked for there."""
        own = self.config.text("key_property")
        wanted = [own, *properties]
        try:
            found = self._api.read("company", "companies", domain, wanted, by=own)
        except (InvalidInput, ConfigError):  # there is no such property yet
            found = None
        if found:
            return found
        named = {"propertyName": "domain", "operator": "EQ", "value": domain}
        told = self._api.search(
            "company", "companies", filterGroups=[{"filters": [named]}], sorts=[OLDEST], properties=wanted, limit=1
        )
        return next(iter(told["results"]), None)

    def named(self, name: str) -> list[dict[str, Any]]:
        """Companies of exactly this name, the oldest first; HubSpot's own idea of equal is wider than ours."""
        asked = {"propertyName": "name", "operator": "EQ", "value": name.strip()}
        told = self._api.search(
            "companies_named", "companies", filterGroups=[{"filters": [asked]}], sorts=[OLDEST], properties=["name"]
        )
        wanted = name.strip().casefold()
        return [one for one in told["results"] if str(one["properties"].get("name")).strip().casefold() == wanted]

    def account(self, domain: str, ref_of: Callable[[Kind, Mapping[str, Any]], Ref]) -> Account | None:
        """The company of this domain with who owns it."""
        found = self.company(domain, self._properties(Kind.COMPANY))
        if found is None:
            return None
        one, of = self.company_as(found), found["properties"]
        csm = self.config.text("csm_property")
        return Account(
            ref=ref_of(Kind.COMPANY, found),
            domain=domain,
            name=one.name or "",
            industry=one.industry,
            employees=one.employees,
            country=one.country,
            is_customer=one.is_customer,
            is_target=one.is_target,
            owner=self.owners.by_id(of.get("hubspot_owner_id")),
            csm=self.owners.by_id(of.get(csm)) if csm else None,
        )

    def people(self, refs: Sequence[Ref], fields: Sequence[str] = ()) -> dict[str, Person]:
        return {id: self.person_as(one, fields) for id, one in self._all(Kind.PERSON, refs, fields).items()}

    def companies(self, refs: Sequence[Ref], fields: Sequence[str] = ()) -> dict[str, Company]:
        return {id: self.company_as(one, fields) for id, one in self._all(Kind.COMPANY, refs, fields).items()}

    def meetings(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        own = self.config.text("key_property")
        found = self._api.read_all("read", "meetings", [ref.id for ref in refs], (*MEETING, own))
        return {str(one["id"]): self._meeting_as(one, own) for one in found}

    def went_into(self, kind: Kind, ids: Sequence[str]) -> dict[str, str]:
        """Of these records in the bin, those that were merged: with the id of the record that they went into."""
        found = self._api.read_all("changes", TYPES[kind], ids, [found_as.MERGED])
        return {id: str(one["id"]) for one in found for id in found_as.merged(one) if id in ids}

    def fields_of(self, kind: Kind) -> list[RemoteField]:
        """The properties that are not hidden, in the order of the account."""
        type = TYPES[kind]
        told = self._api.call("fields_of", "GET", path(PROPERTIES, type))["results"]
        shown = [one for one in told if not (one.get("hidden") or one.get("archived"))]
        required = self._required(type)
        return [found_as.remote_field(one, kind, required) for one in shown]

    def person_as(self, found: Mapping[str, Any], fields: Sequence[str] = ()) -> Person:
        """One contact that was read."""
        owner = self.owners.email_of(found["properties"].get("hubspot_owner_id"))
        return found_as.person_of(found, owner, self.config, fields)

    def company_as(self, found: Mapping[str, Any], fields: Sequence[str] = ()) -> Company:
        """One company that was read."""
        of, csm = found["properties"], self.config.text("csm_property")
        owner = self.owners.email_of(of.get("hubspot_owner_id"))
        return found_as.company_of(found, owner, self.owners.email_of(of.get(csm)) if csm else None, fields)

    def wanted(self, kind: Kind) -> list[str]:
        """The properties that are ours to read, and when a record changed."""
        return [*self._properties(kind), *(("lastmodifieddate",) if kind == Kind.PERSON else ("hs_lastmodifieddate",))]

    def _meeting_as(self, found: Mapping[str, Any], own: str) -> Meeting:
        of = found["properties"]
        uid = str(of.get(own) or f"hubspot:{found['id']}")
        return found_as.meeting_of(found, uid, self.owners.email_of(of.get("hubspot_owner_id")))

    def _all(self, kind: Kind, refs: Iterable[Ref], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """By the ids asked for: one that was merged brings the record that it went into, under that one's own id."""
        asked = [ref.id for ref in refs]
        found = self._api.read_all("read", TYPES[kind], asked, [*self._properties(kind), *fields, found_as.MERGED])
        return {id: one for one in found for id in (str(one["id"]), *found_as.merged(one)) if id in asked}

    def _properties(self, kind: Kind) -> list[str]:
        if kind == Kind.COMPANY:
            return [*COMPANY.values(), *filter(None, [self.config.text("csm_property")])]
        own = (self.config.text(setting) for setting in OPTIONAL if setting != "csm_property")
        return [*PERSON.values(), "lifecyclestage", "hs_email_optout", *filter(None, own)]

    def _required(self, type: str) -> Sequence[str]:
        """What a record cannot be made without, where the account may be asked; else what we find it by."""
        try:
            schema = self._api.call("fields_of", "GET", path(OBJECT_SCHEMAS, type))
            return [str(name) for name in schema.get("requiredProperties") or []]
        except (PermissionDenied, NotFound):
            return ("email",) if type == "contacts" else ("domain",)
