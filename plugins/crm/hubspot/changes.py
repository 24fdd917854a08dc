"""Contacts and companies that changed, by HubSpot's search, whose index lags and whose pages end at 10,000 records.

Pages are not counted: each asks for what changed since the last record told, so that neither that limit nor records
that change meanwhile make us lose any. What the index shows late is seen because each look begins a little before the
last one ended. Deleted records are not in the index: HubSpot's bin is looked through for them, as far as BIN pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from plugins.crm import Change, Changes, Kind, Ref
from plugins.crm.hubspot.api import PAGE, Api
from plugins.crm.hubspot.fields import TYPES
from plugins.crm.hubspot.found import milliseconds, moment, said_of
from plugins.crm.hubspot.reading import Reading
from plugins.errors import CursorExpired

STAMP = {Kind.PERSON: "lastmodifieddate", Kind.COMPANY: "hs_lastmodifieddate"}
OVERLAP = 30_000
"""Milliseconds by which the index may lag behind."""
SKEW = 1000
"""Milliseconds by which our clock may be ahead of HubSpot's at the very beginning."""
MOST_SEEN = 500
"""Records that the cursor remembers as told; after a flood the overlap is shorter."""
BIN = 10
"""Pages of 100 that are read of the bin in each look; what lies further back is found when records are compared."""
Found = list[tuple[dict[str, Any], int]]
"""Records with the millisecond in which they changed."""


@dataclass
class Place:
    """Where we are among the changes of one kind. All up to `settled` were told for good. Of those after it, `seen`
    were told (id → when it changed); none before `since` is left that the index shows. `tie` is the last id looked at
    of those that changed at `since`, when they are more than a page."""

    settled: int
    since: int
    seen: dict[str, int] = field(default_factory=dict)
    tie: str = ""

    def told(self, found: Found) -> None:
        """These are told now."""
        self.seen |= {_name(one): at for one, at in found}
        if found and not self.tie:
            self.since = max(self.since, found[-1][1])
        floor = min(self.since, max(self.seen.values(), default=0) - OVERLAP)
        self.seen = {id: at for id, at in self.seen.items() if at >= floor}

    def end(self) -> None:
        """All is told that the index shows: begin the next look early enough for what it does not show yet."""
        newest = sorted(self.seen.values(), reverse=True)
        floor = newest[MOST_SEEN] if len(newest) > MOST_SEEN else 0
        self.settled = self.since = max(self.settled, newest[0] - OVERLAP if newest else 0, floor)
        self.seen = {id: at for id, at in self.seen.items() if at >= self.settled}


def changes_since(api: Api, reading: Reading, cursor: str, limit: int) -> Changes:
    """The oldest `limit` changes of people and companies that were not told; "" begins now."""
    if not cursor:
        now = milliseconds(api.http.now()) - SKEW
        return Changes((), _written({kind: Place(now, now) for kind in STAMP}))
    places = _read(cursor)
    found = {kind: _fresh(api, reading, kind, place) for kind, place in places.items()}
    seen_to = min((page[-1][1] for page, further in found.values() if further), default=None)
    ready = [(at, kind, one) for kind, (page, _) in found.items() for one, at in page]
    ready = [item for item in sorted(ready, key=lambda item: item[0]) if seen_to is None or item[0] <= seen_to]
    items, more = ready[: max(1, limit)], False
    for kind, place in places.items():
        page, further = found[kind]
        mine = [(one, at) for at, of, one in items if of == kind]
        place.told(mine)
        if further or len(mine) < len(page):
            more = True
        else:
            place.end()
    into = _merged(reading, [(kind, str(one["id"])) for _, kind, one in items if one.get("archived")])
    return Changes(tuple(_change(reading, kind, one, into) for _, kind, one in items), _written(places), more)


