"""Our event as Google Calendar writes it, and what its events tell us."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.calendar import Change, Changed, Draft, EventRef
from plugins.errors import Permanent

Event = Mapping[str, Any]
KEYS, UID, WROTE, GUESTS = "usherKeys", "usherUid", "usherWrote", "usherGuests"
"""Our private properties of an event. Google allows 44 characters for a name and 1024 for a value."""
KEPT_KEYS = 20
LONGEST = 8192
"""Characters of a description."""
CANCELLED = "cancelled"
WANTED = (
    "id,status,iCalUID,start,end,transparency,attendees(self,responseStatus),extendedProperties/private,"
    "recurringEventId"
)
"""The fields of an event that a list of changes is read for."""


def event_id(key: str, turn: int = 0) -> str:
    """The id of the event that a key makes: base32hex without padding, as Google demands, the same for the same key.
    `turn`: which one, where earlier ones were deleted, because a deleted event keeps its id."""
    digest = hashlib.sha256(f"usher\0{key}\0{turn}".encode()).digest()
    return base64.b32hexencode(digest).decode().rstrip("=").lower()


def written(draft: Draft, key: str, *, invite: bool) -> dict[str, Any]:
    """The event for the first time, without its id."""
    texts = _texts(draft)
    body: dict[str, Any] = {
        **texts,
        **_times(draft, {}),
        "extendedProperties": {"private": _marks(draft, key, "", texts)},
    }
    if draft.video:
        body["conferenceData"] = _meet(key)
    if invite:
        body["attendees"] = _attendees(draft, {})
    return body


def edited(found: Event, draft: Draft, key: str, *, invite: bool) -> dict[str, Any]:
    """What has to change for the event to be the draft: times always; a text only when ours changed since we last wrote
    it, so that what its owner made of it stays."""
    texts, before = _texts(draft), dict(part.split("=", 1) for part in _own(found, WROTE).split() if "=" in part)
    body: dict[str, Any] = {
        **{name: text for name, text in texts.items() if before.get(name) != _mark(text)},
        **_times(draft, found),
        "extendedProperties": {"private": _marks(draft, key, _own(found, KEYS), texts)},
    }
    if draft.video and not has_meeting(found):
        body["conferenceData"] = _meet(key)
    if invite:
        body["attendees"] = _attendees(draft, found)
    return body


def carries(found: Event, key: str) -> bool:
    """Whether we wrote it with this key."""
    return _mark(key) in _own(found, KEYS).split()


def is_gone(found: Event) -> bool:
    return found.get("status") == CANCELLED


def ref_of(calendar: str, found: Event) -> EventRef:
    """Permanent when the answer is no event."""
    if not isinstance(found.get("id"), str):
        raise Permanent("the answer is no event")
    return EventRef(calendar, found["id"], version_of(found), found.get("htmlLink", ""), video_of(found))


def version_of(found: Event) -> str:
    """What stands for the state of an event that an update must not overwrite: its times, and what we wrote last.

    Its ETag changes when Google has made the Meet link, when a guest answers and when its owner gives it a colour;
    none of that is a reason not to move it. Texts are no part of it either: those that its owner wrote stay anyway.
    """
    times = (_moment(found[name], UTC).isoformat() for name in ("start", "end") if name in found)
    return _mark(" ".join([*times, str(found.get("transparency", "opaque")), _own(found, KEYS)]))


def video_of(found: Event) -> str:
    """The address of its video meeting, "" while or when there is none."""
    points = (found.get("conferenceData") or {}).get("entryPoints") or []
    links = (str(one.get("uri", "")) for one in points if one.get("entryPointType") == "video")
    return next(links, "") or str(found.get("hangoutLink", ""))


def has_meeting(found: Event) -> bool:
    """Whether there is a video meeting, or there will be one."""
    request = (found.get("conferenceData") or {}).get("createRequest") or {}
    return bool(video_of(found)) or (request.get("status") or {}).get("statusCode") == "pending"


def changed(calendar: str, found: Event, zone: str) -> Changed:
    """An item of a list of changes. Of our own events the UID is the one we gave: Google takes no UID of ours beside an
    id of ours."""
    ref = EventRef(calendar, str(found.get("id", "")), version_of(found))
    uid = _own(found, UID) or str(found.get("iCalUID", ""))
    if is_gone(found) or "start" not in found or "end" not in found:
        return Changed(Change.DELETED, ref, uid=uid)
    start, end = (_moment(found[name], _zone(zone)) for name in ("start", "end"))
    return Changed(Change.CHANGED, ref, uid, start, end, blocks=_blocks(found))


def _blocks(found: Event) -> bool:
    answers = [one.get("responseStatus") for one in found.get("attendees") or [] if one.get("self")]
    return found.get("transparency") != "transparent" and "declined" not in answers


def _texts(draft: Draft) -> dict[str, str]:
    """A description may be HTML: what a visitor wrote is text."""
    return {
        "summary": draft.title,
        "description": html.escape(draft.description, quote=False)[:LONGEST],
        "location": draft.location,
        "transparency": "opaque" if draft.blocks else "transparent",
    }


def _times(draft: Draft, found: Event) -> dict[str, Any]:
    zone = draft.zone if _zone(draft.zone) is not UTC else "UTC"
    return {
        name: {
            "dateTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "timeZone": zone,
            **({"date": None} if "date" in (found.get(name) or {}) else {}),
        }
        for name, moment in (("start", draft.start), ("end", draft.end))
    }


def _marks(draft: Draft, key: str, before: str, texts: Mapping[str, str]) -> dict[str, str]:
    return {
        KEYS: " ".join([*before.split(), _mark(key)][-KEPT_KEYS:]),
        UID: draft.uid[:1024],
        WROTE: " ".join(f"{name}={_mark(text)}" for name, text in texts.items()),
        GUESTS: " ".join(_mark(guest.email.casefold()) for guest in draft.guests)[:1024],
    }


def _attendees(draft: Draft, found: Event) -> list[dict[str, Any]]:
    """Our guests, with what they answered, and those whom the owner added."""
    there = {str(one.get("email", "")).casefold(): dict(one) for one in found.get("attendees") or []}
    ours = {guest.email.casefold(): guest for guest in draft.guests}
    before = _own(found, GUESTS).split()
    theirs = [one for email, one in there.items() if email not in ours and _mark(email) not in before]
    named = {email: {"email": guest.email, "displayName": guest.name} for email, guest in ours.items()}
    return [there.get(email) or {k: v for k, v in one.items() if v} for email, one in named.items()] + theirs


def _meet(key: str) -> dict[str, Any]:
    wanted = {"requestId": event_id(key), "conferenceSolutionKey": {"type": "hangoutsMeet"}}
    return {"createRequest": wanted}


def _own(found: Event, name: str) -> str:
    return str(((found.get("extendedProperties") or {}).get("private") or {}).get(name, ""))


def _moment(said: Mapping[str, Any], zone: Any) -> datetime:
    if said.get("dateTime"):
        moment = datetime.fromisoformat(said["dateTime"])
        return (moment if moment.tzinfo else moment.replace(tzinfo=_zone(said.get("timeZone", "")))).astimezone(UTC)
    return datetime.combine(date.fromisoformat(said["date"]), time(), tzinfo=zone).astimezone(UTC)


def _zone(name: str) -> Any:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _mark(text: str) -> str:
    """A short name for a text; "-" for none."""
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "-"
