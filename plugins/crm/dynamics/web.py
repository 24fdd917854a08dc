"""Calls to Dataverse's Web API: tables and keys, rows, writing that makes or changes, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from plugins.crm import Kind, Ref
from plugins.errors import (
    Conflict,
    CursorExpired,
    Duplicate,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    RateLimited,
    Transient,
)
from plugins.http import Reply
from plugins.oauth import Authorized
from plugins.odata import OData
from plugins.statuses import meaning

API = "/api/data/v9.2"
LABELS = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
LABEL = "@OData.Community.Display.V1.FormattedValue"
_OURS = UUID("2a0c4d34-2f6e-4c6a-8a43-1b7f7c1f9b11")

SETS = {
    "lead": ("leads", "leadid"),
    "contact": ("contacts", "contactid"),
    "account": ("accounts", "accountid"),
    "opportunity": ("opportunities", "opportunityid"),
    "task": ("tasks", "activityid"),
    "phonecall": ("phonecalls", "activityid"),
    "appointment": ("appointments", "activityid"),
    "annotation": ("annotations", "annotationid"),
    "systemuser": ("systemusers", "systemuserid"),
}
"""Table → its name in addresses, and the column of its key."""
KINDS = {
    "lead": Kind.PERSON,
    "contact": Kind.PERSON,
    "account": Kind.COMPANY,
    "opportunity": Kind.OPPORTUNITY,
    "task": Kind.ACTIVITY,
    "phonecall": Kind.ACTIVITY,
    "appointment": Kind.MEETING,
}

CODES: dict[int, type[PluginError]] = {
    0x80040217: NotFound,  # ObjectDoesNotExist
    0x80060891: NotFound,  # RecordNotFoundByEntityKey
    0x80040220: PermissionDenied,  # PrivilegeDenied
    0x80048306: PermissionDenied,  # the role lacks a privilege
    0x80072560: PermissionDenied,  # the application is no user of this environment
    0x80040225: PermissionDenied,  # the user is disabled
    0x80040333: Duplicate,  # DuplicateRecordsFound: a rule of the owner's
    0x80060892: Duplicate,  # DuplicateRecordEntityKey
    0x80040237: Conflict,  # DuplicateRecord: this key is taken
    0x80060882: Conflict,  # ConcurrencyVersionMismatch
    0x80072322: RateLimited,  # more than 6,000 requests in five minutes
    0x80072321: RateLimited,  # more than 20 minutes of work in five
    0x80072326: RateLimited,  # more than 52 at once
    0x80044352: CursorExpired,  # ExpiredVersionStamp
    0x80044331: InvalidInput,  # StringLengthTooLong
    0x80048D19: InvalidInput,  # a value of another type
    0x80044150: Transient,  # GenericSqlError
    0x80044151: Transient,  # SqlTimeoutError
}
"""Dataverse's own codes where they say more than the status."""
_PROPERTY = re.compile(r"property named '(\w+)'|'(\w+)' attribute|property '(\w+)'")
NOT_A_USER = "This application is no user of the Dynamics environment yet: add it as an application user."