def _fresh(api: Api, reading: Reading, kind: Kind, place: Place) -> tuple[Found, bool]:
    """Records that were not told, in order, and whether there are further ones; only the last page has none."""
    while True:
        asked = _tied if place.tie else _later
        told = asked(api, reading, kind, place)
        page = [(one, milliseconds(_changed(one, kind))) for one in told["results"]]
        fresh = [(one, at) for one, at in page if place.seen.get(_name(one)) != at]
        further = int(told["total"]) > len(page)
        if not (further or place.tie):
            gone = _gone(api, kind, place)
            return sorted([*fresh, *gone], key=lambda item: item[1]), False
        if fresh:
            return fresh, further or bool(place.tie)
        if place.tie and not further:
            place.since, place.tie = place.since + 1, ""
        elif place.tie:
            place.tie = str(page[-1][0]["id"])
        elif page[-1][1] > place.since:
            place.since = page[-1][1]
        else:
            place.tie = "0"


def _gone(api: Api, kind: Kind, place: Place) -> Found:
    """Records that went into HubSpot's bin and were not told."""
    found: Found = []
    for one in api.bin("changes", TYPES[kind], pages=BIN):
        at = milliseconds(_changed(one, kind))
        if at >= place.settled and place.seen.get(_name(one)) != at:
            found.append((one, at))
    return found


def _later(api: Api, reading: Reading, kind: Kind, place: Place) -> dict[str, Any]:
    stamp = STAMP[kind]
    since = {"propertyName": stamp, "operator": "GTE", "value": str(place.since)}
    return _search(api, reading, kind, [since], stamp)


def _tied(api: Api, reading: Reading, kind: Kind, place: Place) -> dict[str, Any]:
    same = {"propertyName": STAMP[kind], "operator": "EQ", "value": str(place.since)}
    after = {"propertyName": "hs_object_id", "operator": "GT", "value": place.tie}
    return _search(api, reading, kind, [same, after], "hs_object_id")


def _search(api: Api, reading: Reading, kind: Kind, filters: list[dict[str, str]], by: str) -> dict[str, Any]:
    sort = {"propertyName": by, "direction": "ASCENDING"}
    groups = [{"filters": filters}]
    wanted = reading.wanted(kind)
    return api.search("changes", TYPES[kind], filterGroups=groups, sorts=[sort], limit=PAGE, properties=wanted)


def _merged(reading: Reading, gone: list[tuple[Kind, str]]) -> dict[Ref, Ref]:
    """Of these in the bin, those that went into another record, and into which."""
    found = {kind: reading.went_into(kind, [id for of, id in gone if of == kind]) for kind in STAMP}
    return {Ref(kind, id): Ref(kind, to) for kind, into in found.items() for id, to in into.items()}


def _change(reading: Reading, kind: Kind, found: Mapping[str, Any], into: Mapping[Ref, Ref]) -> Change:
    ref, at = Ref(kind, str(found["id"])), _changed(found, kind)
    if found.get("archived"):
        return Change(ref, at, {}, deleted=True, became=into.get(ref))
    record = reading.person_as(found) if kind == Kind.PERSON else reading.company_as(found)
    return Change(ref, at, said_of(record))


def _changed(found: Mapping[str, Any], kind: Kind) -> datetime:
    if found.get("archived"):
        return moment(found.get("archivedAt") or found["updatedAt"])
    return moment(found["properties"].get(STAMP[kind]) or found["updatedAt"])


def _name(found: Mapping[str, Any]) -> str:
    """A record's end is another thing to tell than its changes."""
    return f"-{found['id']}" if found.get("archived") else str(found["id"])


def _read(cursor: str) -> dict[Kind, Place]:
    try:
        return {Kind(kind): Place(**place) for kind, place in json.loads(cursor).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise CursorExpired("this is no cursor of ours") from error


def _written(places: Mapping[Kind, Place]) -> str:
    return json.dumps({kind.value: asdict(place) for kind, place in places.items()}, separators=(",", ":"))
