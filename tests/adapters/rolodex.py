"""A CRM and a calendar that people connect by signing in, or with a key: adapters for tests, before a fake server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from werkzeug.wrappers import Request

from plugins import oauth, registry
from plugins.adapter import CheckResult
from plugins.calendar import Busy, Calendar, CalendarInfo, Window
from plugins.config import Config
from plugins.crm import CRM, Kind, Person, Ref
from plugins.errors import PermissionDenied
from plugins.fields import Field, Type
from plugins.hooks import Heard, HookCall, HookMessage
from plugins.oauth import Authorized, OAuth
from plugins.testing.fakes import Refusal, on
from plugins.testing.fakes.authorization import AuthorizationFake

FIELDS = (
    Field("client_id", "Client id"),
    Field("client_secret", "Client secret", secret=True),
    Field("api_key", "API key", secret=True, help="Instead of signing in."),
    Field("folder", "Folder", default="people", help="Where people are written to."),
    Field("base_url", "Address of the service", Type.URL, default="https://rolodex.example"),
)
KEY = "the-key-of-the-rolodex"
SCOPES = ("people.read", "people.write")


class RolodexFake(AuthorizationFake):
    """Keeps people, behind a token or the key."""

    def reset(self) -> None:
        super().reset()
        self.people: dict[str, str] = {}
        self.robot = "robot@service.example"

    robot: str  # whose the key is
    people: dict[str, str]

    @on("GET", "/me")
    def me(self, request: Request) -> dict[str, Any]:
        if request.headers.get("Authorization") == f"Bearer {KEY}":
            return {"email": self.robot, "scope": " ".join(SCOPES)}
        grant = self.of_bearer(request)
        return {"email": grant.account, "scope": " ".join(grant.scopes)}

    @on("PUT", "/people/<email>")
    def put(self, request: Request, email: str) -> dict[str, str]:
        if "people.write" not in self.me(request)["scope"]:
            raise Refusal(403, {"error": "insufficient_scope"})
        self.people[email] = request.get_json()["name"]
        return {"id": email}


class _SignsIn:
    """What both share."""

    fields = FIELDS
    config: Config
    http: Any
    tokens: Any

    @classmethod
    def oauth(cls, config: Config) -> OAuth | None:
        base = config.text("base_url")
        if not config.text("client_id"):
            return None
        return OAuth(
            f"{base}/authorize", f"{base}/token", SCOPES, config.text("client_id"), config.secret("client_secret"),
            revoke_url=f"{base}/revoke",
        )  # fmt: skip

    def call(self, operation: str, method: str, path: str, **request: Any) -> Any:
        url, asked = f"{self.config.text('base_url')}{path}", self.oauth(self.config)
        if asked is None:
            headers = {"Authorization": f"Bearer {self.config.secret('api_key')}"}
            return self.http.call(operation, method, url, headers=headers, repeatable=True, **request).json()
        authorized = Authorized(self.http, self.tokens, lambda old: oauth.refreshed(self.http, asked, old))
        return authorized.call(operation, method, url, repeatable=True, **request).json()

    def check(self) -> CheckResult:
        told = self.call("check", "GET", "/me")
        missing = tuple(one for one in SCOPES if one not in told["scope"].split())
        said = f"These permissions were not given: {', '.join(missing)}." if missing else ""
        return CheckResult(not missing, told["email"], tuple(told["scope"].split()), missing, message=said)

    def revoke(self) -> None:
        asked, granted = self.oauth(self.config), self.tokens.load()
        if asked and granted:
            oauth.revoke(self.http, asked, granted)


class Rolodex(_SignsIn, CRM):
    """The CRM."""

    name = "rolodex"
    title = "Rolodex"
    about = "People on cards."

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        self.call("upsert_person", "PUT", f"/people/{person.email}", json={"name": person.name})
        return Ref(Kind.PERSON, person.email)

    def hear(self, call: HookCall) -> Heard:
        if call.headers.get("X-Secret") != call.secret:
            raise PermissionDenied("not signed")
        if call.body == b"hello":
            return Heard(body=call.headers["X-Challenge"])
        told = call.body.decode().split()
        return Heard(tuple(HookMessage(id, {"email": f"{id}@globex.example"}) for id in told), status=202)


class Wallchart(_SignsIn, Calendar):
    """The calendar, which reps connect too."""

    name = "wallchart"
    title = "Wallchart"
    about = "Who is where."

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        return {name: Busy(()) for name in calendars}

    def calendars(self) -> list[CalendarInfo]:
        return [CalendarInfo("main", self.call("calendars", "GET", "/me")["email"])]


class Keyed(_SignsIn, Calendar):
    """A calendar without a sign-in: address and key are the rep's own."""

    name: ClassVar[str] = "keyed"
    title = "Keyed"
    fields = (
        Field("api_key", "Key", secret=True, required=True),
        Field("base_url", "Address of the service", Type.URL, required=True),
    )

    oauth = Calendar.oauth  # type: ignore[assignment]
    busy = Wallchart.busy
    calendars = Wallchart.calendars

    def call(self, operation: str, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.config.secret('api_key')}"}
        url = f"{self.config.text('base_url')}{path}"
        return self.http.call(operation, method, url, headers=headers, repeatable=True, **request).json()

    def revoke(self) -> None:
        """A key of one's own is not given back."""


@contextmanager
def offered() -> Iterator[None]:
    """All of them stand in the registry."""
    for adapter in (Rolodex, Wallchart, Keyed):
        registry.register(adapter)
    yield
    for adapter in (Rolodex, Wallchart, Keyed):
        registry.unregister(adapter)