class Web(OData):
    """Dataverse with the application's token. `base` is the environment's address without a slash at its end, `ours`
    our name of each table's columns."""

    def __init__(
        self, calls: Authorized, base: str, ours: Mapping[str, Mapping[str, str]], *, detect_duplicates: bool = False
    ) -> None:
        self._calls, self.base, self._ours, self._detect = calls, base, ours, detect_duplicates
        self.root = f"{base}{API}"

    def call(self, operation: str, method: str, path: str, *, prefer: str = LABELS, **request: Any) -> Reply:
        """`path` begins behind the version ("leads"), or is a whole address that Dataverse gave us to go on with."""
        url = path if self.owns(path) else f"{self.root}/{path}"
        headers = {
            "Accept": "application/json",
            "OData-Version": "4.0",
            "OData-MaxVersion": "4.0",
            **({"Prefer": prefer} if prefer and method == "GET" else {}),
            **request.pop("headers", {}),
        }
        return self._calls.call(operation, method, url, judge=judge, headers=headers, **request)

    def get(self, operation: str, path: str, **request: Any) -> dict[str, Any]:
        """An object."""
        found = super().get(operation, path, **request)
        if "error" in found:
            raise Permanent(f"{operation}: the answer is an error")
        return found

    def make(self, operation: str, table: str, id: str, values: Mapping[str, Any]) -> bool:
        """Create the row with this key; False when it is there already. Duplicate where a rule of theirs is met."""
        headers = {"If-None-Match": "*"}
        if self._detect:
            headers["MSCRM.SuppressDuplicateDetection"] = "false"
        try:
            self._write(operation, table, id, values, headers)
        except Duplicate:
            raise
        except Conflict as conflict:
            if conflict.http_status != 412:
                raise
            return False
        return True

    def change(self, operation: str, table: str, id: str, values: Mapping[str, Any]) -> None:
        """Change the row; NotFound when there is none."""
        if values:
            self._write(operation, table, id, values, {"If-Match": "*"})

    def delete(self, operation: str, table: str, id: str) -> None:
        """Take the row away; one that is gone is fine."""
        try:
            self.call(operation, "DELETE", at(table, id))
        except NotFound:
            return

    def _write(
        self, operation: str, table: str, id: str, values: Mapping[str, Any], headers: Mapping[str, str]
    ) -> None:
        try:
            self.call(operation, "PATCH", at(table, id), json=dict(values), headers=dict(headers))
        except InvalidInput as refused:
            refused.field = self._ours.get(table, {}).get(refused.field, refused.field)
            raise

    def ref(self, table: str, id: str, *, created: bool = False) -> Ref:
        """How a row is known to us: its table and its key."""
        url = f"{self.base}/main.aspx?pagetype=entityrecord&etn={table}&id={id}"
        return Ref(KINDS[table], f"{table}/{id}", url, created)


def own_id(*parts: str) -> str:
    """The key that we choose for a row: the same for the same parts, so that making it twice makes one."""
    return str(uuid5(_OURS, "\0".join(parts)))


def at(table: str, id: str) -> str:
    """The path of a row."""
    return f"{SETS[table][0]}({id})"


def bound(table: str, id: str) -> str:
    """A row as the value of a binding."""
    return f"/{at(table, id)}"


def key_of(ref: Ref, kind: Kind) -> tuple[str, str]:
    """Table and key of what a reference leads to; NotFound for what none of ours looks like."""
    table, _, id = ref.id.partition("/")
    try:
        if KINDS.get(table) is not kind:
            raise ValueError(table)
        return table, str(UUID(id))
    except ValueError:
        raise NotFound(f"there is no {kind} {ref.id}") from None


def quoted(text: str) -> str:
    """A text inside a filter (OData 4.0 ABNF: a quote is doubled)."""
    return "'" + text.replace("'", "''") + "'"


def judge(reply: Reply) -> PluginError | None:
    """What Dataverse's error code says, where it says more than the status."""
    if reply.status < 400:
        return None
    try:
        body = reply.json()
    except PluginError:
        return None
    told = body.get("error") if isinstance(body, dict) else None
    if not isinstance(told, dict):
        return None
    code, text = str(told.get("code", "")), " ".join(str(told.get("message", "")).split())[:300]
    usual = meaning(reply.status, repeatable=reply.call.repeatable) or Permanent
    kind = CODES.get(_number(code), usual)
    if reply.status == 412 and not issubclass(kind, Conflict):
        kind = Conflict
    message = f"{reply.call.place()}: {reply.status} {code}: {text}"
    about: dict[str, Any] = {"http_status": reply.status, "vendor_code": code}
    if kind is InvalidInput:
        named = _PROPERTY.search(text)
        return InvalidInput(message, field=next(filter(None, named.groups()), "") if named else "", **about)
    if _number(code) == 0x80072560:
        return PermissionDenied(message, user_message=NOT_A_USER, **about)
    return kind(message, **about)


def _number(code: str) -> int:
    try:
        return int(code, 16)
    except ValueError:
        return 0
