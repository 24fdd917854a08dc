"""What a new org of Salesforce has: its kinds of records, their fields, and the words of its refusals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from plugins.testing.fakes.server import Refusal

TEXTS = {"string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "reference", "id"}
NUMBERS = {"int", "double", "currency", "percent"}
SYSTEM = ("Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
PREFIX = {
    "Lead": "00Q", "Contact": "003", "Account": "001", "Task": "00T", "Event": "00U", "User": "005", "Group": "00G",
    "Opportunity": "006", "Organization": "00D",
}  # fmt: skip


@dataclass(frozen=True)
class F:
    """One field. `most`: the longest text; `owned`: Salesforce alone gives values; `to`: what a reference leads to."""

    name: str
    type: str = "string"
    most: int = 255
    required: bool = False
    unique: bool = False
    external: bool = False
    owned: bool = False
    hidden: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    restricted: bool = False
    to: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """As describe tells it."""
        system = self.type in ("reference", "id") or self.name in SYSTEM
        return {
            "name": self.name, "label": self.name.removesuffix("__c").replace("_", " "), "type": self.type,
            "length": self.most if self.type in TEXTS else 0, "custom": self.name.endswith("__c"),
            "createable": not self.owned, "updateable": not self.owned, "nillable": not self.required,
            "defaultedOnCreate": self.default is not None or (system and self.name == "OwnerId"),
            "externalId": self.external, "unique": self.unique, "restrictedPicklist": self.restricted,
            "referenceTo": list(self.to),
            "picklistValues": [{"value": one, "label": one, "active": True} for one in self.choices],
        }  # fmt: skip


def refusal(status: int, code: str, message: str, fields: Iterable[str] = (), **further: Any) -> Refusal:
    """An error as the REST API writes it: a list with one."""
    return Refusal(status, [{**further, "message": message, "errorCode": code, "fields": list(fields)}])


_SYSTEM = (
    F("Id", "id", 18, owned=True), F("IsDeleted", "boolean", owned=True), F("CreatedDate", "datetime", owned=True),
    F("CreatedById", "reference", 18, owned=True, to=("User",)), F("LastModifiedDate", "datetime", owned=True),
    F("LastModifiedById", "reference", 18, owned=True, to=("User",)), F("SystemModstamp", "datetime", owned=True),
)  # fmt: skip
_OWNED_BY_ALL = F("OwnerId", "reference", 18, required=True, to=("User", "Group"))
_OWNED_BY_USERS = F("OwnerId", "reference", 18, required=True, to=("User",))
_NAMES = (
    F("FirstName", most=40), F("LastName", most=80, required=True), F("Email", "email", 80), F("Phone", "phone", 40),
    F("Title", most=128), F("LeadSource", "picklist", choices=("Web", "Phone Inquiry", "Other")),
    F("HasOptedOutOfEmail", "boolean", default=False),
)  # fmt: skip
_ACTIVITY = (
    F("Subject"), F("Description", "textarea", 32000), F("WhoId", "reference", 18, to=("Contact", "Lead")),
    F("WhatId", "reference", 18, to=("Account", "Opportunity")), F("AccountId", "reference", 18, owned=True),
    F("ActivityDate", "date"),
)  # fmt: skip
_MERGED = {
    kind: (F("MasterRecordId", "reference", 18, owned=True, to=(kind,)),) for kind in ("Lead", "Contact", "Account")
}
"""Of what was merged into another: which."""


def new_org() -> dict[str, dict[str, F]]:
    """The fields of each kind of record, by name."""
    kinds: dict[str, tuple[F, ...]] = {
        "Lead": (
            *_NAMES, F("Company", required=True), F("Country", most=80),
            F("CountryCode", "picklist", 10, choices=("DE", "US")),
            F("Status", "picklist", default="Open - Not Contacted", choices=("Open - Not Contacted", "Qualified")),
            F("IsConverted", "boolean", owned=True, default=False),
            F("ConvertedContactId", "reference", 18, owned=True, to=("Contact",)),
            F("ConvertedAccountId", "reference", 18, owned=True, to=("Account",)),
            F("ConvertedOpportunityId", "reference", 18, owned=True, to=("Opportunity",)), _OWNED_BY_ALL,
        ),
        "Contact": (
            *_NAMES, F("MailingCountry", most=80), F("AccountId", "reference", 18, to=("Account",)), _OWNED_BY_USERS,
        ),
        "Account": (
            F("Name", required=True), F("Website", "url"), F("Industry", "picklist", choices=("Energy", "Banking")),
            F("NumberOfEmployees", "int"), F("Phone", "phone", 40), F("BillingCountry", most=80),
            F("Type", "picklist", choices=("Prospect", "Customer - Direct")), _OWNED_BY_USERS,
        ),
        "Task": (
            *_ACTIVITY,
            F("Status", "picklist", required=True, default="Not Started", choices=("Not Started", "Completed")),
            F("Priority", "picklist", required=True, default="Normal", choices=("High", "Normal")), _OWNED_BY_ALL,
        ),
        "Event": (
            *_ACTIVITY, F("Location"), F("StartDateTime", "datetime"), F("EndDateTime", "datetime"),
            F("DurationInMinutes", "int"), F("IsAllDayEvent", "boolean", default=False),
            F("ShowAs", "picklist", restricted=True, default="Busy", choices=("Busy", "OutOfOffice", "Free")),
            _OWNED_BY_USERS,
        ),
        "User": (
            F("Name"), F("Email", "email"), F("Username"), F("IsActive", "boolean", default=True),
            F("UserType", "picklist", default="Standard"),
        ),
        "Group": (F("Name"), F("DeveloperName"), F("Type", "picklist"), F("Email", "email")),
        "Opportunity": (F("Name", required=True), F("AccountId", "reference", 18, to=("Account",)), _OWNED_BY_USERS),
        "Organization": (F("Name"), F("IsSandbox", "boolean", default=False)),
    }  # fmt: skip
    return {kind: {one.name: one for one in (*_SYSTEM, *of, *_MERGED.get(kind, ()))} for kind, of in kinds.items()}


RELATIONS = {"Owner": "OwnerId", "Account": "AccountId"}
"""What stands before the dot in a query, and the reference it follows."""
POLYMORPHIC = ("Alias", "Email", "FirstName", "Id", "IsActive", "LastName", "Name", "Type", "Username")
"""What can be asked of an owner, who may be a user or a queue (object reference, Name)."""
