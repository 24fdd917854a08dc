"""The tables of the fake of Dataverse: columns with their types, what they may be bound to, choices."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """One column. `kind` is Dataverse's AttributeType; `choices` are label → number."""

    kind: str = "String"
    length: int = 100
    choices: dict[str, int] = field(default_factory=dict)
    custom: bool = False
    required: str = "None"
    writable: bool = True
    title: str = ""


@dataclass(frozen=True)
class Table:
    """`bindings`: name of a navigation → (lookup column, table that it leads to). `states` are statecode → statuscodes,
    the usual first."""

    set: str
    key: str
    columns: dict[str, Column]
    bindings: dict[str, tuple[str, str]] = field(default_factory=dict)
    states: dict[int, tuple[int, ...]] = field(default_factory=lambda: {0: (1,), 1: (2,)})
    tracked: bool = True


TEXT, NUMBER = Column(), Column("Integer")
FLAG, MOMENT = Column("Boolean"), Column("DateTime")
INDUSTRIES = {"Accounting": 1, "Business Services": 6, "Financial": 16, "Wholesale": 33, "Energy": 100_000_000}
SOURCES = {"Advertisement": 1, "Web": 8, "Other": 10}
CUSTOMERS = {"Competitor": 1, "Customer": 3, "Prospect": 8}
_MADE = {f"f{n}": Column(custom=True) for n in range(8)}
"""Columns that the owner made."""
_SYSTEM = {
    "createdon": Column("DateTime", writable=False),
    "modifiedon": Column("DateTime", writable=False),
    "statecode": Column("State", choices={"Open": 0, "Qualified": 1, "Disqualified": 2}),
    "statuscode": Column("Status", choices={"New": 1, "Contacted": 2, "Qualified": 3}),
}
_PERSON = {
    "emailaddress1": TEXT,
    "firstname": Column(length=50),
    "lastname": Column(length=50, required="ApplicationRequired"),
    "fullname": Column(length=160, writable=False),
    "telephone1": Column(length=50),
    "jobtitle": TEXT,
    "address1_country": Column(length=80),
    "donotbulkemail": FLAG,
    "donotemail": FLAG,
    "merged": Column("Boolean", writable=False),
    **_SYSTEM,
}
OWNER = {"ownerid": ("ownerid", "systemuser")}


def _activity(most: int) -> dict[str, Column]:
    """`most`: how long its description may be (power-apps/developer/data-platform/reference/entities)."""
    texts = {"subject": Column(length=200), "description": Column("Memo", most)}
    return {**texts, "scheduledend": MOMENT, "actualend": MOMENT, **_SYSTEM}


def _about(table: str) -> dict[str, tuple[str, str]]:
    return OWNER | {
        f"regardingobjectid_{other}_{table}": ("regardingobjectid", other) for other in ("lead", "contact", "account")
    }


TABLES = {
    "lead": Table(
        "leads",
        "leadid",
        {
            **_PERSON,
            "subject": Column(length=300, required="ApplicationRequired"),
            "companyname": TEXT,
            "leadsourcecode": Column("Picklist", choices=SOURCES),
            "new_interests": Column("MultiSelectPicklist", choices={"Plans": 1, "Prices": 2}, custom=True),
            **_MADE,
        },
        OWNER | {"parentaccountid": ("parentaccountid", "account"), "parentcontactid": ("parentcontactid", "contact")},
        {0: (1, 2), 1: (3,), 2: (4, 5)},
    ),
    "contact": Table(
        "contacts",
        "contactid",
        {**_PERSON, **_MADE},
        OWNER
        | {
            "parentcustomerid_account": ("parentcustomerid", "account"),
            "originatingleadid": ("originatingleadid", "lead"),
        },
    ),
    "account": Table(
        "accounts",
        "accountid",
        {
            "name": Column(length=160, required="ApplicationRequired"),
            "websiteurl": Column(length=200),
            "emailaddress1": TEXT,
            "industrycode": Column("Picklist", choices=INDUSTRIES),
            "numberofemployees": NUMBER,
            "address1_country": Column(length=80),
            "telephone1": Column(length=50),
            "customertypecode": Column("Picklist", choices=CUSTOMERS),
            "new_domain": Column(custom=True),
            "new_target": Column("Boolean", custom=True),
            "merged": Column("Boolean", writable=False),
            **_SYSTEM,
        },
        OWNER | {"new_csm": ("new_csm", "systemuser")},
    ),
    "opportunity": Table(
        "opportunities",
        "opportunityid",
        {"name": Column(length=300), **_SYSTEM},
        OWNER
        | {
            "parentcontactid": ("parentcontactid", "contact"),
            "customerid_account": ("customerid", "account"),
            "customerid_contact": ("customerid", "contact"),
            "originatingleadid": ("originatingleadid", "lead"),
        },
    ),
    "task": Table("tasks", "activityid", _activity(2000), _about("task"), {0: (2, 3), 1: (5,), 2: (6,)}),
    "phonecall": Table("phonecalls", "activityid", _activity(2000), _about("phonecall"), {0: (1,), 1: (2, 4), 2: (3,)}),
    "appointment": Table(
        "appointments",
        "activityid",
        {
            **_activity(1_048_576),
            "scheduledstart": MOMENT,
            "location": Column(length=200),
            "category": Column(length=250),
            "subcategory": Column(length=250),
        },
        _about("appointment"),
        {0: (1, 2), 1: (3,), 2: (4,), 3: (5, 6)},
    ),
    "annotation": Table(
        "annotations",
        "annotationid",
        {"subject": Column(length=500), "notetext": Column("Memo", 100_000), **_SYSTEM},
        {f"objectid_{other}": ("objectid", other) for other in ("contact", "task", "phonecall", "appointment")},
    ),
    "systemuser": Table(
        "systemusers",
        "systemuserid",
        {
            "fullname": Column(length=200),
            "internalemailaddress": TEXT,
            "domainname": Column(length=1024),
            "isdisabled": FLAG,
            "applicationid": Column("Uniqueidentifier"),
            **_SYSTEM,
        },
    ),
}
BY_SET = {table.set: name for name, table in TABLES.items()}
