"""What changed in a Google calendar, by events.list with a sync token
(https://developers.google.com/workspace/calendar/api/guides/sync)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from plugins.calendar import Changes
from plugins.calendar.google.events import WANTED, changed, is_gone
from plugins.errors import CursorExpired, Permanent

PAGE = 2500
_PLACES = frozenset({"syncToken", "pageToken"})


def changes_of(listed: Callable[..., dict[str, Any]], calendar: str, cursor: str) -> Changes:
    """One page of changes since `cursor`. `listed` is events.list of that calendar.

    Series come as one item each, with their exceptions beside them (singleEvents off): expanded, an event of ours that
    its owner makes a series of would vanish, because its instances have other ids, and a daily series without end
    would be hundreds of items. What a series takes of somebody's time is read by freeBusy, which expands it. All
    parameters but the token stay the same from the first page on, else Google's answer is undefined; what was deleted
    comes with a token in any case (events.list, syncToken).
    """
    at = _place(cursor)
    since = "syncToken" in at
    fields = f"nextPageToken,nextSyncToken,timeZone,items({WANTED})"
    found = listed(maxResults=PAGE, singleEvents=False, fields=fields, **at)
    zone = str(found.get("timeZone", ""))
    there = (one for one in found.get("items") or [] if since or not is_gone(one))
    items = tuple(changed(calendar, one, zone) for one in there)
    if found.get("nextPageToken"):
        return Changes(items, json.dumps({**at, "pageToken": found["nextPageToken"]}), more=True)
    if not found.get("nextSyncToken"):
        raise Permanent("Google told no place in its list of changes").at("calendar.google", "changes")
    return Changes(items, json.dumps({"syncToken": found["nextSyncToken"]}))


def _place(cursor: str) -> dict[str, str]:
    """The tokens that lead on from where we are."""
    try:
        at = json.loads(cursor) if cursor else {}
        if isinstance(at, dict) and at.keys() <= _PLACES and all(isinstance(one, str) for one in at.values()):
            return at
    except ValueError:
        pass
    raise CursorExpired("this is no cursor of ours").at("calendar.google", "changes")
