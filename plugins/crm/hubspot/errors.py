"""What HubSpot's refusals mean for the caller, and which of our fields they speak of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.crm.hubspot.fields import OURS, UNMAPPED
from plugins.errors import (
    AuthError,
    ConfigError,
    Conflict,
    Duplicate,
    InvalidInput,
    NotFound,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from plugins.http import Reply
from plugins.statuses import retry_after

STATUS = {
    "VALIDATION_ERROR": 400,
    "INVALID_AUTHENTICATION": 401,
    "EXPIRED_AUTHENTICATION": 401,
    "MISSING_SCOPES": 403,
    "USER_DOES_NOT_HAVE_PERMISSIONS": 403,
    "OBJECT_NOT_FOUND": 404,
    "CONFLICT": 409,
    "OBJECT_ALREADY_EXISTS": 409,
    "RATE_LIMITS": 429,
}
"""Categories as the statuses they come with: inside an answer to a batch they come alone."""
WAITS = {"SECONDLY": 1, "TEN_SECONDLY_ROLLING": 10}
"""How long to leave HubSpot alone where it does not say, in seconds, by the limit that was met."""
MIGRATING, MIGRATION = 477, timedelta(hours=1)
"""The account is on its way to another place of HubSpot's (developers.hubspot.com, Handling errors), which names the
seconds to wait, up to a day; else it is asked again after this."""
UNKNOWN_ZONE = timedelta(hours=1)
"""When to ask again after the daily limit where the account's midnight is not known."""
TAKEN = "CONFLICTING_UNIQUE_VALUE"


@dataclass(frozen=True, slots=True)
class Refused:
    """One property that HubSpot did not take: its name, HubSpot's code, and its sentence."""

    name: str
    code: str
    says: str

    @property
    def by_rule(self) -> bool:
        """Whether the account's admin demands this property, rather than refusing our value of it."""
        return "REQUIRED" in self.code or bool(re.search(r"\brequired\b", self.says, re.IGNORECASE))


def judge(reply: Reply, *, now: datetime, zone: str) -> PluginError | None:
    """The error that an answer as a whole stands for; None leaves it to the status. `zone` is the account's, "" when it
    is not known: the daily limit begins anew at its midnight."""
    if 200 <= reply.status < 300 and b'"error"' not in reply.body[:2000]:
        return None
    if reply.status == MIGRATING:
        return _migrating(retry_after(reply.headers, now) or now + MIGRATION)
    try:
        told = json.loads(reply.body)
    except ValueError:
        return _unread(reply)
    if not isinstance(told, dict) or not (told.get("category") or told.get("status") == "error"):
        return None
    status = reply.status if reply.status >= 400 else STATUS.get(str(told.get("category")), 400)
    if status == 429:
        return _limited(told, retry_after(reply.headers, now), now, zone)
    return meant(told, status)


def meant(told: Mapping[str, Any], status: int | None = None) -> PluginError | None:
    """The error that HubSpot's error object stands for: a whole answer, or one of `errors` of a batch (its category
    then says the status). None for what is no matter of the request, such as 5xx."""
    status = status or STATUS.get(str(told.get("category", "")), 400)
    about: dict[str, Any] = {
        "http_status": status,
        "vendor_code": str(told.get("category", "")),
        "request_id": str(told.get("correlationId", "")),
    }
    message = " ".join(str(told.get("message", "")).split())[:300]
    if status == 400:
        return _invalid(told, message, about)
    if status == 403:
        return _forbidden(told, message, about)
    if status == 409:
        existing = re.search(r"Existing ID:\s*(\d+)", message)
        return Duplicate(message, existing=existing[1] if existing else "", **about)
    simple = {401: AuthError, 404: NotFound, 412: Conflict, 423: Transient}
    return simple[status](message, **about) if status in simple else None


def properties(told: Mapping[str, Any]) -> list[Refused]:
    """The properties that an error object names: in its `errors`, in the JSON inside its message, in its context."""
    return [*_detailed(told), *_in_message(str(told.get("message", ""))), *_in_context(told)]


def midnight(now: datetime, zone: str) -> datetime:
    """When the account's next day begins; in an hour where nobody knows its zone."""
    try:
        there = now.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return now + UNKNOWN_ZONE
    return datetime.combine(there.date() + timedelta(days=1), time(), there.tzinfo).astimezone(UTC)


def _unread(reply: Reply) -> PluginError | None:
    """A 404 that is not in HubSpot's words comes from something in between: it does not say that a record is gone."""
    return Transient("404 in nobody's words", http_status=404) if reply.status == 404 else None


def _migrating(until: datetime) -> RateLimited:
    said = "HubSpot is moving this account to another data center. What waits goes out when that is done."
    return RateLimited("migration in progress", http_status=MIGRATING, retry_after=until, user_message=said)


