"""What Salesforce's refusals mean for the caller: a table of its error codes, and who is named in ours or theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from plugins.errors import (
    AuthError,
    ConfigError,
    Conflict,
    Duplicate,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from plugins.http import Judge, Reply
from plugins.statuses import meaning

WINDOW = timedelta(hours=1)
"""The allowance counts the last 24 hours and has no moment of reset: with every hour the calls of an hour of yesterday
stop counting. So it is asked again after an hour, and every hour."""
RULE = "DUPLICATES_DETECTED"
UNIQUE = "DUPLICATE_VALUE"
CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"
_LOCKED = "UNABLE_TO_LOCK_ROW"

_MEANING: dict[str, type[PluginError]] = {
    "INVALID_SESSION_ID": AuthError,
    "INVALID_AUTH_HEADER": AuthError,
    "INVALID_LOGIN": AuthError,
    "API_DISABLED_FOR_ORG": PermissionDenied,
    "API_CURRENTLY_DISABLED": PermissionDenied,
    "FUNCTIONALITY_NOT_ENABLED": PermissionDenied,
    "INSUFFICIENT_ACCESS": PermissionDenied,
    "INSUFFICIENT_ACCESS_OR_READONLY": PermissionDenied,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": PermissionDenied,
    "INVALID_TYPE": PermissionDenied,
    "INVALID_FIELD": ConfigError,
    "INVALID_FIELD_FOR_INSERT_UPDATE": ConfigError,
    "REQUIRED_FIELD_MISSING": ConfigError,
    "UNSUPPORTED_API_VERSION": ConfigError,
    "STORAGE_LIMIT_EXCEEDED": QuotaExhausted,
    _LOCKED: Transient,
    "QUERY_TIMEOUT": Transient,
    "ENTITY_IS_DELETED": NotFound,
    "NOT_FOUND": NotFound,
    "INVALID_CROSS_REFERENCE_KEY": NotFound,
    "MALFORMED_ID": NotFound,
    "ENTITY_IS_LOCKED": Conflict,
    CONVERTED: Conflict,
    UNIQUE: Duplicate,
    RULE: Duplicate,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": InvalidInput,
    "FIELD_FILTER_VALIDATION_EXCEPTION": InvalidInput,
    "FIELD_INTEGRITY_EXCEPTION": InvalidInput,
    "STRING_TOO_LONG": InvalidInput,
    "NUMBER_OUTSIDE_VALID_RANGE": InvalidInput,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": InvalidInput,
    "INVALID_EMAIL_ADDRESS": InvalidInput,
    "INVALID_TYPE_ON_FIELD_IN_RECORD": InvalidInput,
    "JSON_PARSER_ERROR": InvalidInput,
    "INACTIVE_OWNER_OR_USER": InvalidInput,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Permanent,
    "CANNOT_EXECUTE_FLOW_TRIGGER": Permanent,
    "APEX_ERROR": Permanent,
    "MALFORMED_QUERY": Permanent,
}
_NAMED = re.compile(
    r"No such column '(?P<column>[\w.]+)'|fields?(?: are missing)?: \[?(?P<listed>[\w, ]+)\]?|^(?P<first>\w+): "
)
Names = Mapping[str, str]
"""Salesforce's name of a field → ours."""


class RuleObjects(Duplicate):
    """A duplicate rule of the org holds the record for one it has (`existing`). `may_save`: the rule only warns."""

    may_save = False


def judge(names: Names, now: Callable[[], datetime]) -> Judge:
    """What `Http.call` asks of every answer; also looks into the answers inside a composite one."""

    def error_in(reply: Reply) -> PluginError | None:
        told = _decoded(reply)
        if reply.status < 300:
            return _inside(told, reply.call.repeatable, names, now)
        return error_of(told, reply.status, names, now)

    return error_in


