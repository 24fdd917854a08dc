"""Our event as Microsoft Graph takes it, and the event that is there brought to a new draft without losing what its
owner, the guests' answers or Teams made of it."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from plugins.calendar import Draft, EventRef
from plugins.calendar.microsoft.graph import moment, wire
from plugins.emails import stable_id
from plugins.errors import Permanent

_OURS = "{6c0cbb6f-2f0e-4b0b-9d6e-9a4a3a7f7a51}"
KEY, STATE = f"String {_OURS} Name UsherKey", f"String {_OURS} Name Usher"
"""Extended properties: by the first the event is found again, the second is what we remember in it."""
EXPAND = f"singleValueExtendedProperties($filter=id eq '{KEY}' or id eq '{STATE}')"
KEPT = 20
_MARK = "usher-text"
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Stored:
    """An event as Graph gave it, with our properties."""

    data: Mapping[str, Any]

    @property
    def version(self) -> str:
        return str(self.data.get("@odata.etag") or "")

    @property
    def state(self) -> dict[str, Any]:
        """What we remember in it: `keys` that wrote it, versions that were written over (`bases`), what we `wrote`."""
        for one in self.data.get("singleValueExtendedProperties") or []:
            if str(one.get("id", "")).casefold() == STATE.casefold():
                try:
                    found = json.loads(one.get("value") or "{}")
                except ValueError:
                    break
                return found if isinstance(found, dict) else {}
        return {}

    def carries(self, key: str) -> bool:
        """Whether we wrote it with this key."""
        return _mark(key) in self.state.get("keys", [])

    def is_not_what_was(self, version: str) -> bool:
        """Whether somebody has changed it since that version: we did, or it lies elsewhere than where we put it.
        The answer of a guest, or Teams adding its link, makes a new version as well and is no such change."""
        start, end = moment(self.data.get("start")), moment(self.data.get("end"))
        written_over = _mark(version) in self.state.get("bases", [])
        return written_over or self.state.get("wrote", {}).get("times") != _times(start, end)

    def ref(self, calendar: str) -> EventRef:
        online = self.data.get("onlineMeeting") or {}
        url = str(online.get("joinUrl") or self.data.get("onlineMeetingUrl") or "")
        return EventRef(calendar, id_of(self.data), self.version, str(self.data.get("webLink") or ""), url)


def id_of(event: Mapping[str, Any]) -> str:
    """Permanent when there is none."""
    if not isinstance(id := event.get("id"), str) or not id:
        raise Permanent("an event without an id")
    return id


def new(draft: Draft, *, key: str, guests: bool) -> dict[str, Any]:
    """The event for the first time. `transactionId` makes the same call twice harmless for a while, the property for
    good."""
    event = {
        **_times_of(draft),
        **{name: value for name, (value, _) in _texts(draft).items()},
        **_online(draft),
        "transactionId": str(uuid5(NAMESPACE_URL, f"usher:{key}")),
        "singleValueExtendedProperties": [
            {"id": KEY, "value": made_by(key)},
            {"id": STATE, "value": _remembered({}, draft, keys=[], bases=[], guests=guests)},
        ],
    }
    if guests and draft.guests:
        event["attendees"] = [_attendee(one.email, one.name) for one in draft.guests]
    return event


def edited(found: Stored, draft: Draft, *, key: str, guests: bool, seen: str) -> dict[str, Any]:
    """What to change: times always, texts when ours changed since we last wrote them. `seen` is the version that the
    caller knew."""
    before = found.state.get("wrote", {})
    change = _times_of(draft)
    for name, (value, text) in _texts(draft).items():
        if before.get(name) != _mark(text):
            change[name] = value
    if "body" in change:
        change["body"] = _body(draft.description, found.data)
    if not found.data.get("isOnlineMeeting"):
        change |= _online(draft)
    if guests:
        change |= _attendees(found, draft)
    bases = [_mark(version) for version in (found.version, seen) if version]
    state = _remembered(found.state, draft, keys=[_mark(key)], bases=bases, guests=guests)
    return {**change, "singleValueExtendedProperties": [{"id": STATE, "value": state}]}


def made_by(key: str) -> str:
    """What stands in the property of the event that a key created; safe inside a filter."""
    return stable_id("usher", key)


def _times_of(draft: Draft) -> dict[str, Any]:
    return {"start": wire(draft.start), "end": wire(draft.end), "isAllDay": False}


def _texts(draft: Draft) -> dict[str, tuple[Any, str]]:
    """Name → what is sent, and the text by which a change of ours is known."""
    title, place = _clean(draft.title), _clean(draft.location)
    shown = "busy" if draft.blocks else "free"
    return {
        "subject": (title, title),
        "location": ({"displayName": place}, place),
        "showAs": (shown, shown),
        "body": (_body(draft.description, {}), _clean(draft.description)),
    }


def _online(draft: Draft) -> dict[str, Any]:
    """A Teams meeting cannot be taken off an event again, so this only ever asks for one."""
    return {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"} if draft.video else {}


def _body(text: str, there: Mapping[str, Any]) -> dict[str, str]:
    """Our text in a part of its own. In a Teams meeting the rest of the body stays: without it the meeting is lost."""
    ours = f'<div class="{_MARK}">{html.escape(_clean(text), quote=False).replace(chr(10), "<br>")}</div>'
    body = there.get("body") or {}
    kept = str(body.get("content") or "")
    if there.get("isOnlineMeeting") and kept:
        span = _Marked().find(kept)
        inside = _begin(kept) if span is None else span[0]
        ours = kept[:inside] + ours + kept[inside if span is None else span[1] :]
    return {"contentType": "html", "content": ours}


def _begin(content: str) -> int:
    found = re.search(r"<body[^>]*>", content, re.IGNORECASE)
    return found.end() if found else 0


class _Marked(HTMLParser):
    """Finds where our part begins and ends. Exchange keeps its class, maybe with a prefix."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._starts, self._span = [0], (-1, -1)

    def find(self, content: str) -> tuple[int, int] | None:
        """From the first character of our part to behind its last; None when it is not there any more."""
        for line in content.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._content = content
        self.feed(content)
        return self._span if self._span[1] > 0 else None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "div" or self._span[1] > 0:
            return
        if self._depth:
            self._depth += 1
        elif any(name == "class" and (value or "").endswith(_MARK) for name, value in attrs):
            self._depth, self._span = 1, (self._at(), -1)

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._depth:
            self._depth -= 1
            if not self._depth:
                self._span = (self._span[0], self._content.index(">", self._at()) + 1)

    def _at(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column


def _attendees(found: Stored, draft: Draft) -> dict[str, Any]:
    """Guests whom the owner added stay, and ours keep what they answered."""
    there = {_address(one): dict(one) for one in found.data.get("attendees") or []}
    ours_before = set(found.state.get("guests", []))
    wanted = {guest.email.strip().casefold(): guest for guest in draft.guests}
    theirs = [one for email, one in there.items() if email not in wanted and _mark(email) not in ours_before]
    ours = [there.get(email) or _attendee(guest.email, guest.name) for email, guest in wanted.items()]
    after = [*ours, *theirs]
    return {} if [_address(one) for one in after] == list(there) else {"attendees": after}


def _attendee(email: str, name: str) -> dict[str, Any]:
    return {"emailAddress": {"address": email.strip(), "name": _clean(name) or email.strip()}, "type": "required"}


def _address(attendee: Mapping[str, Any]) -> str:
    return str((attendee.get("emailAddress") or {}).get("address") or "").casefold()


def _remembered(before: dict[str, Any], draft: Draft, *, keys: list[str], bases: list[str], guests: bool) -> str:
    wrote = {name: _mark(text) for name, (_, text) in _texts(draft).items()}
    state = {
        "keys": [*before.get("keys", []), *keys][-KEPT:],
        "bases": [*before.get("bases", []), *bases][-KEPT:],
        "wrote": {**wrote, "times": _times(draft.start, draft.end)},
        "guests": [_mark(one.email.strip().casefold()) for one in draft.guests] if guests else [],
    }
    return json.dumps(state, separators=(",", ":"))


def _times(start: datetime, end: datetime) -> str:
    return _mark(f"{wire(start)['dateTime']} {wire(end)['dateTime']}")


def _clean(text: str) -> str:
    return _UNSEEN.sub("", re.sub(r"\r\n?", "\n", text))


def _mark(text: str) -> str:
    """A short name for a text; "-" for none."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12] if text else "-"
