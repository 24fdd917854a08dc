"""The CRMs of the stories."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from plugins.signing import new_secret
from plugins.testing.fakes.dataverse import DataverseFake
from plugins.testing.fakes.hubspot import HubSpotFake
from plugins.testing.fakes.hubspot.sign_in import CLIENT_ID, CLIENT_SECRET
from plugins.testing.fakes.salesforce import SalesforceFake
from plugins.testing.fakes.webhook import SECRET, WebhookFake
from server import clock
from server.adapters.records import TableRecords
from server.db import Database
from tests.journeys.stories.service import CALLBACK, REPS, CrmService, Meeting, Person

IN_WORDS = {
    "booked": "Booked", "rescheduled": "Rescheduled", "cancelled": "Cancelled", "held": "Held", "no_show": "No-show",
}  # fmt: skip


class Salesforce(CrmService):
    name = "salesforce"
    fake: SalesforceFake
    made = SalesforceFake
    in_browser = True
    writes = r"^(POST|PATCH|DELETE) /services/data/v[\d.]+/sobjects/"
    signs_in = "/services/oauth2/token"
    words = IN_WORDS
    fields = {"need": "Need__c", "source": "Utm_Source__c"}

    def furnish(self) -> None:
        self.fake.app.redirect = CALLBACK
        self.fake.app.rotates = True
        self.fake.add_usher_fields()
        for name in self.fields.values():
            self.fake.add_field("Lead", name)
            self.fake.add_field("Contact", name)
        self.fake.add_field("Activity", "Meeting_Status__c")
        self.owners = {self.fake.add("User", Name=rep, Email=rep, Username=rep): rep for rep in REPS}

    def form(self) -> dict[str, str]:
        app = {"client_id": self.fake.app.client_id, "client_secret": self.fake.app.secret}
        fields = {"person_id_field": "Usher_Id__c", "company_id_field": "Usher_Domain__c"}
        activity = {"activity_id_field": "Usher_Id__c", "meeting_status_field": "Meeting_Status__c"}
        return {"sign_in": "browser", "login_url": self.fake.url, **app, **fields, **activity}

    def end_tokens(self) -> None:
        self.fake.expire_sessions()

    def withdraw(self) -> None:
        self.fake.sessions.clear()
        self.fake.refreshes.clear()

    def everybody(self) -> list[tuple[str, Person]]:
        people = self.fake.there("Lead") + self.fake.there("Contact")
        return [(row["Email"].lower(), self._person(row)) for row in people]

    def _person(self, row: Mapping[str, Any]) -> Person:
        owner, told = self.owners.get(row["OwnerId"], ""), (row.get(name) or "" for name in self.fields.values())
        return Person(row["Id"], row["Name"], owner, row.get("Company") or "", *told)

    def companies(self) -> list[str]:
        return [row["Usher_Domain__c"] for row in self.fake.there("Account")]

    def activities(self) -> list[tuple[str, str]]:
        emails = {one.id: email for email, one in self.everybody()}
        told = [(row["WhoId"], f"{row['Subject']}\n{row['Description'] or ''}") for row in self.fake.there("Task")]
        return [(emails[who], text) for who, text in told]

    def meetings(self) -> list[Meeting]:
        emails = {one.id: email for email, one in self.everybody()}
        return [self._meeting(row, emails) for row in self.fake.there("Event")]

    def _meeting(self, row: Mapping[str, Any], emails: Mapping[str, str]) -> Meeting:
        times = (datetime.fromisoformat(row[name]) for name in ("StartDateTime", "EndDateTime"))
        owner = self.owners.get(row["OwnerId"], "")
        return Meeting(emails[row["WhoId"]], *times, row["Meeting_Status__c"], owner, row["Subject"])


class HubSpot(CrmService):
    name = "hubspot"
    fake: HubSpotFake
    made = HubSpotFake
    in_browser = True
    writes = r"^(POST|PUT|PATCH) /crm/objects/[\d-]+/(?!.*(search|batch/read))"
    signs_in = "/oauth/.*/token"
    words = {
        "booked": "SCHEDULED", "rescheduled": "RESCHEDULED", "cancelled": "CANCELED", "held": "COMPLETED",
        "no_show": "NO_SHOW",
    }  # fmt: skip

    def furnish(self) -> None:
        for name in self.fields.values():
            self.fake.portal.add_property("contacts", name)
        self.owners = {self.fake.portal.add_owner(rep): rep for rep in REPS}

    def form(self) -> dict[str, str]:
        where = {"base_url": self.fake.url, "authorize_url": f"{self.fake.url}/oauth/authorize"}
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **where}

    def agree(self, address: str) -> str:
        return self.fake.agree(address)

    def end_tokens(self) -> None:
        self.fake.age(3600)

    def withdraw(self) -> None:
        self.fake.withdraw()

    def everybody(self) -> list[tuple[str, Person]]:
        return [(one.properties["email"], self._person(one)) for one in self.fake.portal.of("contacts")]

    def _person(self, one: Any) -> Person:
        told = one.properties
        owner = self.owners.get(told.get("hubspot_owner_id", ""), "")
        name = " ".join(filter(None, (told.get("firstname"), told.get("lastname"))))
        tied = self.fake.portal.tied("contacts", one.id, "companies")
        domains = [self.fake.portal.records["companies"][id].properties["domain"] for id in tied]
        return Person(one.id, name, owner, ",".join(domains), told.get("need", ""), told.get("utm_source", ""))

    def companies(self) -> list[str]:
        return [one.properties["domain"] for one in self.fake.portal.of("companies")]

    def activities(self) -> list[tuple[str, str]]:
        found = self.fake.portal.of("notes")
        return [(self._of("notes", one.id), html.unescape(one.properties["hs_note_body"])) for one in found]

    def meetings(self) -> list[Meeting]:
        return [self._meeting(one.id, one.properties) for one in self.fake.portal.of("meetings")]

    def _meeting(self, id: str, told: Mapping[str, str]) -> Meeting:
        times = (datetime.fromisoformat(told[f"hs_meeting_{name}_time"]) for name in ("start", "end"))
        owner = self.owners.get(told.get("hubspot_owner_id", ""), "")
        return Meeting(self._of("meetings", id), *times, told["hs_meeting_outcome"], owner, told["hs_meeting_title"])

    def _of(self, type: str, id: str) -> str:
        tied = self.fake.portal.tied(type, id, "contacts")
        return ",".join(self.fake.portal.records["contacts"][one].properties["email"] for one in tied)


class Dynamics(CrmService):
    name = "dynamics"
    fake: DataverseFake
    made = DataverseFake
    writes = "^(POST|PATCH|DELETE) /api/data/"
    signs_in = "/oauth2/v2.0/token"
    words = IN_WORDS
    fields = {"need": "f0", "source": "f1"}

    def furnish(self) -> None:
        self.owners = {self.fake.grace: REPS[0], self.fake.add_user("Linus Torvalds", REPS[1]): REPS[1]}

    def form(self) -> dict[str, str]:
        where = {"base_url": self.fake.url, "login_url": self.fake.url, "tenant": self.fake.tenant}
        return {**where, "client_id": self.fake.client_id, "client_secret": self.fake.client_secret}

    def end_tokens(self) -> None:
        self.fake.expire_access()

    def withdraw(self) -> None:
        self.fake.expire_access()
        self.fake.client_secret = "the next secret"

    def let_in(self) -> dict[str, str]:
        return {"client_secret": self.fake.client_secret}

    def everybody(self) -> list[tuple[str, Person]]:
        return [(row["emailaddress1"].lower(), self._person(row)) for row in self.fake.all_of("lead", "contact")]

    def _person(self, row: Mapping[str, Any]) -> Person:
        owner, told = self.owners.get(row["_ownerid_value"], ""), (row.get(name) or "" for name in self.fields.values())
        account = row.get("_parentaccountid_value") or row.get("_parentcustomerid_value")
        company = self._domain(self.fake.rows.get("account", account)) if account else ""
        return Person(row.get("leadid") or row["contactid"], row["fullname"] or "", owner, company, *told)

    @staticmethod
    def _domain(row: Mapping[str, Any]) -> str:
        return str(row.get("websiteurl") or row["name"]).removeprefix("https://")

    def companies(self) -> list[str]:
        return [self._domain(row) for row in self.fake.all_of("account")]

    def activities(self) -> list[tuple[str, str]]:
        emails = {one.id: email for email, one in self.everybody()}
        found = self.fake.all_of("task", "phonecall")
        return [(emails[row["_regardingobjectid_value"]], f"{row['subject']}\n{row['description']}") for row in found]

    def meetings(self) -> list[Meeting]:
        emails = {one.id: email for email, one in self.everybody()}
        return [self._meeting(row, emails) for row in self.fake.all_of("appointment")]

    def _meeting(self, row: Mapping[str, Any], emails: Mapping[str, str]) -> Meeting:
        times = (datetime.fromisoformat(row[name]) for name in ("scheduledstart", "scheduledend"))
        owner = self.owners.get(row["_ownerid_value"], "")
        return Meeting(emails[row["_regardingobjectid_value"]], *times, row["category"], owner, row["subject"])


class Webhook(CrmService):
    name = "webhook"
    fake: WebhookFake
    writes = "^POST /usher"

    def made(self) -> WebhookFake:
        found = WebhookFake()
        found.now = clock.now
        return found

    def furnish(self) -> None:
        """Its people look it up by themselves."""

    def form(self) -> dict[str, str]:
        return {"url": f"{self.fake.url}/usher", "secret": SECRET}

    def withdraw(self) -> None:
        self.fake.secrets = [new_secret()]

    def let_in(self) -> dict[str, str]:
        return {"secret": self.fake.secrets[0]}

    def everybody(self) -> list[tuple[str, Person]]:
        return [(email.lower(), self._person(one)) for email, one in self.fake.people.items()]

    def _person(self, one: Mapping[str, Any]) -> Person:
        domains = {kept["id"]: domain for domain, kept in self.fake.companies.items()}
        company = domains.get((one.get("company_ref") or {}).get("id", ""), "")
        told = ((one.get("fields") or {}).get(name) or "" for name in self.fields.values())
        return Person(one["id"], one.get("name") or "", one.get("owner_email") or "", company, *told)

    def companies(self) -> list[str]:
        return list(self.fake.companies)

    def activities(self) -> list[tuple[str, str]]:
        emails = {one.id: email for email, one in self.everybody()}
        return [(emails[one["person"]], f"{one['subject']}\n{one['body']}") for one in self.fake.activities.values()]

    def meetings(self) -> list[Meeting]:
        emails = {one.id: email for email, one in self.everybody()}
        return [_plain_meeting(emails[one["person"]], one) for one in self.fake.meetings.values()]


class BuiltIn(CrmService):
    """Usher's own tables; it is away when the database is, so nothing is played with."""

    name = "builtin"

    @contextmanager
    def opened(self, folder: Path) -> Iterator[None]:
        yield

    def at(self, db: Database, site_id: str) -> None:
        self._records = TableRecords(db, site_id)

    @property
    def calls(self) -> int:
        return 0

    def _kept(self, kind: str) -> list[Mapping[str, Any]]:
        return self._records.find(f"crm.{kind}", {})

    def everybody(self) -> list[tuple[str, Person]]:
        domains = {one["id"]: one["domain"] for one in self._kept("company")}
        return [(one["email"].lower(), self._person(one, domains)) for one in self._kept("person")]

    def _person(self, one: Mapping[str, Any], domains: Mapping[str, str]) -> Person:
        company = domains.get((one.get("company_ref") or {}).get("id", ""), "")
        told = ((one.get("fields") or {}).get(name) or "" for name in self.fields.values())
        return Person(one["id"], one.get("name") or "", one.get("owner_email") or "", company, *told)

    def companies(self) -> list[str]:
        return [one["domain"] for one in self._kept("company")]

    def activities(self) -> list[tuple[str, str]]:
        emails = {one.id: email for email, one in self.everybody()}
        return [(emails[one["person"]], f"{one['subject']}\n{one['body']}") for one in self._kept("activity")]

    def meetings(self) -> list[Meeting]:
        emails = {one.id: email for email, one in self.everybody()}
        return [_plain_meeting(emails[one["person"]], one) for one in self._kept("meeting")]


def _plain_meeting(email: str, one: Mapping[str, Any]) -> Meeting:
    times = (datetime.fromisoformat(one[name]) for name in ("start", "end"))
    return Meeting(email, *times, one["status"], one.get("owner_email") or "", one["title"])


CRMS: dict[str, type[CrmService]] = {one.name: one for one in (Salesforce, HubSpot, Dynamics, Webhook, BuiltIn)}
