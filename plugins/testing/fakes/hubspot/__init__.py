"""HubSpot, made up: the CRM API of one date version, OAuth, limits by window, and signed webhooks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Request

from plugins.testing.fakes.hubspot.bodies import batch, body, error, held, inputs, limit, refused_body, tie_of
from plugins.testing.fakes.hubspot.hooks import Sender
from plugins.testing.fakes.hubspot.portal import TIES, TYPE_IDS, Portal, Record, Refused, Rule, iso
from plugins.testing.fakes.hubspot.search import matching
from plugins.testing.fakes.hubspot.sign_in import SignIn
from plugins.testing.fakes.server import Fake, Refusal, on

VERSION = "2026-09"
OBJECTS, PROPERTIES, TIED = f"/crm/objects/{VERSION}", f"/crm/properties/{VERSION}", f"/crm/associations/{VERSION}"
KEY = "pat-na1-made-up-service-key"
CONTACTS = ("crm.objects.contacts.read", "crm.objects.contacts.write")
COMPANIES = ("crm.objects.companies.read", "crm.objects.companies.write")
DEALS = ("crm.objects.deals.read", "crm.objects.deals.write")
SCHEMAS = ("crm.schemas.contacts.write", "crm.schemas.companies.write")
ALL = ("oauth", *CONTACTS, *COMPANIES, *DEALS, *SCHEMAS, "crm.objects.owners.read")
__all__ = ["ALL", "HubSpotFake", "Rule"]


class HubSpotFake(SignIn, Sender, Fake):
    """`portal` is the account; `key` a service key with `scopes`. `allow(calls, seconds)` sets the limit of all calls,
    `search_rate` that of searches each second; `daily` how many calls are left today, None for no end."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        """As new."""
        self.portal = Portal()
        self.key, self.scopes = KEY, set(ALL)
        self.window: tuple[int, float] | None = None
        self.search_rate: int | None = None
        self.daily: int | None = None
        self._calls: list[float] = []
        self._searches: list[float] = []
        self.forget_sign_ins()
        self.forget_events()
        self.asked.clear()
        self.faults.clear()

    def allow(self, calls: int, seconds: float) -> None:
        """From now on no more than that."""
        self.window, self._calls = (calls, seconds), []

    def check(self, request: Request) -> None:
        if request.path.startswith("/oauth/"):
            return
        self._granted = self.scopes_of(request)
        self._hold_to_limits(request)

    def edit(
        self, type: str, id: str, values: Mapping[str, str], *, source: str = "CRM_UI", by: str = "userId:1"
    ) -> None:
        """Somebody changes a record there; what the webhooks say of it waits in `events`."""
        with self.turn:
            self.portal.change(type, self.portal.records[type][id], values)
            self.note_changes(type, id, values, source, by)

    @on("GET", f"/account-info/{VERSION}/details")
    def details(self, request: Request) -> Any:
        self._need("oauth")
        return {
            "portalId": self.portal.id, "accountType": "STANDARD", "timeZone": self.portal.zone,
            "uiDomain": "app.hubspot.com", "companyCurrency": "EUR", "additionalCurrencies": [],
            "dataHostingLocation": "eu1", "utcOffset": "-05:00", "utcOffsetMilliseconds": -18000000,
        }  # fmt: skip

    @on("GET", f"{OBJECTS}/<type>")
    def listed(self, request: Request, type: str) -> Any:
        self._may(type, "read")
        binned = request.args.get("archived") == "true"
        found = [one for one in self.portal.records[type].values() if one.archived == binned]
        first, most = int(request.args.get("after", 0)), int(request.args.get("limit", 10))
        if not 0 < most <= 100:
            raise Refusal(400, error("VALIDATION_ERROR", "limit"))
        more = {"paging": {"next": {"after": str(first + most)}}} if first + most < len(found) else {}
        return {"results": [self._shown(one, None) for one in found[first : first + most]], **more}

    @on("POST", f"{OBJECTS}/<type>")
    def create(self, request: Request, type: str) -> Any:
        self._may(type, "write")
        told = body(request, {"properties", "associations"})
        ties = [tie_of(type, one) for one in told["associations"]]
        if any(self.portal.find(other, id) is None for other, id in ties):
            raise Refusal(400, error("VALIDATION_ERROR", "One or more associations are not valid: INVALID_OBJECT_IDS"))
        made = held(lambda: self.portal.make(type, told["properties"]))
        for other, id in ties:
            self.portal.tie(type, made.id, other, id)
        return 201, self._shown(made, list(told["properties"]))

    @on("GET", f"{OBJECTS}/<type>/<id>")
    def read(self, request: Request, type: str, id: str) -> Any:
        self._may(type, "read")
        return self._shown(self._found(type, id, request), request.args.get("properties", "").split(","))

    @on("PATCH", f"{OBJECTS}/<type>/<id>")
    def update(self, request: Request, type: str, id: str) -> Any:
        self._may(type, "write")
        told = body(request, {"properties"})
        found = self._found(type, id, request)
        held(lambda: self.portal.change(type, found, told["properties"]))
        return self._shown(found, list(told["properties"]))

    @on("POST", f"{OBJECTS}/<type>/batch/upsert")
    def upsert(self, request: Request, type: str) -> Any:
        self._may(type, "write")
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for one in inputs(request, {"id", "idProperty", "properties"}, {"objectWriteTraceId"}):
            try:
                results.append(self._upserted(type, one))
            except Refused as refused:
                if "objectWriteTraceId" not in one:
                    raise Refusal(400, refused_body(refused)) from None
                told = refused_body(refused)
                context = {**told.get("context", {}), "objectWriteTraceId": [one["objectWriteTraceId"]]}
                errors.append({**told, "context": context})
        return batch(results, errors)

    @on("POST", f"{OBJECTS}/<type>/batch/read")
    def readbatch(self, request: Request, type: str) -> Any:
        self._may(type, "read")
        told = body(request, {"inputs", "properties", "propertiesWithHistory"}, {"idProperty"})
        if len(told["inputs"]) > 100:
            raise Refusal(400, error("VALIDATION_ERROR", "no more than 100"))
        ids = [one["id"] for one in told["inputs"]]
        found = {record.id: record for id in ids if (record := self.portal.find(type, id))}
        gone = [id for id in ids if self.portal.find(type, id) is None]
        missing = {**error("OBJECT_NOT_FOUND", "Could not get some objects"), "context": {"ids": gone}}
        return batch([self._shown(one, told["properties"]) for one in found.values()], [missing] if gone else [])

    @on("POST", f"{OBJECTS}/<type>/batch/archive")
    def archivebatch(self, request: Request, type: str) -> Any:
        self._may(type, "write")
        for one in inputs(request, {"id"}, set()):
            self.portal.archive(type, one["id"])

    @on("POST", f"{OBJECTS}/contacts/gdpr-delete")
    def gdpr_delete(self, request: Request) -> Any:
        self._may("contacts", "write")
        told = body(request, {"objectId"}, {"idProperty"})
        found = self.portal.find("contacts", told["objectId"], told.get("idProperty", ""))
        if found is None:
            raise Refusal(404, error("OBJECT_NOT_FOUND", "resource not found"))
        self.portal.forget(found.id)

    @on("POST", f"{OBJECTS}/<type>/search")
    def search(self, request: Request, type: str) -> Any:
        self._may(type, "read")
        told = body(request, {"filterGroups", "sorts", "properties", "limit", "after"}, {"query"})
        found = matching(self.portal, type, told)
        first = int(told["after"] or 0)
        if not 0 < told["limit"] <= 200 or first + told["limit"] > 10_000:
            raise Refusal(400, error("VALIDATION_ERROR", "paging past 10,000 records, or more than 200 at once"))
        page = found[first : first + told["limit"]]
        more = {"paging": {"next": {"after": str(first + len(page))}}} if first + len(page) < len(found) else {}
        return {"total": len(found), "results": [self._shown(one, told["properties"]) for one in page], **more}

    @on("PUT", f"{OBJECTS}/<type>/<id>/associations/default/<other>/<other_id>")
    def associate(self, request: Request, type: str, id: str, other: str, other_id: str) -> Any:
        self._may(type, "write")
        if not (self.portal.find(type, id) and self.portal.find(other, other_id)):
            raise Refusal(404, error("OBJECT_NOT_FOUND", "one of the two is not there"))
        self.portal.tie(type, id, other, other_id)
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TIES[type, other]}
        return batch([{"from": {"id": id}, "to": {"id": other_id}, "associationSpec": spec}], [])

    @on("POST", f"{TIED}/<type>/<other>/batch/read")
    def associated(self, request: Request, type: str, other: str) -> Any:
        self._may(type, "read")
        results = []
        for one in inputs(request, {"id"}, {"after"}):
            found = self.portal.tied(type, one["id"], other)
            types = [{"category": "HUBSPOT_DEFINED", "typeId": TIES.get((other, type), 1)}]
            to = [{"toObjectId": int(id), "associationTypes": types} for id in found]
            results += [{"from": {"id": one["id"]}, "to": to}] if to else []
        return batch(results, [])

    @on("GET", f"/crm/owners/{VERSION}")
    def owners(self, request: Request) -> Any:
        self._need("crm.objects.owners.read")
        email = request.args.get("email", "").lower()
        found = [
            one for one in self.portal.owners.values() if email in ("", one["email"].lower()) and not one["archived"]
        ]
        return {"results": found[: int(request.args.get("limit", 100))]}

    @on("GET", f"/crm/owners/{VERSION}/<id>")
    def owner(self, request: Request, id: str) -> Any:
        self._need("crm.objects.owners.read")
        found = self.portal.owners.get(id)
        if found is None or found["archived"] != (request.args.get("archived") == "true"):
            raise Refusal(404, error("OBJECT_NOT_FOUND", "no such owner"))
        return found

    @on("GET", f"{PROPERTIES}/<type>")
    def properties(self, request: Request, type: str) -> Any:
        self._may(type, "read")
        return {"results": list(self.portal.properties[type].values())}

    @on("GET", f"{PROPERTIES}/<type>/groups")
    def groups(self, request: Request, type: str) -> Any:
        return {"results": [{"name": "information", "label": "Information", "archived": False}]}

    @on("GET", f"{PROPERTIES}/<type>/<name>")
    def property(self, request: Request, type: str, name: str) -> Any:
        self._may(type, "read")
        found = self.portal.properties[type].get(name)
        return found or Refusal(404, error("OBJECT_NOT_FOUND", f"no property {name}"))

    @on("POST", f"{PROPERTIES}/<type>")
    def make_property(self, request: Request, type: str) -> Any:
        self._need("crm.schemas.companies.write" if type == "companies" else "crm.schemas.contacts.write")
        told = body(request, {"name", "label", "groupName", "type", "fieldType"}, {"description", "hasUniqueValue"})
        if told["name"] in self.portal.properties[type]:
            raise Refusal(409, error("CONFLICT", f"A property named '{told['name']}' already exists."))
        self.portal.add_property(type, told["name"], told["type"], unique=told.get("hasUniqueValue", False))
        return 201, self.portal.properties[type][told["name"]]

    @on("GET", f"/crm-object-schemas/{VERSION}/schemas/<type>")
    def schema(self, request: Request, type: str) -> Any:
        self._need("crm.schemas.custom.read")
        return {"name": type, "requiredProperties": ["email"] if type == "contacts" else ["name"]}

    def _may(self, type: str, deed: str) -> None:
        if type not in TYPE_IDS:
            raise Refusal(404, error("OBJECT_NOT_FOUND", f"no objects {type}"))
        of = type if type in ("companies", "deals") else "contacts"
        self._need(f"crm.objects.{of}.{deed}")

    def _need(self, scope: str) -> None:
        if scope not in self._granted:
            told = error("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.")
            raise Refusal(403, {**told, "errors": [{"message": "", "context": {"requiredGranularScopes": [scope]}}]})

    def _found(self, type: str, id: str, request: Request) -> Record:
        try:
            found = self.portal.find(type, id, request.args.get("idProperty", ""))
        except Refused as refused:
            raise Refusal(400, error("VALIDATION_ERROR", refused.says)) from None
        if found is None:
            raise Refusal(404, error("OBJECT_NOT_FOUND", "Object not found. objectId are usually numeric."))
        return found

    def _upserted(self, type: str, one: Mapping[str, Any]) -> dict[str, Any]:
        by, id, values = one["idProperty"], one["id"], one["properties"]
        found = self.portal.find(type, id, by)
        if found:
            self.portal.change(type, found, values)
        made = found or self.portal.make(type, {by: id, **values})
        return {**self._shown(made, list(values)), "new": found is None}

    def _shown(self, record: Record, names: Sequence[str] | None) -> dict[str, Any]:
        shown = {name: value for name, value in record.properties.items() if names is None or name in names}
        at = {"createdAt": iso(record.created), "updatedAt": iso(record.changed)}
        ended = {"archivedAt": iso(record.changed)} if record.archived else {}
        told = {"id": record.id, "properties": {"hs_object_id": record.id, **shown}, "archived": record.archived}
        return {**told, **at, **ended}

    def _hold_to_limits(self, request: Request) -> None:
        now = time.monotonic()
        if self.daily is not None:
            if self.daily <= 0:
                raise Refusal(429, limit("DAILY"))
            self.daily -= 1
        if self.window:
            most, seconds = self.window
            self._calls = [at for at in self._calls if at > now - seconds]
            if len(self._calls) >= most:
                raise Refusal(429, limit("TEN_SECONDLY_ROLLING"))
            self._calls.append(now)
        if self.search_rate and request.path.endswith("/search"):
            self._searches = [at for at in self._searches if at > now - 1]
            if len(self._searches) >= self.search_rate:
                raise Refusal(429, limit("SECONDLY"))
            self._searches.append(now)
