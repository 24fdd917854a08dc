"""The way to HubSpot's API: its addresses, sign-in by service key or OAuth, errors, batches and search."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from plugins.config import Config
from plugins.crm import Kind
from plugins.crm.hubspot import errors
from plugins.errors import ConfigError, Duplicate, NotFound, Permanent, PluginError, Transient
from plugins.http import Http, Reply
from plugins.oauth import Authorized, OAuth, refreshed
from plugins.records import Records
from plugins.tokens import Tokens

VERSION = "2026-09"
"""Stands in every path. HubSpot names a new one each March and September and keeps each for 18 months at least."""
BATCH = 100
PAGE = 200
SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.owners.read",
)
FURTHER = (
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.schemas.contacts.write",
    "crm.schemas.companies.write",
)
"""Asked for, not insisted on: opportunities, and making the property of our own."""
UNREADY = frozenset({"PENDING", "PROCESSING"})
"""What a batch may say that is not done yet; ours of one may be sent again."""
SEARCH = "search"
"""The bucket of calls that HubSpot counts by themselves."""
PAGES = {Kind.PERSON: "0-1", Kind.COMPANY: "0-2", Kind.OPPORTUNITY: "0-3"}
"""The parts of HubSpot's own pages where a record is shown."""
ACCOUNT = ("hubspot.account", "account")


def oauth_of(config: Config) -> OAuth:
    """The web sign-in of the owner's own app."""
    base = config.text("base_url").rstrip("/")
    return OAuth(
        authorize_url=config.text("authorize_url"),
        token_url=f"{base}/oauth/{VERSION}/token",
        scopes=SCOPES,
        client_id=config.text("client_id"),
        client_secret=config.secret("client_secret"),
        revoke_url=f"{base}/oauth/{VERSION}/token/revoke",
        extra={"optional_scope": " ".join(FURTHER)},
    )