def error_of(told: Any, status: int, names: Names, now: Callable[[], datetime]) -> PluginError | None:
    """The error that a refusal stands for; None when it names no code we know, which leaves it to the status."""
    first = told[0] if isinstance(told, list) and told else told
    if not isinstance(first, dict) or not {"errorCode", "statusCode"} & first.keys():
        return None
    code = str(first.get("errorCode") or first.get("statusCode"))
    message = " ".join(str(first.get("message", ""))[:500].split())
    about: dict[str, Any] = {"http_status": status, "vendor_code": code}
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _over(message, about, now)
    kind = Transient if _LOCKED in message else _MEANING.get(code)
    if kind is None:
        return None
    if kind is Duplicate:
        return _duplicate(first, message, about)
    named = [names.get(field, field) for field in _fields(first, message)]
    return _written(kind, code, message, named, about)


def _written(kind: type[PluginError], code: str, message: str, named: list[str], about: dict[str, Any]) -> PluginError:
    said = f"{code}: {message}"
    if issubclass(kind, InvalidInput):
        field = "owner_email" if code == "INACTIVE_OWNER_OR_USER" else (named[0] if named else "")
        of = f"the value of {field}" if field else "a value"
        return kind(said, field=field, user_message=f"Salesforce does not accept {of}: {message}", **about)
    if issubclass(kind, ConfigError):
        problems = tuple((field, _WHY.get(code, message)) for field in named)
        return kind(said, problems=problems, user_message=_config_sentence(code, named, message), **about)
    return kind(said, **about)


_WHY = {
    "INVALID_FIELD": "Salesforce has no such field, or our user may not see it",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "our user may not write it",
    "REQUIRED_FIELD_MISSING": "Salesforce demands a value",
}


def _config_sentence(code: str, named: list[str], message: str) -> str:
    if not named or code not in _WHY:
        return f"Salesforce refuses our requests: {message}"
    return f"{', '.join(named)}: {_WHY[code]}."


def _over(message: str, about: dict[str, Any], now: Callable[[], datetime]) -> PluginError:
    """Too many requests that take long at the same time pass by themselves; the day's allowance comes back by hours."""
    if "concurrent" in message.lower():
        return RateLimited(message, **about)
    return QuotaExhausted(message, retry_after=now() + WINDOW, **about)


def _duplicate(first: Mapping[str, Any], message: str, about: dict[str, Any]) -> Duplicate:
    if about["vendor_code"] == UNIQUE:
        found = re.search(r"record with id: (\w{15,18})", message)
        return Duplicate(message, existing=found[1] if found else "", **about)
    # Salesforce itself misspells the name
    result = first.get("duplicateResut") or first.get("duplicateResult") or {}
    matches = [
        record.get("record", {}).get("Id", "")
        for found in result.get("matchResults", [])
        for record in found.get("matchRecords", [])
    ]
    rule = str(result.get("duplicateRule", ""))
    sentence = f"The duplicate rule {rule} of Salesforce refuses this: {message}" if rule else ""
    error = RuleObjects(message, existing=next(filter(None, matches), ""), user_message=sentence, **about)
    error.may_save = bool(result.get("allowSave"))
    return error


def _fields(first: Mapping[str, Any], message: str) -> list[str]:
    """The fields that a refusal is about; some are named only in its words."""
    listed = [str(field) for field in first.get("fields") or []]
    if listed:
        return listed
    found = _NAMED.search(message)
    if found is None:
        return []
    told = found["column"] or found["listed"] or found["first"]
    return [part.strip() for part in told.split(",") if part.strip()]


def _inside(told: Any, repeatable: bool, names: Names, now: Callable[[], datetime]) -> PluginError | None:
    """What went wrong inside an answer that says 2xx: a write that did not succeed, a part of a composite."""
    if not isinstance(told, dict):
        return None
    if told.get("success") is False:
        return error_of(told.get("errors"), 400, names, now) or Permanent(f"refused: {str(told)[:300]}")
    for part in told.get("compositeResponse") or []:
        status = int(part.get("httpStatusCode", 200))
        if status >= 400:
            kind = meaning(status, repeatable=repeatable) or Permanent
            error = error_of(part.get("body"), status, names, now)
            return error or kind(f"{part.get('referenceId')}: {status}", http_status=status)
    return None


def _decoded(reply: Reply) -> Any:
    """The body of an answer, None when it is no JSON: who needs it finds out by `Reply.json`."""
    try:
        return json.loads(reply.body) if reply.body else None
    except ValueError:
        return None