def _limited(told: Mapping[str, Any], said: datetime | None, now: datetime, zone: str) -> PluginError:
    message = str(told.get("message", ""))[:300]
    named = re.search(r"your (\w+) limit", message)
    policy = str(told.get("policyName") or (named[1] if named else "")).upper()
    about: dict[str, Any] = {
        "http_status": 429,
        "vendor_code": policy,
        "request_id": str(told.get("correlationId", "")),
    }
    if policy == "DAILY":
        return QuotaExhausted(message, retry_after=said or midnight(now, zone), **about)
    wait = now + timedelta(seconds=WAITS[policy]) if policy in WAITS else None
    return RateLimited(message, retry_after=said or wait, **about)


def _invalid(told: Mapping[str, Any], message: str, about: dict[str, Any]) -> PluginError:
    refused = properties(told)
    taken = next((one for one in refused if one.code == TAKEN), None)
    if taken or "already has that value" in message:
        existing = re.search(r"(\d+) already has that value", f"{taken.says if taken else ''} {message}")
        return Duplicate(f"{TAKEN}: {taken.name if taken else ''}", existing=existing[1] if existing else "", **about)
    unknown = [one for one in refused if one.code in UNMAPPED]
    ruled = [one for one in refused if one not in unknown and one.by_rule]
    if unknown or ruled:
        return _for_admin(unknown, ruled, about)
    names = ", ".join(one.name for one in refused)
    code = refused[0].code if refused else ""
    field = OURS.get(refused[0].name, refused[0].name) if refused else ""
    said = f"HubSpot does not accept the value of {names}." if names else ""
    about = {**about, "vendor_code": code or about["vendor_code"]}
    return InvalidInput(f"{names}: {code}" if names else message, field=field, user_message=said, **about)


def _for_admin(unknown: list[Refused], ruled: list[Refused], about: dict[str, Any]) -> ConfigError:
    """A rule of the account's admin (enforced by the API since 2026-09), or a mapping to what is not there."""
    said = [f"HubSpot has no property {one.name} that can be written." for one in unknown]
    if names := ", ".join(one.name for one in ruled):
        said.append(f"A rule of this HubSpot account demands a value for {names}: map one to it, or relax the rule.")
    problems = tuple((one.name, one.code or "is required") for one in [*unknown, *ruled])
    message = "; ".join(f"{name}: {code}" for name, code in problems)
    return ConfigError(message, problems=problems, user_message=" ".join(said), **about)


def _forbidden(told: Mapping[str, Any], message: str, about: dict[str, Any]) -> PermissionDenied:
    scopes = missing_scopes(told)
    said = f"HubSpot wants a further right for this: {', '.join(scopes)}." if scopes else ""
    return PermissionDenied(f"{message} {' '.join(scopes)}".strip(), user_message=said, **about)


def missing_scopes(told: Mapping[str, Any]) -> list[str]:
    """The scopes that a refusal names."""
    lists = [
        one.get("context", {}).get(name)
        for one in told.get("errors") or []
        if isinstance(one, Mapping) and isinstance(one.get("context", {}), Mapping)
        for name in ("requiredGranularScopes", "requiredScopes", "missingScopes")
    ]
    return sorted({str(scope) for found in lists if isinstance(found, list) for scope in found})


def _detailed(told: Mapping[str, Any]) -> Iterator[Refused]:
    for one in told.get("errors") or []:
        if not isinstance(one, Mapping):
            continue
        context = one.get("context") or {}
        named = context.get("propertyName") or context.get("properties") or context.get("propertyNames") or []
        names = [named] if isinstance(named, str) else named
        names = names or ([one["in"]] if one.get("in") else [])
        code = str(one.get("code") or one.get("subCategory") or "")
        for name in names:
            yield Refused(str(name), code.rpartition(".")[2], str(one.get("message", "")))


def _in_context(told: Mapping[str, Any]) -> Iterator[Refused]:
    """`"message": "… Some required properties were not set.", "context": {"properties": ["dealstage"]}`"""
    context = told.get("context")
    for about, names in context.items() if isinstance(context, Mapping) else ():
        if "propert" in about.lower() and isinstance(names, list):
            for name in names:
                yield Refused(str(name).strip("[]"), "", str(told.get("message", "")))


def _in_message(message: str) -> Iterator[Refused]:
    """`Property values were not valid: [{"isValid":false,"message":"…","error":"INVALID_EMAIL","name":"email"}]`"""
    found = re.search(r"\[\{.*\}\]", message, re.DOTALL)
    try:
        items = json.loads(found[0]) if found else []
    except ValueError:
        return
    for one in items:
        if isinstance(one, Mapping) and one.get("name"):
            yield Refused(str(one["name"]), str(one.get("error", "")), str(one.get("message", "")))
