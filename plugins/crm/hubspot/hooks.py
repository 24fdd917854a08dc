"""What HubSpot tells us by webhooks: signed (version 3), in batches, unordered and more than once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from plugins.crm import Change, Kind, Ref
from plugins.crm.hubspot import found as found_as
from plugins.crm.hubspot.fields import COMPANY, PERSON
from plugins.crm.hubspot.reading import Reading
from plugins.errors import InvalidInput, PermissionDenied
from plugins.foreign import read_json
from plugins.hooks import WINDOW_SECONDS, Heard, HookCall, HookMessage

KINDS = {"contact": Kind.PERSON, "0-1": Kind.PERSON, "company": Kind.COMPANY, "0-2": Kind.COMPANY}
GONE = frozenset({"deletion", "privacyDeletion"})
MADE = frozenset({"creation", "restore"})
DECODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
"""What HubSpot decodes in the address before it signs: `:/?@!$'()*,;` and nothing else."""


def hear(call: HookCall, secret: str, portal: Any) -> Heard:
    """The events of a call that is signed with `secret`, the app's client secret, and no older than five minutes.
    Events of another account than ours (`portal`; None: not known) that has the same app installed are left out."""
    _hold_to_signature(call, secret)
    try:
        events = read_json(call.body)
    except ValueError:
        events = None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise InvalidInput("a webhook of HubSpot's is a list of events")
    ours = [event for event in events if portal is None or event.get("portalId", portal) == portal]
    return Heard(tuple(HookMessage(_name(event), event) for event in ours))


def told(event: Mapping[str, Any], reading: Reading) -> tuple[Change, ...]:
    """What one event says; () for what is no matter of people and companies. New and restored records are read."""
    what, _, deed = str(event.get("subscriptionType", "")).partition(".")
    kind = KINDS.get(str(event.get("objectTypeId")) if what == "object" else what)
    if kind is None or "occurredAt" not in event:
        return ()
    at = found_as.moment(event["occurredAt"])
    ours = _is_ours(event)
    if deed == "merge":
        return _merged(event, kind, at, ours, reading)
    ref = Ref(kind, str(event.get("objectId")))
    if deed in GONE:
        return (Change(ref, at, {}, deleted=True, ours=ours),)
    if deed in MADE:
        return _read(ref, at, ours, reading)
    if deed == "propertyChange":
        return (Change(ref, at, _value(event, kind, reading), ours=ours),)
    return ()


def _hold_to_signature(call: HookCall, secret: str) -> None:
    headers = {name.lower(): value for name, value in call.headers.items()}
    stamp, signed = headers.get("x-hubspot-request-timestamp", ""), headers.get("x-hubspot-signature-v3", "")
    if not secret:
        raise PermissionDenied("there is no client secret to judge HubSpot's signature by")
    age = call.at.timestamp() - int(stamp) / 1000 if re.fullmatch(r"\d{1,15}", stamp) else None
    if age is None or abs(age) > WINDOW_SECONDS:
        raise PermissionDenied("the call is too old, or says not how old it is")
    address = DECODED.sub(lambda found: chr(int(found[1], 16)), call.url)
    source = f"{call.method.upper()}{address}".encode() + call.body + stamp.encode()
    right = base64.b64encode(hmac.digest(secret.encode(), source, hashlib.sha256))
    if not hmac.compare_digest(right, signed.encode()):
        raise PermissionDenied("the call is not signed as HubSpot signs")


def _name(event: Mapping[str, Any]) -> str:
    """The same for an event told again. HubSpot does not promise that its eventId is anybody's alone, and counts the
    attempts inside the event."""
    parts = {name: value for name, value in event.items() if name != "attemptNumber"}
    said = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return f"{event.get('eventId', '')}.{hashlib.sha256(said.encode()).hexdigest()[:24]}"


def _is_ours(event: Mapping[str, Any]) -> bool:
    """Whether the app that these events are for made the change itself."""
    app = event.get("appId")
    return event.get("changeSource") == "INTEGRATION" and app is not None and str(event.get("sourceId")) == str(app)


def _value(event: Mapping[str, Any], kind: Kind, reading: Reading) -> dict[str, Any]:
    """The changed property by our name and in our words where we have one."""
    name, value = str(event.get("propertyName", "")), event.get("propertyValue")
    text = None if value in (None, "") else str(value)
    names = {theirs: ours for ours, theirs in (PERSON if kind == Kind.PERSON else COMPANY).items()}
    if name == reading.config.text("csm_property") and kind == Kind.COMPANY:
        return {"csm_email": reading.owners.email_of(text)}
    for setting, ours in (("source_property", "source"), ("opted_out_property", "opted_out")):
        if kind == Kind.PERSON and name == reading.config.text(setting):
            return {ours: found_as.flag(text) if ours == "opted_out" else text}
    if name == "hs_email_optout":
        return {"opted_out": found_as.flag(text)}
    read = {
        "owner_email": reading.owners.email_of,
        "status": found_as.our_status,
        "employees": found_as.employees,
        "industry": found_as.industry,
        "is_customer": found_as.is_customer,
        "is_target": found_as.flag,
    }
    ours = names.get(name, name)
    return {ours: read[ours](text) if ours in read else text}


def _read(ref: Ref, at: datetime, ours: bool, reading: Reading) -> tuple[Change, ...]:
    found = reading.people([ref]) if ref.kind == Kind.PERSON else reading.companies([ref])
    if ref.id not in found:
        return ()
    return (Change(ref, at, found_as.said_of(found[ref.id]), ours=ours),)


def _merged(event: Mapping[str, Any], kind: Kind, at: datetime, ours: bool, reading: Reading) -> tuple[Change, ...]:
    """The records that went into another, and that one as it is now: the primary one, or a new one into which that went
    as well (developers.hubspot.com/changelog/new-subscription-types-for-webhooks, on `newObjectId`)."""
    kept = Ref(kind, str(event.get("newObjectId") or event.get("primaryObjectId") or event.get("objectId")))
    told = filter(None, [event.get("primaryObjectId"), *(event.get("mergedObjectIds") or [])])
    gone = [Ref(kind, id) for id in dict.fromkeys(map(str, told)) if id != kept.id]
    return (*_read(kept, at, ours, reading), *(Change(ref, at, {}, True, ours, kept) for ref in gone))
