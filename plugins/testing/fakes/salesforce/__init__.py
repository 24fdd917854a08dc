"""Salesforce's REST API, small and strict: records, queries, composite calls, describe, an Apex service, limits.

with SalesforceFake() as fake:
    fake.add_usher_fields()
    Salesforce(login_url=fake.url, client_id=fake.app.client_id, …)
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.salesforce.org import Row, SalesforceOrg, Saving
from plugins.testing.fakes.salesforce.soql import Query, Reader, malformed, ordered
from plugins.testing.fakes.salesforce.tables import POLYMORPHIC, PREFIX, RELATIONS, refusal
from plugins.testing.fakes.server import Refusal, on

DATA = "/services/data/v<version>"
VERSIONS = tuple(f"{n}.0" for n in range(60, 69))
MOST_PARTS, MOST_QUERIES, MOST_DELETED = 25, 5, 200
LIKE_FILES = (".inc",)
"""Ends of an external id in an address to which Salesforce answers 404 (REST API guide, on upserting)."""
_PART = {"method", "url", "referenceId", "body", "httpHeaders"}
_INSIDE, _BEGAN = "usher.inside", "usher.began"


class SalesforceFake(SalesforceOrg):
    """The doors. `allowed` calls in 24 hours, `used` of them; a page of a query has `page` records."""

    def forget_limits(self) -> None:
        self.allowed, self.used, self.page = 100_000, 0, 2000
        self._queries: dict[str, tuple[list[Row], Query]] = {}
        self._meanwhile: list[tuple[re.Pattern[str], Callable[[], Any]]] = []

    def check(self, request: Request) -> None:
        """Who calls, whether they may, which version. Parts of a composite call were looked at with the whole."""
        if not request.path.startswith(("/services/data", "/services/apexrest")):
            return
        if _INSIDE not in request.environ:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token not in self.sessions:
                raise refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
            request.environ["usher.user"] = self.sessions[token]
            if self.used >= self.allowed:
                raise refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self.used += 1
        version = request.path.split("/")[3].removeprefix("v")
        if request.path.startswith("/services/data") and version not in VERSIONS:
            raise refusal(404, "NOT_FOUND", "The requested resource does not exist")

    def meanwhile(self, on: str, deed: Callable[[], Any]) -> None:
        """Just before the next call whose "METHOD /path" matches `on`, somebody there does this."""
        self._meanwhile.append((re.compile(on), deed))

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        environ[_BEGAN] = time.monotonic_ns()
        return super().__call__(environ, start)

    def _answer(self, request: Request) -> Response:
        due = [one for one in self._meanwhile if one[0].search(f"{request.method} {request.path}")]
        for one in due:
            self._meanwhile.remove(one)
            one[1]()
        answer = super()._answer(request)
        if request.path.startswith("/services/data"):
            answer.headers["Sforce-Limit-Info"] = f"api-usage={self.used}/{self.allowed}"
        return answer

    def unknown(self, request: Request) -> Response:
        apex = request.path.startswith("/services/apexrest")
        said = "Could not find a match for URL" if apex else "The requested resource does not exist"
        told = [{"errorCode": "NOT_FOUND", "message": said}]
        return Response(json.dumps(told), 404, content_type="application/json")

    @on("GET", f"{DATA}/query/")
    def query(self, request: Request, version: str) -> Any:
        return self._asked(request, version, self.there)

    @on("GET", f"{DATA}/queryAll/")
    def query_all(self, request: Request, version: str) -> Any:
        return self._asked(request, version, lambda kind: list(self.rows[kind].values()))

    @on("GET", f"{DATA}/query/<locator>")
    def query_more(self, request: Request, version: str, locator: str) -> Any:
        if locator not in self._queries:
            raise refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        rows, query = self._queries.pop(locator)
        return self._told(rows, query, version, int(locator.rpartition("-")[2]))

    @on("GET", f"{DATA}/sobjects/<kind>/describe")
    def describe(self, request: Request, version: str, kind: str) -> Any:
        fields = self._fields(kind)
        return {"name": kind, "fields": [one.described() for one in fields.values() if not one.hidden]}

    @on("POST", f"{DATA}/sobjects/<kind>")
    def create(self, request: Request, version: str, kind: str) -> Any:
        self._fields(kind)
        row = self.save(kind, _body(request), self._saving(request))
        return 201, {"id": row["Id"], "success": True, "errors": []}

    @on("PATCH", f"{DATA}/sobjects/<kind>/<id>")
    def update(self, request: Request, version: str, kind: str, id: str) -> Any:
        self.save(kind, _body(request), self._saving(request), self._found(kind, id))

    @on("PATCH", f"{DATA}/sobjects/<kind>/<field>/<path:value>")
    def upsert(self, request: Request, version: str, kind: str, field: str, value: str) -> Any:
        fields, body = self._fields(kind), _body(request)
        if value.endswith(LIKE_FILES):
            raise self._nothing()
        if field not in fields or not fields[field].external or fields[field].hidden:
            raise _missing(field)
        if field in body:
            raise refusal(
                400, "INVALID_FIELD", f"The {field} field should not be specified in the sobject data.", [field]
            )
        there = [row for row in self.there(kind) if str(row[field] or "").lower() == value.lower()]
        there = self._seen_by(request, there)
        if len(there) > 1:
            raise Refusal(300, [f"/services/data/v{version}/sobjects/{kind}/{row['Id']}" for row in there])
        if there:
            row = self.save(kind, body, self._saving(request), there[0])
            return {"id": row["Id"], "success": True, "errors": [], "created": False}
        row = self.save(kind, {**body, field: value}, self._saving(request))
        return 201, {"id": row["Id"], "success": True, "errors": [], "created": True}

    @on("DELETE", f"{DATA}/composite/sobjects")
    def delete_many(self, request: Request, version: str) -> Any:
        ids = request.args["ids"].split(",")
        if set(request.args) != {"ids", "allOrNone"} or len(ids) > MOST_DELETED:
            raise refusal(400, "INVALID_INPUT", "too many or unknown parameters")
        return [self._deleted(id, request.environ["usher.user"]) for id in ids]

    @on("POST", f"{DATA}/composite")
    def composite(self, request: Request, version: str) -> Any:
        body = _body(request)
        parts = body.get("compositeRequest")
        if (
            set(body) - {"allOrNone", "collateSubrequests", "compositeRequest"}
            or not isinstance(parts, list)
            or not parts
        ):
            raise refusal(400, "JSON_PARSER_ERROR", "Unrecognized field in the composite request")
        queries = [one for one in parts if "/query" in str(one.get("url"))]
        if len(parts) > MOST_PARTS or len(queries) > MOST_QUERIES:
            raise refusal(400, "INVALID_INPUT", "too many subrequests")
        return {"compositeResponse": [self._part(request, one) for one in parts]}

    @on("POST", "/services/apexrest/usher/convert")
    def convert_by_apex(self, request: Request) -> Any:
        """The Apex class of our page on Salesforce."""
        body = _body(request)
        if set(body) != {"leadId", "accountId", "opportunityName"}:
            raise refusal(400, "APEX_ERROR", f"unexpected parameters: {sorted(body)}")
        lead = self._found("Lead", body["leadId"])
        if not lead["IsConverted"]:
            account, deal = body["accountId"] or "", body["opportunityName"] or ""
            self.convert(lead["Id"], request.environ["usher.user"], account, deal)
        return {"contactId": lead["ConvertedContactId"]}

    def _seen_by(self, request: Request, there: list[Row]) -> list[Row]:
        """An upsert looks, then writes: it does not see what was made after it began. Where the field is unique, the
        write is refused then; where it is not, there are two."""
        began = request.environ.get(_BEGAN, 0)
        return [row for row in there if self.born[row["Id"]] < began] if began else there

    def _part(self, request: Request, part: dict[str, Any]) -> dict[str, Any]:
        if set(part) - _PART or not {"method", "url", "referenceId"} <= set(part):
            raise refusal(400, "JSON_PARSER_ERROR", f"Unrecognized field in a subrequest: {sorted(part)}")
        asked = urlsplit(part["url"])
        builder = EnvironBuilder(
            path=asked.path, query_string=asked.query, method=part["method"], headers=part.get("httpHeaders"),
            json=part.get("body"),
        )  # fmt: skip
        environ = {**builder.get_environ(), _INSIDE: True, "usher.user": request.environ["usher.user"]}
        answer = self._answer(Request(environ))
        body = json.loads(answer.get_data()) if answer.get_data() else None
        return {
            "body": body,
            "httpHeaders": {},
            "httpStatusCode": answer.status_code,
            "referenceId": part["referenceId"],
        }

    def _asked(self, request: Request, version: str, rows: Callable[[str], list[Row]]) -> Any:
        if set(request.args) != {"q"}:
            raise refusal(400, "MALFORMED_QUERY", "wants one query")
        query = Reader(request.args["q"]).query()
        if query.sobject not in self.fields:
            raise refusal(400, "INVALID_TYPE", f"sObject type '{query.sobject}' is not supported.")
        for name in (*query.fields, *query.named):
            self._hold_to_column(query.sobject, name)
        found = [row for row in rows(query.sobject) if query.holds(lambda name, row=row: self._read(row, name))]  # type: ignore[misc]
        return self._told(ordered(found, query, self._read)[: query.limit], query, version, 0)

    def _told(self, rows: list[Row], query: Query, version: str, start: int) -> dict[str, Any]:
        records = [self._shown(row, query, version) for row in rows[start : start + self.page]]
        told: dict[str, Any] = {"totalSize": len(rows), "done": start + self.page >= len(rows), "records": records}
        if not told["done"]:
            locator = f"01g{len(self._queries)}{len(self.asked)}-{start + self.page}"
            self._queries[locator] = (rows, query)
            told["nextRecordsUrl"] = f"/services/data/v{version}/query/{locator}"
        return told

    def _shown(self, row: Row, query: Query, version: str) -> Row:
        url = f"/services/data/v{version}/sobjects/{query.sobject}/{row['Id']}"
        shown: Row = {"attributes": {"type": query.sobject, "url": url}}
        for name in query.fields:
            relation, _, field = name.rpartition(".")
            if not relation:
                shown[name] = row[name]
                continue
            of = self._related(row, relation)
            shown[relation] = {**(shown.get(relation) or {}), field: of.get(field)} if of else None
        return shown

    def _read(self, row: Row, name: str) -> Any:
        relation, _, field = name.rpartition(".")
        return (self._related(row, relation) or {}).get(field) if relation else row[name]

    def _related(self, row: Row, relation: str) -> Row | None:
        id = row.get(self._reference(relation))
        return next((rows[id] for rows in self.rows.values() if id in rows), None)

    def _reference(self, relation: str) -> str:
        return RELATIONS.get(relation, f"{relation.removesuffix('__r')}__c")

    def _hold_to_column(self, kind: str, name: str) -> None:
        relation, _, field = name.rpartition(".")
        column = self._reference(relation) if relation else name
        known = self.fields[kind].get(column)
        if known is None or known.hidden:
            raise refusal(
                400, "INVALID_FIELD", f"\nERROR at Row:1:Column:1\nNo such column '{name}' on entity '{kind}'."
            )
        if not relation:
            return
        allowed = POLYMORPHIC if len(known.to) > 1 else self.fields[known.to[0]]
        if field not in allowed:
            raise malformed(f"No such column '{field}' on entity '{relation}'")

    def _fields(self, kind: str) -> Any:
        if kind not in self.fields:
            raise self._nothing()
        return self.fields[kind]

    def _found(self, kind: str, id: str) -> Row:
        if len(id) not in (15, 18) or not id.startswith(PREFIX.get(kind, "?")):
            raise _missing(id)
        found = self.rows[kind].get(id)
        if found is None:
            raise _missing(id)
        if found["IsDeleted"]:
            raise refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
        return found

    def _nothing(self) -> Refusal:
        return refusal(404, "NOT_FOUND", "The requested resource does not exist")

    def _deleted(self, id: str, by: str) -> dict[str, Any]:
        try:
            row = self.row(id)
        except StopIteration:
            return {
                "success": False,
                "errors": [{"statusCode": "NOT_FOUND", "message": "no such record", "fields": []}],
            }
        if row["IsDeleted"]:
            gone = {"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}
            return {"id": id, "success": False, "errors": [gone]}
        self.delete(row, by)
        return {"id": id, "success": True, "errors": []}

    def _saving(self, request: Request) -> Saving:
        rule = request.headers.get("Sforce-Duplicate-Rule-Header", "")
        assign = request.headers.get("Sforce-Auto-Assign", "TRUE").upper()
        if assign not in ("TRUE", "FALSE"):
            raise refusal(400, "INVALID_INPUT", f"Sforce-Auto-Assign: {assign}")
        return Saving(request.environ["usher.user"], allow_save="allowSave=true" in rule, assign=assign == "TRUE")


def _missing(what: str) -> Refusal:
    return refusal(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {what}")


def _body(request: Request) -> Any:
    if request.mimetype != "application/json":
        raise refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Content type {request.mimetype} not supported")
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise refusal(400, "JSON_PARSER_ERROR", "Unexpected end-of-input") from None
