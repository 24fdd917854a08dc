"""The connected Google account: its calendars, what it agreed to, and whether it works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from plugins.adapter import CheckResult
from plugins.calendar import CalendarInfo, Window
from plugins.calendar.google import times
from plugins.calendar.google.api import Api
from plugins.calendar.google.sign_in import BUSY, LIST, SignIn, lacking, scopes_of
from plugins.config import Config
from plugins.oauth import Authorized

PAGE, MOST_PAGES = 250, 40
_FOR_PEOPLE = {BUSY: "see when calendars are busy", LIST: "see the list of calendars"}
_WRITING = "write events"


def calendars(api: Api, authorized: Authorized, *, shared: bool) -> list[CalendarInfo]:
    """The calendars that the account sees. Those of others are writable only where it asked for that."""
    roles = ("owner", "writer") if shared else ("owner",)
    return [
        CalendarInfo(
            one["id"],
            str(one.get("summaryOverride") or one.get("summary") or one["id"]),
            bool(one.get("primary")),
            one.get("accessRole") in roles,
        )
        for one in _listed(api, authorized)
    ]


def checked(api: Api, sign_in: SignIn, config: Config, now: datetime) -> CheckResult:
    """Sign in, hold what was agreed to against what is needed, and read a minute of the account's own calendar."""
    if sign_in.per_calendar:
        sign_in.itself().granted()
        said = "Each calendar is used in its owner's name; whether that is allowed shows when it is first read."
        return CheckResult(ok=True, account=sign_in.key["client_email"], warnings=(said,))
    if not sign_in.key and not config.text("client_id"):
        return CheckResult(ok=False, message="Please give an OAuth client, or the key of a service account.")
    granted, wanted = sign_in.granted(), scopes_of(config)
    missing = lacking(wanted, granted)
    if set(missing) - {LIST}:
        things = " and ".join(_FOR_PEOPLE.get(one, _WRITING) for one in missing)
        said = f"Google was not asked or not allowed to: {things}. Please connect again and leave all boxes ticked."
        return CheckResult(ok=False, granted=tuple(granted), missing=missing, message=said)
    mine = "primary"
    found = times.busy(api, sign_in.itself(), [mine], Window(now, now + timedelta(minutes=1)))[mine]
    if found.error is not None:
        raise found.error
    account = sign_in.subject if missing else _name(calendars(api, sign_in.itself(), shared=True), sign_in.subject)
    warnings = ("The calendars to choose from cannot be listed; name them by their addresses.",) if missing else ()
    return CheckResult(True, account or "Google Calendar", tuple(granted), missing, warnings)


def _name(found: list[CalendarInfo], subject: str) -> str:
    """A person's first calendar is called by their address."""
    return next((one.id for one in found if one.primary), subject)


def _listed(api: Api, authorized: Authorized) -> Iterator[dict[str, Any]]:
    token: dict[str, Any] = {}
    fields = "nextPageToken,items(id,summary,summaryOverride,primary,accessRole,deleted)"
    for _ in range(MOST_PAGES):
        page = api.call("calendars", "calendarList.list", authorized, maxResults=PAGE, fields=fields, **token)
        yield from (one for one in page.get("items") or [] if not one.get("deleted"))
        if not page.get("nextPageToken"):
            return
        token = {"pageToken": page["nextPageToken"]}