class Api:
    """Calls of one connection. Addresses are given without host; parts that are data go through `path`."""

    def __init__(self, config: Config, http: Http, records: Records, tokens: Tokens | None) -> None:
        self.http, self.records = http, records
        self._config, self._tokens = config, tokens
        self._base = config.text("base_url").rstrip("/")

    def call(self, operation: str, method: str, path: str, **request: Any) -> Any:
        """The JSON that HubSpot answers, None without any."""
        url = f"{self._base}{path}"
        if key := self._config.secret("token"):
            headers = {**request.pop("headers", {}), "Authorization": f"Bearer {key}"}
            return self.http.call(operation, method, url, headers=headers, judge=self._judge, **request).json()
        return self._authorized().call(operation, method, url, judge=self._judge, **request).json()

    def read(
        self, operation: str, kind: str, id: str, properties: Sequence[str] = (), *, by: str = ""
    ) -> dict[str, Any] | None:
        """One record by its id, or by the unique property `by`; None when there is none. Sees what was just written."""
        params = {"properties": ",".join(properties)} | ({"idProperty": by} if by else {})
        try:
            found = _object(self.call(operation, "GET", objects(kind, id), params=params))
        except NotFound:
            return None
        if not found.get("id"):
            raise Permanent("the answer holds no record", http_status=200)
        return found

    def read_all(
        self, operation: str, kind: str, ids: Sequence[str], properties: Sequence[str]
    ) -> list[dict[str, Any]]:
        """The records of these ids, those that are gone left out."""
        found: list[dict[str, Any]] = []
        wanted = list(dict.fromkeys(ids))
        for first in range(0, len(wanted), BATCH):
            some = [{"id": id} for id in wanted[first : first + BATCH]]
            body = {"inputs": some, "properties": list(properties), "propertiesWithHistory": []}
            told = self.call(operation, "POST", objects(kind, "batch", "read"), json=body, repeatable=True)
            for one in _failed(told):
                if not isinstance(error := errors.meant(one), NotFound):
                    raise error or Permanent(str(one.get("message", "")))
            found += _results(told)
        return found

    def create(
        self, operation: str, kind: str, values: Mapping[str, str], to: Sequence[tuple[str, int]] = ()
    ) -> dict[str, Any]:
        """A new record tied to others (id, number of the association's type) in the same step. Duplicate when a value
        of a unique property is taken; so it may be repeated."""
        ties = [
            {"to": {"id": id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type}]}
            for id, type in to
        ]
        body = {"properties": dict(values), "associations": ties}
        return _object(self.call(operation, "POST", objects(kind), json=body, repeatable=True))

    def change(self, operation: str, kind: str, id: str, values: Mapping[str, str], *, by: str = "") -> dict[str, Any]:
        """The record with `values` laid over it. NotFound when there is none."""
        params = {"idProperty": by} if by else {}
        body = {"properties": dict(values)}
        return _object(self.call(operation, "PATCH", objects(kind, id), params=params, json=body, repeatable=True))

    def upsert(
        self, operation: str, kind: str, by: str, id: str, values: Mapping[str, str], *, trace: str
    ) -> dict[str, Any]:
        """The record whose unique property `by` is `id`, made or changed in one step; `new` says which. With a `trace`
        HubSpot answers a batch with 207 and an error for what failed in it: with a batch of one that is our error."""
        one = {"id": id, "idProperty": by, "properties": dict(values), "objectWriteTraceId": trace}
        try:
            told = self.call(
                operation, "POST", objects(kind, "batch", "upsert"), json={"inputs": [one]}, repeatable=True
            )
            for failed in _failed(told):
                raise errors.meant(failed) or Permanent(str(failed.get("message", "")))
        except Duplicate as there:  # somebody made it at this very moment
            if there.existing:
                return self.change(operation, kind, there.existing, values)
            return self.change(operation, kind, id, values, by=by)
        results = _results(told)
        if len(results) != 1:
            unready = Transient if told.get("status") in UNREADY else Permanent
            raise unready(f"{operation}: one record was sent and {len(results)} came back")
        return results[0]

    def tie(self, operation: str, kind: str, id: str, other: str, other_id: str) -> None:
        """Associate two records the default way; a second time is harmless."""
        self.call(
            operation, "PUT", path(objects(kind, id), "associations", "default", other, other_id), repeatable=True
        )

    def tied(self, operation: str, kind: str, id: str, other: str) -> list[str]:
        """Ids of the records of another kind that this one is associated with."""
        found: list[str] = []
        one: dict[str, str] | None = {"id": id}
        while one:
            told = self.call(
                operation, "POST", path(f"/crm/associations/{VERSION}", kind, other, "batch", "read"),
                json={"inputs": [one]}, repeatable=True,
            )  # fmt: skip
            after = ""
            for result in _results(told):
                found += [str(to["toObjectId"]) for to in result.get("to", [])]
                after = str(((result.get("paging") or {}).get("next") or {}).get("after", ""))
            one = {"id": id, "after": after} if after else None
        return found

    def search(self, operation: str, kind: str, **asked: Any) -> dict[str, Any]:
        """What HubSpot's index finds, which lags behind writes by seconds: never for what we wrote ourselves."""
        body = {"limit": PAGE, "after": "", "sorts": [], "properties": [], **asked}
        asked_for = self.call(operation, "POST", objects(kind, "search"), json=body, repeatable=True, bucket=SEARCH)
        return _object(asked_for)

    def archive(self, operation: str, kind: str, ids: Sequence[str]) -> None:
        """Move records to HubSpot's bin; those that lie there already are no trouble."""
        for first in range(0, len(ids), BATCH):
            body = {"inputs": [{"id": id} for id in ids[first : first + BATCH]]}
            self.call(operation, "POST", objects(kind, "batch", "archive"), json=body, repeatable=True)

    def forget(self, operation: str, id: str) -> None:
        """Delete a contact for good, as the GDPR asks; one who is gone is gone."""
        with suppress(NotFound):
            self.call(operation, "POST", objects("contacts", "gdpr-delete"), json={"objectId": id}, repeatable=True)

    def bin(self, operation: str, kind: str, *, pages: int) -> Iterator[dict[str, Any]]:
        """Records that were deleted, as long as HubSpot keeps them (`archivedAt`), no more than so many pages."""
        after: dict[str, str] = {}
        for _ in range(pages):
            told = self.call(operation, "GET", objects(kind), params={"archived": "true", "limit": BATCH, **after})
            yield from _results(told)
            following = ((told.get("paging") or {}).get("next") or {}).get("after")
            if not following:
                return
            after = {"after": str(following)}

    def scopes(self) -> list[str]:
        """What the account granted us; [] for a service key, which cannot be asked."""
        if self._config.secret("token"):
            return []
        granted = self._authorized().granted()
        told = (
            self._form("introspect", {"token": granted["access_token"], "token_type_hint": "access_token"}).json() or {}
        )
        said = told.get("scopes") or told.get("scope") or granted.get("scope") or []
        return said.split() if isinstance(said, str) else [str(scope) for scope in said]

    def revoke(self) -> None:
        """Give the tokens back. A service key is its owner's to delete; HubSpot forgetting first is no trouble."""
        granted = None if self._config.secret("token") else self._tokens and self._tokens.load()
        if granted and (token := granted.get("refresh_token")):
            self._form("revoke", {"token": token, "token_type_hint": "refresh_token"}, welcome=(400, 401, 404))

    def page(self, kind: Kind, found: Mapping[str, Any]) -> str:
        """Where a person looks at this record, "" while `check` has not told us the account."""
        account, type = self.account(), PAGES.get(kind)
        if found.get("url") or not (type and account.get("portalId")):
            return str(found.get("url") or "")
        return f"https://{account['uiDomain']}/contacts/{account['portalId']}/record/{type}/{found['id']}"

    def account(self) -> dict[str, Any]:
        """What `check` has learnt of the account: portal, zone, domain; {} before."""
        return self.records.get(*ACCOUNT) or {}

    def _authorized(self) -> Authorized:
        """Renewed by its age: HubSpot says that a 401 is no sign that a token has ended."""
        if not self._config.text("client_id"):
            said = "Give a service key, or the client ID and secret of an app and connect."
            raise ConfigError(said, problems=(("token", "is required without an app"),), user_message=said)
        oauth = oauth_of(self._config)
        return Authorized(self.http, self._tokens, lambda old: refreshed(self.http, oauth, old))

    def _form(self, what: str, form: Mapping[str, str], welcome: Collection[int] = ()) -> Reply:
        """The judge sees welcome answers, too, and would make errors of them: it is left out where there are some."""
        app = {"client_id": self._config.text("client_id"), "client_secret": self._config.secret("client_secret")}
        url = f"{self._base}/oauth/{VERSION}/token/{what}"
        judge = None if welcome else self._judge
        return self.http.call(
            what, "POST", url, data={**form, **app}, repeatable=True, judge=judge, welcome=welcome
        )  # fmt: skip

    def _judge(self, reply: Reply) -> PluginError | None:
        return errors.judge(reply, now=self.http.now(), zone=self._zone() if reply.status == 429 else "")

    def _zone(self) -> str:
        return str(self.account().get("timeZone", ""))


def objects(kind: str, *parts: str) -> str:
    """The address of records of a kind."""
    return path(f"/crm/objects/{VERSION}", kind, *parts)


def path(start: str, *parts: str) -> str:
    """An address of parts that may hold anything."""
    return "/".join([start, *(quote(part, safe="") for part in parts)])


def _object(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise Permanent("HubSpot answered with something that is no record")
    return told


def _results(told: Any) -> list[dict[str, Any]]:
    return list(_object(told).get("results") or [])


def _failed(told: Any) -> list[dict[str, Any]]:
    return list(_object(told).get("errors") or [])
