"""The video link that a calendar service makes for a meeting: it may come after the event, and then goes into the
meeting's place, the page and the mails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from plugins.calendar import Capability
from server.adapters import own_calendars
from server.booking import store
from server.booking.invitations import calendar_events, links, messages
from server.booking.store import AHEAD, Meeting
from server.config.service import Version
from server.errors import NotFound
from server.outbox import service as outbox


def heed_event(
    tx: Connection, version: Version, meeting_id: str, operation: str, key: str, result: Mapping[str, Any]
) -> None:
    """What a calendar answered to a delivery about a meeting's event: its link is kept, or asked for until it is
    there. Nothing for an event that the meeting has no more, and where no link was wanted."""
    meeting = store.get(tx, meeting_id)
    if meeting is None or meeting.status not in AHEAD or not links.place(version, meeting).wants_video:
        return
    event = key.removesuffix(":video") if operation == "video" else key
    if operation not in ("create", "update", "video") or event != meeting.calendar_key:
        return
    if url := str(result.get("video_url") or ""):
        _keep(tx, version, meeting, url)
    elif operation != "video" and not meeting.video_url and makes_links(tx, version, event):
        calendar_events.ask_for_link(tx, version, meeting)


def makes_links(tx: Connection, version: Version, event: str) -> bool:
    """Whether the service that the event of this delivery is in makes video links."""
    row = outbox.by_key(tx, event)
    try:
        connection = own_calendars.through(tx, version, (row.connection_id if row is not None else "") or "")
    except NotFound:
        return False
    return connection is not None and own_calendars.can(connection, Capability.VIDEO)


def _keep(tx: Connection, version: Version, meeting: Meeting, url: str) -> None:
    if url == meeting.video_url or not store.change(tx, meeting.id, AHEAD, {"video_url": url}):
        return
    now = store.get(tx, meeting.id)
    if now is not None:
        messages.linked(tx, version, now)
