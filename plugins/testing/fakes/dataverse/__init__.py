"""Dynamics 365's Dataverse Web API, as much of it as Usher calls."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.dataverse.filter import BadFilter, parsed
from plugins.testing.fakes.dataverse.rows import Rows, changed_columns, label, refusal, seen
from plugins.testing.fakes.dataverse.tables import BY_SET, TABLES
from plugins.testing.fakes.entra import Entra
from plugins.testing.fakes.server import on

V = "/api/data/v9.2"
_DEFINED = f"{V}/EntityDefinitions(LogicalName='<table>')"
_OPTIONS = {"$select", "$filter", "$expand", "$orderby", "$top", "$skiptoken", "$deltatoken"}
_ORDER = re.compile(r"(\w+) (asc|desc)")


class DataverseFake(Entra):
    """One environment. `rows` holds everything; `registered` False: nobody has made the application a user yet.

    `rules`: duplicate detection refuses a second lead or contact with one e-mail address, where it is asked for.
    `keys`: alternate keys, (table, column), whose values are unique.
    """

    scopes = "user_impersonation"

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """As new, with the application and one salesperson as users."""
        self.faults.clear()
        self.asked.clear()
        self.registered, self.rules = True, False
        self.keys: set[tuple[str, str]] = set()
        self.untracked: set[str] = set()
        self.page = 5000
        self.rows = Rows()
        self._tokens: dict[str, tuple[int, int, bool]] = {}
        self.us = self.add_user("# Usher", "usher@acme.example", applicationid=self.client_id)
        self.grace = self.add_user("Grace Hopper", "grace@acme.example")

    def add_user(self, name: str, email: str, **more: Any) -> str:
        """A user of the environment; their key."""
        said = {"fullname": name, "internalemailaddress": email, "domainname": email, "isdisabled": False, **more}
        return self.rows.put("systemuser", str(uuid4()), said)

    def put(self, table: str, *, by: str = "", **said: Any) -> str:
        """A row that somebody else makes; its key. Lookups as "_parentcontactid_value"."""
        with self.turn:
            return self.rows.put(table, str(uuid4()), said, by=by or self.grace)

    def edit(self, table: str, id: str, **said: Any) -> None:
        """Somebody else changes a row."""
        with self.turn:
            self.rows.put(table, id, said, by=self.grace)

    def merge(self, table: str, away: str, into: str) -> None:
        """Somebody merges a row into another: it is deactivated, with what was filed under it moved."""
        state = 2 if table == "lead" else 1
        gone = {"statecode": state, "statuscode": TABLES[table].states[state][0]}
        with self.turn:
            self.rows.put(table, away, {"merged": True, "_masterid_value": into, **gone}, by=self.grace)
            for kind in ("task", "phonecall", "appointment"):
                for row in self.rows.of(kind):
                    if row.get("_regardingobjectid_value") == away:
                        self.rows.put(kind, row["activityid"], {"_regardingobjectid_value": into}, by=self.grace)

    def remove(self, table: str, id: str) -> None:
        """Somebody else deletes a row."""
        with self.turn:
            self.rows.delete(table, id)

    def all_of(self, *tables: str) -> list[dict[str, Any]]:
        """The rows of these tables."""
        return [row for table in tables for row in self.rows.of(table)]

    def forget_changes(self) -> None:
        """All delta links are too old."""
        self._tokens.clear()

    def check(self, request: Request) -> None:
        if not request.path.startswith(V):
            return
        if self.bearer(request) is None:
            raise refusal(401, "0x0", "HTTP Error 401 - Unauthorized: Access is denied")
        if not self.registered:
            raise refusal(403, "0x80072560", "The user is not a member of the organization.")
        if request.headers.get("OData-Version") != "4.0":
            raise refusal(400, "0x80060888", "OData-Version is missing")

    @on("GET", f"{V}/WhoAmI")
    def who_am_i(self, request: Request) -> Any:
        return {"BusinessUnitId": str(UUID(int=1)), "UserId": self.us, "OrganizationId": str(UUID(int=2))}

    @on("GET", f"{V}/EntityDefinitions")
    def definitions(self, request: Request) -> Any:
        wanted = re.findall(r"LogicalName eq '(\w+)'", request.args["$filter"])
        return {"value": [{"LogicalName": one, "ChangeTrackingEnabled": one not in self.untracked} for one in wanted]}

    @on("GET", f"{_DEFINED}/Attributes")
    def attributes(self, request: Request, table: str) -> Any:
        found = []
        for name, column in self._table(table).columns.items():
            many = column.kind == "MultiSelectPicklist"
            writable = column.writable
            found.append(
                {
                    "LogicalName": name,
                    "DisplayName": label(column.title or name.title()),
                    "AttributeType": "Virtual" if many else column.kind,
                    "AttributeTypeName": {"Value": f"{column.kind}Type"},
                    "IsCustomAttribute": column.custom,
                    "RequiredLevel": {"Value": column.required},
                    "IsValidForCreate": writable,
                    "IsValidForUpdate": writable,
                    "AttributeOf": None,
                }
            )
        wanted = set(request.args["$select"].split(","))
        return {"value": [{name: value for name, value in one.items() if name in wanted} for one in found]}

    @on("GET", f"{_DEFINED}/Attributes/Microsoft.Dynamics.CRM.<cast>AttributeMetadata")
    def choices(self, request: Request, table: str, cast: str) -> Any:
        columns = {name: one for name, one in self._table(table).columns.items() if one.kind == cast}
        return {
            "value": [
                {
                    "LogicalName": name,
                    "OptionSet": {"Options": [{"Value": n, "Label": label(text)} for text, n in one.choices.items()]},
                }
                for name, one in columns.items()
            ]
        }

    @on("GET", f"{V}/<set>")
    def query(self, request: Request, set: str) -> Any:
        table = self._named(set)
        if unknown := [name for name in request.args if name not in _OPTIONS]:
            raise refusal(400, "0x80060888", f"The query parameter {unknown[0]} is not supported.")
        prefer = request.headers.get("Prefer", "")
        if "odata.track-changes" in prefer or "$deltatoken" in request.args:
            return self._delta(request, table, prefer)
        found = self._found(request, table)
        first = int(request.args.get("$skiptoken", "0"))
        size = min(int(request.args.get("$top", self.page)), self.page)
        page: dict[str, Any] = {"value": [self._shown(request, table, row) for row in found[first : first + size]]}
        if len(found) > first + size and "$top" not in request.args:
            page["@odata.nextLink"] = self._link(set, {**request.args, "$skiptoken": str(first + size)})
        return page

    @on("GET", f"{V}/<set>(<id>)")
    def row(self, request: Request, set: str, id: str) -> Any:
        table = self._named(set)
        return self._shown(request, table, self.rows.get(table, self._id(id)))

    @on("PATCH", f"{V}/<set>(<id>)")
    def write(self, request: Request, set: str, id: str) -> Any:
        """Makes or changes, as If-None-Match and If-Match allow."""
        table, id = self._named(set), self._id(id)
        there = self.rows.has(table, id)
        if there and request.headers.get("If-None-Match") == "*":
            raise refusal(412, "0x80040237", "A record with matching key values already exists.")
        if not there and request.headers.get("If-Match") == "*":
            raise refusal(404, "0x80040217", f"{table} With Id = {id} Does Not Exist")
        values = changed_columns(self.rows, table, request.get_json(), new=not there)
        self._hold_to_keys(table, id, values)
        if not there and request.headers.get("MSCRM.SuppressDuplicateDetection") == "false":
            self._detect(table, values)
        self.rows.put(table, id, values, by=self.us)
        address = f"{self.url}{V}/{set}({id})"
        return Response(status=204, headers={"OData-EntityId": address, "OData-Version": "4.0"})

    @on("DELETE", f"{V}/<set>(<id>)")
    def delete(self, request: Request, set: str, id: str) -> None:
        table = self._named(set)
        self.rows.get(table, self._id(id))
        self.rows.delete(table, self._id(id))

    @on("POST", f"{V}/leads(<id>)/Microsoft.Dynamics.CRM.QualifyLead")
    def qualify(self, request: Request, id: str) -> Any:
        said = request.get_json()
        flags = ("CreateAccount", "CreateContact", "CreateOpportunity")
        flagged = all(said.get(one) in (True, False) for one in flags)
        if not flagged or set(said) - {*flags, "Status", "OpportunityCustomerId"}:
            raise refusal(400, "0x80048d19", "Error identified in Payload provided by the user.")
        lead = self.rows.get("lead", self._id(id))
        if lead["statecode"] != 0 or said.get("Status") not in TABLES["lead"].states[1]:
            raise refusal(400, "0x80040203", "The lead is already closed.")
        made = self.rows.qualify(lead, deal=said["CreateOpportunity"], by=self.us)
        return {"value": [{"@odata.type": f"#mscrm.{table}", TABLES[table].key: key} for table, key in made]}

    def _found(self, request: Request, table: str) -> list[dict[str, Any]]:
        columns = seen(table)
        try:
            fits = parsed(request.args["$filter"], columns) if "$filter" in request.args else lambda _: True
        except BadFilter as error:
            raise refusal(400, "0x80060888", str(error)) from None
        found = [row for row in self.rows.of(table) if fits(row)]
        if order := request.args.get("$orderby"):
            told = _ORDER.fullmatch(order)
            if not told or told[1] not in columns:
                raise refusal(400, "0x80060888", f"Syntax error in {order}")
            found.sort(key=lambda row: str(row.get(told[1]) or ""), reverse=told[2] == "desc")
        return found

    def _delta(self, request: Request, table: str, prefer: str) -> Any:
        if extra := [name for name in ("$filter", "$orderby", "$expand", "$top") if name in request.args]:
            said = f'The "{extra[0]}" query parameter isn\'t supported when Change Tracking is enabled.'
            raise refusal(400, "0x80060888", said)
        if table in self.untracked:
            return {"value": [self._shown(request, table, row) for row in self.rows.of(table)]}
        token = request.args.get("$deltatoken") or request.args.get("$skiptoken")
        after, until, first = self._tokens.get(token, (None, 0, False)) if token else (0, self.rows.clock, True)
        if after is None:
            raise refusal(400, "0x80044352", "Version stamp associated with the client has expired.")
        if "$deltatoken" in request.args:
            until = self.rows.clock
        wished = re.search(r"odata\.maxpagesize=(\d+)", prefer)
        size = min(int(wished[1]) if wished else self.page, self.page)
        rows = self.rows.since(table, after, until, gone=not first)
        page: dict[str, Any] = {"value": [self._told(request, table, row) for row in rows[:size]]}
        more = len(rows) > size
        reached = rows[size - 1]["versionnumber"] if more else until
        name, place = ("nextLink", "$skiptoken") if more else ("deltaLink", "$deltatoken")
        mark = f"{len(self._tokens)}!{reached}"
        self._tokens[mark] = (reached, until, first and more)
        page[f"@odata.{name}"] = self._link(TABLES[table].set, {"$select": request.args["$select"], place: mark})
        return page

    def _told(self, request: Request, table: str, row: dict[str, Any]) -> dict[str, Any]:
        if row.get("gone"):
            context = f"{self.url}{V}/$metadata#{TABLES[table].set}/$deletedEntity"
            return {"@odata.context": context, "id": row["id"], "reason": "deleted"}
        return self._shown(request, table, row)

    def _shown(self, request: Request, table: str, row: dict[str, Any]) -> dict[str, Any]:
        """The columns selected, with labels and who owns it where that was asked for."""
        columns, key = seen(table), TABLES[table].key
        wanted = request.args.get("$select", ",".join(columns)).split(",")
        if unknown := [name for name in wanted if name not in columns]:
            raise refusal(400, "0x80060888", f"Could not find a property named '{unknown[0]}' on type 'mscrm.{table}'.")
        shown = {"@odata.etag": f'W/"{row["versionnumber"]}"', key: row[key]}
        shown |= {name: row.get(name) for name in wanted}
        if "FormattedValue" in request.headers.get("Prefer", ""):
            shown |= self.rows.labels(table, {name: row.get(name) for name in wanted})
        if expand := request.args.get("$expand"):
            told = re.fullmatch(r"owninguser\(\$select=([\w,]+)\)", expand)
            if not told:
                raise refusal(400, "0x80060888", f"Could not find a property named '{expand}'.")
            owner = self.rows.get("systemuser", row["_ownerid_value"])
            shown["owninguser"] = {name: owner.get(name) for name in told[1].split(",")}
        return shown

    def _hold_to_keys(self, table: str, id: str, values: dict[str, Any]) -> None:
        for name, column in self.keys:
            taken = [one for one in self.rows.of(table) if one.get(column) == values.get(column)]
            if name == table and values.get(column) and any(one[TABLES[table].key] != id for one in taken):
                raise refusal(412, "0x80060892", "A record that has the attribute values already exists.")

    def _detect(self, table: str, values: dict[str, Any]) -> None:
        email = values.get("emailaddress1")
        there = [row for row in self.all_of("lead", "contact") if email and row.get("emailaddress1") == email]
        if self.rules and table in ("lead", "contact") and there:
            raise refusal(412, "0x80040333", "A record was not created or updated because a duplicate was detected.")

    def _named(self, set: str) -> str:
        if set not in BY_SET:
            raise refusal(404, "0x80060888", f"Resource not found for the segment '{set}'.")
        return BY_SET[set]

    def _table(self, name: str) -> Any:
        if name not in TABLES:
            raise refusal(404, "0x80060888", f"Could not find an entity with name '{name}'.")
        return TABLES[name]

    def _id(self, text: str) -> str:
        try:
            return str(UUID(text))
        except ValueError:
            raise refusal(400, "0x80060888", f"Unrecognized 'Edm.String' literal '{text}'.") from None

    def _link(self, set: str, args: dict[str, str]) -> str:
        return f"{self.url}{V}/{set}?" + "&".join(f"{name}={quote(value)}" for name, value in args.items())
