"""What changed in Dynamics: the delta of leads, contacts and accounts, one table after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from plugins.crm import Change, Changes
from plugins.crm.dynamics.activities import moment
from plugins.crm.dynamics.companies import Companies, domain_of
from plugins.crm.dynamics.following import ends
from plugins.crm.dynamics.people import person_of, user_of
from plugins.crm.dynamics.rows import AT_ONCE, Row, columns_of
from plugins.crm.dynamics.web import SETS, Web
from plugins.errors import CursorExpired, InvalidInput, NotFound
from plugins.odata import items_of

TABLES = ("lead", "contact", "account")
FIRST_PAGE, FIRST_PAGES = 2000, 20
"""The first reading only finds where "now" is: so many rows a page, and pages a call."""
_COMPANY = ("name", "industry", "employees", "country", "phone", "is_customer", "is_target")
_PERSON = ("name", "first_name", "last_name", "phone", "title", "company", "country", "status", "source", "opted_out")


@dataclass
class _Place:
    """Where we are: for each table Dataverse's own link, `reading` those that have not come to "now" yet, `turn` the
    table that is next."""

    links: dict[str, str] = field(default_factory=dict)
    reading: list[str] = field(default_factory=lambda: list(TABLES))
    turn: int = 0

    @classmethod
    def read(cls, cursor: str) -> Self:
        if not cursor:
            return cls()
        try:
            told = json.loads(cursor)
            place = cls(dict(told["links"]), list(told["reading"]), int(told["turn"]))
        except (ValueError, TypeError, KeyError):
            raise CursorExpired("this is no cursor of ours") from None
        if not set(place.links) | set(place.reading) >= set(TABLES) or not 0 <= place.turn < len(TABLES):
            raise CursorExpired("this cursor leaves a table out")
        return place

    def written(self) -> str:
        return json.dumps({"links": self.links, "reading": self.reading, "turn": self.turn})


class Deltas:
    """`us` asks for the key of the user that we are there."""

    def __init__(self, web: Web, companies: Companies, now: datetime, us: Any) -> None:
        self._web, self._companies, self._now, self._us = web, companies, now, us

    def since(self, cursor: str, limit: int) -> Changes:
        """What changed since `cursor`; "" starts from now."""
        place = _Place.read(cursor)
        if any(not self._web.owns(link) for link in place.links.values()):
            raise CursorExpired("this cursor is of another environment")
        for _ in range(FIRST_PAGES):
            if not place.reading:
                break
            self._to_now(place)
        if place.reading:
            return Changes((), place.written(), more=True)
        if not cursor:
            return Changes((), place.written())
        return self._next(place, limit)

    def _to_now(self, place: _Place) -> None:
        table = place.reading[0]
        params = {} if table in place.links else {"$select": ",".join(self._columns(table))}
        page = self._page(place.links.get(table, SETS[table][0]), FIRST_PAGE, params)
        link = self._web.link(page, "@odata.nextLink")
        place.links[table] = link or self._delta(page)
        if not link:
            place.reading.pop(0)

    def _next(self, place: _Place, limit: int) -> Changes:
        """The next page that has something in it; the tables take turns, each to its end."""
        for _ in TABLES:
            table = TABLES[place.turn]
            page = self._page(place.links[table], limit, {})
            link = self._web.link(page, "@odata.nextLink")
            place.links[table] = link or self._delta(page)
            if not link:
                place.turn = (place.turn + 1) % len(TABLES)
            items = self._items(table, items_of(page))
            if items:
                return Changes(items, place.written(), more=bool(link) or place.turn != 0)
            if place.turn == 0:
                break
        return Changes((), place.written())

    def _page(self, path: str, size: int, params: Mapping[str, str]) -> dict[str, Any]:
        """Dataverse keeps track for seven days unless it is told otherwise, then it has forgotten."""
        labels = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
        prefer = f"odata.track-changes,odata.maxpagesize={size},{labels}"
        try:
            return self._web.get("changes", path, params=params, prefer=prefer)
        except NotFound as error:
            if error.http_status != 410:
                raise
            raise CursorExpired(error.message, http_status=410, vendor_code=error.vendor_code) from error
        except InvalidInput as error:
            if "$deltatoken" not in path and "$skiptoken" not in path:
                raise
            raise CursorExpired(error.message, http_status=400, vendor_code=error.vendor_code) from error

    def _delta(self, page: Mapping[str, Any]) -> str:
        link = self._web.link(page, "@odata.deltaLink")
        if not link:
            said = "Changes are not tracked in Dynamics: turn on Track changes for leads, contacts and accounts."
            raise InvalidInput("there is no delta link", user_message=said)
        return link

    def _columns(self, table: str) -> list[str]:
        columns = self._companies.columns() if table == "account" else columns_of(table)
        return list(dict.fromkeys([*columns, "_modifiedby_value", "_ownerid_value", "modifiedon"]))

    def _items(self, table: str, rows: list[dict[str, Any]]) -> tuple[Change, ...]:
        there = [one for one in rows if "reason" not in one]
        owners = self._owners({str(one["_ownerid_value"]) for one in there if one.get("_ownerid_value")})
        us = self._us() if there else ""
        changed = [Row(table, one) for one in there]
        became = ends(self._web, "changes", changed, self._columns)
        told = [
            Change(
                self._web.ref(table, row.id),
                moment(row.data["modifiedon"]),
                self._values(row, owners),
                ours=row.data.get("_modifiedby_value") == us,
                became=self._web.ref(end.table, end.id) if (end := became.get(row.id)) else None,
            )
            for row in changed
        ]
        gone = [
            Change(self._web.ref(table, str(one["id"])), self._now, {}, deleted=True) for one in rows if "reason" in one
        ]
        return (*sorted(told, key=lambda change: change.at), *gone)

    def _values(self, row: Row, owners: Mapping[str, str]) -> dict[str, Any]:
        """By our names; an empty one is None."""
        whose = {"owner_email": owners.get(str(row.data.get("_ownerid_value")))}
        if row.table == "account":
            company = self._companies.company_of(row)
            domain = company.domain or domain_of(row.data)
            return {"domain": domain, **{name: getattr(company, name) for name in _COMPANY}, **whose}
        person = person_of(row)
        return {"email": person.email, **{name: getattr(person, name) for name in _PERSON}, **whose}

    def _owners(self, ids: set[str]) -> dict[str, str]:
        """Key of a user → address; teams and applications are nobody."""
        found: dict[str, str] = {}
        wanted = sorted(ids)
        for first in range(0, len(wanted), AT_ONCE):
            these = " or ".join(f"systemuserid eq {id}" for id in wanted[first : first + AT_ONCE])
            columns = "systemuserid,fullname,internalemailaddress,isdisabled"
            params = {"$select": columns, "$filter": f"({these}) and applicationid eq null"}
            for one in self._web.pages("changes", "systemusers", params=params):
                user = user_of(one)
                found[user.id] = user.email
        return found
