"""What a made-up HubSpot account holds: properties, records, associations, owners, and the index that search reads."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "notes": "0-46", "meetings": "0-47"}
TIES = {
    ("notes", "contacts"): 202, ("meetings", "contacts"): 200, ("deals", "contacts"): 3, ("deals", "companies"): 341,
    ("contacts", "companies"): 279,
}  # fmt: skip
STAMPS = {"contacts": "lastmodifieddate"}
_STAGES = (
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist",
    "other",
)  # fmt: skip
_LEAD = ("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING")
_OUTCOMES = ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED")
_INDUSTRIES = ("COMPUTER_SOFTWARE", "CONSTRUCTION", "OIL_ENERGY", "RENEWABLES_ENVIRONMENT", "RETAIL")
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")

STANDARD: dict[str, dict[str, Any]] = {
    "contacts": {
        "email": "string", "firstname": "string", "lastname": "string", "phone": "string", "jobtitle": "string",
        "company": "string", "country": "string", "hs_language": ("en", "de", "de-de", "fr", "es"),
        "hs_lead_status": _LEAD, "lifecyclestage": _STAGES, "hubspot_owner_id": "number", "hs_email_optout": "bool!",
        "createdate": "datetime!", "lastmodifieddate": "datetime!", "hs_object_id": "number!",
        "hs_additional_emails": "string!", "hs_merged_object_ids": "string!",
    },
    "companies": {
        "domain": "string", "name": "string", "industry": _INDUSTRIES, "numberofemployees": "number",
        "country": "string", "phone": "string", "lifecyclestage": _STAGES,
        "hs_is_target_account": "bool", "hubspot_owner_id": "number",
        "createdate": "datetime!", "hs_lastmodifieddate": "datetime!", "hs_object_id": "number!",
        "hs_merged_object_ids": "string!",
    },
    "notes": {
        "hs_timestamp": "datetime", "hs_note_body": "string", "hubspot_owner_id": "number",
        "hs_createdate": "datetime!", "hs_lastmodifieddate": "datetime!", "hs_object_id": "number!",
    },
    "meetings": {
        "hs_timestamp": "datetime", "hs_meeting_title": "string", "hs_meeting_body": "string",
        "hs_meeting_start_time": "datetime", "hs_meeting_end_time": "datetime", "hs_meeting_outcome": _OUTCOMES,
        "hs_meeting_location": "string", "hs_meeting_external_url": "string", "hubspot_owner_id": "number",
        "hs_createdate": "datetime!", "hs_lastmodifieddate": "datetime!", "hs_object_id": "number!",
    },
    "deals": {
        "dealname": "string", "pipeline": "string", "dealstage": "string", "amount": "number",
        "hs_lastmodifieddate": "datetime!", "hs_object_id": "number!",
    },
}  # fmt: skip
"""Type of each property, its options where it has any, "!" where nobody may write it."""


class Refused(Exception):
    """A value or record that HubSpot does not take: its code, and which property."""

    def __init__(self, code: str, name: str = "", says: str = "") -> None:
        super().__init__(code)
        self.code, self.name, self.says = code, name, says or f"{name}: {code}"


@dataclass
class Record:
    """One record; `properties` are text, as in the API."""

    id: str
    properties: dict[str, str] = field(default_factory=dict)
    created: datetime = datetime.min
    changed: datetime = datetime.min
    archived: bool = False


@dataclass(frozen=True)
class Rule:
    """What an admin demands: `name` has a value when another property has one of `values`, or always at creation."""

    type: str
    name: str
    when: str = ""
    values: tuple[str, ...] = ()


class Portal:
    """The account. `lagging`: search does not see what is written until `catch_up()`."""

    def __init__(self) -> None:
        self.id, self.zone = 145678, "America/New_York"
        self.properties = {type: dict(self._standard(type)) for type in STANDARD}
        self.records: dict[str, dict[str, Record]] = {type: {} for type in STANDARD}
        self.merged: dict[str, str] = {}
        self.ties: set[tuple[str, str, str, str]] = set()
        self.owners: dict[str, dict[str, Any]] = {}
        self.rules: list[Rule] = []
        self.blocked: set[str] = set()
        self.lagging = False
        self._index: dict[str, dict[str, Record]] = {type: {} for type in STANDARD}
        self._last = 1000
        self._now = datetime.now(UTC)

    def add_property(self, type: str, name: str, kind: str = "string", **about: Any) -> None:
        """As an admin makes one; `options`, `unique`, `read_only`."""
        self.properties[type][name] = _property(name, kind, custom=True, **about)

    def add_option(self, type: str, name: str, value: str) -> None:
        """As an admin adds one to a list."""
        self.properties[type][name]["options"].append({"label": value, "value": value, "hidden": False})

    def add_owner(self, email: str, name: str = "", *, archived: bool = False) -> str:
        """A user who may own records; their owner's id."""
        id = str(self._number())
        first, _, last = name.partition(" ")
        self.owners[id] = {"id": id, "email": email, "firstName": first, "lastName": last, "archived": archived}
        return id

    def of(self, type: str) -> list[Record]:
        """The records that are not in the bin."""
        return [one for one in self.records[type].values() if not one.archived]

    def find(self, type: str, id: str, by: str = "") -> Record | None:
        """By id, or by the value of a unique property; Refused when that is not unique."""
        if not by:
            while id in self.merged:
                id = self.merged[id]
            found = self.records[type].get(id)
            return found if found and not found.archived else None
        if not self.properties[type].get(by, {}).get("hasUniqueValue"):
            raise Refused("NON_UNIQUE", by, f"Unable to perform update/upsert by non-unique {type} property {by}")
        return next((one for one in self.of(type) if id.lower() in _marks(one, by)), None)

    def make(self, type: str, values: Mapping[str, Any]) -> Record:
        """A new record, held to properties and rules."""
        self._hold(type, values, {}, None)
        at = self._tick()
        made = Record(str(self._number()), {}, at, at)
        if type == "contacts":
            made.properties["lifecyclestage"] = "lead"
        self.records[type][made.id] = made
        self._write(type, made, values, at)
        return made

    def change(self, type: str, record: Record, values: Mapping[str, Any]) -> None:
        """`values` laid over the record; "" clears."""
        self._hold(type, values, record.properties, record)
        self._write(type, record, values, self._tick())

    def archive(self, type: str, id: str) -> None:
        record = self.records[type].get(id)
        if record:
            record.archived, record.changed = True, self._tick()
            self._index[type].pop(id, None)

    def merge(self, type: str, primary: str, other: str, *, new: bool = True) -> Record:
        """Two records become one: a new one, or the primary as it once was. Their ids lead to it."""
        at, first = self._tick(), self.records[type][primary]
        kept = Record(str(self._number()), dict(first.properties), at, at) if new else first
        self.records[type][kept.id] = kept
        gone = [primary, other] if new else [other]
        further = self.records[type][other].properties.get("email", "")
        self._write(type, kept, {"hs_merged_object_ids": ";".join(gone), "hs_additional_emails": further}, at)
        for id in gone:
            self.archive(type, id)
            self.merged[id] = kept.id
        return kept

    def forget(self, id: str) -> None:
        """GDPR deletion of a contact: the record, its ties and its address."""
        gone = self.records["contacts"].pop(id)
        self._index["contacts"].pop(id, None)
        self.blocked.add(gone.properties.get("email", "").lower())
        self.ties = {tie for tie in self.ties if ("contacts", id) not in ((tie[0], tie[1]), (tie[2], tie[3]))}

    def tie(self, type: str, id: str, other: str, other_id: str) -> None:
        self.ties |= {(type, id, other, other_id), (other, other_id, type, id)}

    def tied(self, type: str, id: str, other: str) -> list[str]:
        return sorted(tie[3] for tie in self.ties if tie[:3] == (type, id, other))

    def indexed(self, type: str) -> list[Record]:
        """What search sees."""
        return list(self._index[type].values()) if self.lagging else self.of(type)

    def catch_up(self) -> None:
        """The index has seen everything."""
        self._index = {type: {one.id: copy.deepcopy(one) for one in self.of(type)} for type in self.records}

    def _write(self, type: str, record: Record, values: Mapping[str, Any], at: datetime) -> None:
        for name, value in values.items():
            before, record.properties[name] = record.properties.get(name), value.lower() if name == "email" else value
            if name == "email" and before and before != value.lower():  # the former one stays, behind the new one
                others = [one for one in _marks(record, name) if one not in ("", before, value.lower())]
                record.properties["hs_additional_emails"] = ";".join([*others, before])
        record.properties = {name: value for name, value in record.properties.items() if value != ""}
        record.changed = at
        stamps = {STAMPS.get(type, "hs_lastmodifieddate"): iso(at), "createdate": iso(record.created)}
        record.properties |= {**stamps, "hs_object_id": record.id}

    def _hold(self, type: str, values: Mapping[str, Any], before: Mapping[str, str], record: Record | None) -> None:
        for name, value in values.items():
            self._hold_value(type, name, value, record)
        now = {**before, **values}
        for rule in self.rules:
            due = now.get(rule.when) in rule.values if rule.when else not before
            if rule.type == type and due and not now.get(rule.name):
                code = "REQUIRED_PROPERTY_MISSING" if rule.when else "NOT_SET"
                raise Refused(code, rule.name, f"The property {rule.name} is required")
        if type == "contacts" and now.get("email", "").lower() in self.blocked:
            raise Refused("INVALID_EMAIL", "email", "this address was deleted for good")

    def _hold_value(self, type: str, name: str, value: Any, record: Record | None) -> None:
        known = self.properties[type].get(name)
        if known is None:
            raise Refused("PROPERTY_DOESNT_EXIST", name, f'Property "{name}" does not exist')
        if known["modificationMetadata"]["readOnlyValue"]:
            raise Refused("READ_ONLY_VALUE", name)
        if not isinstance(value, str):
            raise Refused("INVALID_TYPE", name, f"{name} is no text")
        if value and (code := _wrong(known, value)):
            raise Refused(code, name)
        if value and name == "hubspot_owner_id" and value not in self.owners:
            raise Refused("INVALID_OWNER_ID", name)
        if value and known["hasUniqueValue"]:
            there = self.find(type, value, name)
            if there and there is not record:
                raise Refused("CONFLICTING_UNIQUE_VALUE", name, f"{there.id} already has that value.")

    def _number(self) -> int:
        self._last += 1
        return self._last

    def _tick(self) -> datetime:
        """Now, and never twice the same."""
        at = datetime.now(UTC)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        self._now = at if at > self._now else self._now + timedelta(milliseconds=1)
        return self._now

    def _standard(self, type: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, kind in STANDARD[type].items():
            options = kind if isinstance(kind, tuple) else ()
            bare = "enumeration" if options else str(kind).rstrip("!")
            read_only, unique = str(kind).endswith("!"), name == "email" and type == "contacts"
            yield name, _property(name, bare, options=options, read_only=read_only, unique=unique)


def _property(
    name: str, kind: str, *, options: tuple[str, ...] = (), unique: bool = False, read_only: bool = False,
    custom: bool = False, field_type: str = "",
) -> dict[str, Any]:  # fmt: skip
    shown = [{"label": one.title(), "value": one, "hidden": False, "displayOrder": n} for n, one in enumerate(options)]
    usual = {"enumeration": "select", "bool": "booleancheckbox", "datetime": "date", "number": "number"}
    return {
        "name": name, "label": name.replace("_", " ").title(), "description": "", "groupName": "information",
        "type": kind, "fieldType": field_type or usual.get(kind, "text"), "options": shown, "hidden": False,
        "hasUniqueValue": unique, "hubspotDefined": not custom, "calculated": False,
        "modificationMetadata": {"archivable": custom, "readOnlyDefinition": not custom, "readOnlyValue": read_only},
    }  # fmt: skip


def _marks(record: Record, by: str) -> list[str]:
    """What a record is found by; a contact by its further addresses too."""
    further = record.properties.get("hs_additional_emails", "") if by == "email" else ""
    return [record.properties.get(by, "").lower(), *filter(None, further.split(";"))]


def _wrong(known: Mapping[str, Any], value: str) -> str:
    if known["name"] == "email" and not _EMAIL.fullmatch(value):
        return "INVALID_EMAIL"
    if known["options"] and not set(value.split(";")) <= {one["value"] for one in known["options"]}:
        return "INVALID_OPTION"
    return _CHECKS[known["type"]](value) if known["type"] in _CHECKS else ""


def _number(value: str) -> str:
    return "" if re.fullmatch(r"-?\d+(\.\d+)?", value) else "INVALID_INTEGER"


def _flag(value: str) -> str:
    return "" if value in ("true", "false") else "INVALID_BOOLEAN"


def _moment(value: str) -> str:
    return "" if value.isdigit() or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) else "INVALID_DATE"


_CHECKS: dict[str, Callable[[str], str]] = {"number": _number, "bool": _flag, "datetime": _moment}


def iso(at: datetime) -> str:
    """A moment as the API tells it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
