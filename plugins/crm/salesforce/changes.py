"""What changed at Salesforce since a cursor: queries by SystemModstamp, deleted records among them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugins.crm import Change, Changes, Ref
from plugins.crm.salesforce.rows import MERGED_INTO
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import at_moment, moment, select
from plugins.errors import CursorExpired

LATE = timedelta(minutes=2)
"""A transaction may end this much after the stamp it gives to its records; so the last minutes are looked at again."""
REMEMBERED = 400
"""How many records of the last minutes a cursor remembers, so that a second look tells nothing twice."""
KEPT = timedelta(days=14)
"""Deleted records lie in Salesforce's bin for 15 days; who asks later would not hear of them."""
_START = datetime(1999, 1, 1, tzinfo=UTC)
Read = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Watched:
    """One kind of record that is followed: what to ask for, what it means, where a reference leads."""

    sobject: str
    columns: tuple[str, ...]
    read: Read
    ref: Callable[[str], Ref]
    only: str = ""


@dataclass(frozen=True)
class _Place:
    """Where we are for one kind: after the record `id` of the second `at`. Records from the second `floor` on that were
    told are in `seen`: id → second and a digest of what they said. Earlier ones are not looked at again; with more of
    them in a few minutes than we remember (an import), `floor` runs ahead and each is told as it comes."""

    at: int = 0
    id: str = ""
    floor: int = 0
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)

    def since(self) -> int:
        return max(self.at - int(LATE.total_seconds()), self.floor)

    def after(self, rows: list[dict[str, Any]]) -> _Place:
        """The place when these were told, in their order."""
        last = max(((_second(row), row["Id"]) for row in rows), default=(self.at, self.id))
        at, id = max(last, (self.at, self.id))
        seen = {**self.seen, **{row["Id"]: (_second(row), _digest(row)) for row in rows}}
        oldest = at - int(LATE.total_seconds())
        seen = {name: what for name, what in seen.items() if what[0] >= oldest}
        if len(seen) > REMEMBERED:
            return _Place(at, id, floor=at + 1)
        return _Place(at, id, self.floor, seen)


def changes_of(session: Session, watched: tuple[Watched, ...], cursor: str, limit: int) -> Changes:
    """The changes since `cursor`, oldest first; "" starts from now. CursorExpired when it is too old or not ours."""
    now = session.http.now()
    if not cursor:
        return Changes((), _written(_newest(session, watched), now))
    places = _read(cursor, now)
    places = {one.sobject: places.get(one.sobject, _Place()) for one in watched}
    found = session.queries(
        "changes", {one.sobject: _soql(one, places[one.sobject], limit) for one in watched}, deleted=True
    )
    fresh = [
        (row, one)
        for one in watched
        for row in found[one.sobject]
        if places[one.sobject].seen.get(row["Id"]) != (_second(row), _digest(row))
    ]
    fresh.sort(key=lambda pair: (_second(pair[0]), pair[0]["Id"]))
    told = fresh[:limit]
    more = len(fresh) > limit or any(len(found[o.sobject]) >= _most(places[o.sobject], limit) for o in watched)
    for one in watched:
        places[one.sobject] = places[one.sobject].after([row for row, kind in told if kind is one])
    me = session.user_id()
    return Changes(tuple(_change(row, one, me) for row, one in told), _written(places, now), more=more and bool(told))


def _newest(session: Session, watched: tuple[Watched, ...]) -> dict[str, _Place]:
    soqls = {one.sobject: _query(one, "", "SystemModstamp DESC, Id DESC", REMEMBERED) for one in watched}
    found = session.queries("changes", soqls, deleted=True)
    places = {}
    for one in watched:
        rows = found[one.sobject]
        place = _Place(at=int(_START.timestamp())).after(rows)
        full = len(rows) >= REMEMBERED
        places[one.sobject] = replace(place, floor=_second(rows[-1]) + 1) if full and not place.floor else place
    return places


def _soql(one: Watched, place: _Place, limit: int) -> str:
    at, since = (moment(datetime.fromtimestamp(second, UTC)) for second in (place.at, place.since()))
    where = f"SystemModstamp >= {since}"
    if place.floor > place.at:
        where = f"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > '{place.id}'))"
    return _query(one, where, "SystemModstamp, Id", _most(place, limit))


def _most(place: _Place, limit: int) -> int:
    return limit + len(place.seen) + 1


def _query(one: Watched, where: str, order: str, most: int) -> str:
    columns = [*one.columns, "IsDeleted", "SystemModstamp", "LastModifiedById"]
    return select(columns, one.sobject, where, one.only, order=order, most=most)


def _change(row: dict[str, Any], one: Watched, me: str) -> Change:
    ours = bool(me) and row["LastModifiedById"] == me
    at = at_moment(row["SystemModstamp"])
    if row["IsDeleted"]:
        kept = row.get(MERGED_INTO)
        return Change(one.ref(row["Id"]), at, {}, deleted=True, ours=ours, became=one.ref(kept) if kept else None)
    contact = row.get("ConvertedContactId") if row.get("IsConverted") else None
    return Change(one.ref(row["Id"]), at, one.read(row), ours=ours, became=one.ref(contact) if contact else None)


def _second(row: Mapping[str, Any]) -> int:
    return int(at_moment(row["SystemModstamp"]).timestamp())


def _digest(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:8]


def _written(places: Mapping[str, _Place], now: datetime) -> str:
    return json.dumps({"asked": int(now.timestamp()), "at": {name: asdict(place) for name, place in places.items()}})


def _read(cursor: str, now: datetime) -> dict[str, _Place]:
    try:
        told = json.loads(cursor)
        asked = datetime.fromtimestamp(told["asked"], UTC)
        places = {
            name: _Place(
                one["at"], one["id"], one["floor"], {id: (int(s), str(d)) for id, (s, d) in one["seen"].items()}
            )
            for name, one in told["at"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CursorExpired("this is no cursor of ours") from None
    if now - asked > KEPT:
        raise CursorExpired("nobody asked for two weeks: what was deleted is forgotten")
    return places
