"""Any CRM of your own: calls go as signed messages to an address you give, and changes come back the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from plugins.adapter import CheckResult
from plugins.crm import CRM, Activity, Capability, Change, Company, Conversion, Kind, Meeting, Person, Ref
from plugins.emails import ascii_domain, fold, stable_id
from plugins.errors import AmbiguousOutcome, InvalidInput, NotFound
from plugins.foreign import read_json
from plugins.hooks import Heard, HookCall, HookMessage
from plugins.limits import Rate
from plugins.signing import verified
from plugins.webhook import FIELDS, ping, secrets_of, send

LONGEST_ID = 120
"""As long as ids of records are kept."""
PREFIXES = {Kind.PERSON: "per", Kind.COMPANY: "com"}
"""How ids begin that we give records whose receiver names none."""


class Webhook(CRM):
    """The receiver does each message once by its id, which is the delivery's key and the same when it is sent again. It
    may answer with `id` and `url` of the record; without, the id is made from e-mail, domain, uid or key."""

    name = "webhook"
    title = "Signed webhook"
    about = "Sends people, companies, chats and meetings as signed messages to a program of your own."
    capabilities = frozenset({
        Capability.COMPANY, Capability.ACTIVITY, Capability.MEETING, Capability.CONVERT, Capability.ERASE,
        Capability.HOOKS,
    })  # fmt: skip
    makes_fields = True
    rate = Rate(50, 5)
    fields = FIELDS

    def check(self) -> CheckResult:
        url = self.config.text("url")
        return CheckResult(True, url, warnings=ping(self.http, self.config), account_id=url)

    def upsert_person(self, person: Person, *, key: str) -> Ref:
        email = fold(person.email)
        said = {**_said(person), "email": email}
        return self._told(Kind.PERSON, email, self._send("upsert_person", "person.upsert", key, {"person": said}))

    def upsert_company(self, company: Company, *, key: str) -> Ref:
        domain = ascii_domain(company.domain)
        if "." not in domain:
            raise InvalidInput("a company is found by its domain", field="domain")
        said = {**_said(company), "domain": domain}
        return self._told(Kind.COMPANY, domain, self._send("upsert_company", "company.upsert", key, {"company": said}))

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        data = {"person": {"id": person.id}, "activity": _said(activity)}
        answer = self._send("log_activity", "activity.log", key, data)
        return _ref(Kind.ACTIVITY, answer, stable_id("act", key))

    def log_meeting(self, person: Ref, meeting: Meeting, *, key: str) -> Ref:
        data = {"person": {"id": person.id}, "meeting": _said(meeting)}
        return _ref(Kind.MEETING, self._send("log_meeting", "meeting.log", key, data), stable_id("met", meeting.uid))

    def convert(self, person: Ref, *, key: str, company: Ref | None = None, opportunity: str = "") -> Conversion:
        data = {"person": {"id": person.id}, "company": {"id": company.id} if company else None}
        answer = self._send("convert", "person.convert", key, {**data, "opportunity": opportunity})
        told = answer.get("opportunity")
        made = stable_id("opp", person.id, opportunity)
        deal = _ref(Kind.OPPORTUNITY, told if isinstance(told, dict) else {}, made) if opportunity else None
        return Conversion(person, company, deal)

    def erase(self, person: Ref, *, key: str) -> None:
        try:
            self._send("erase", "person.erase", key, {"person": {"id": person.id}})
        except NotFound:
            return

    def hear(self, call: HookCall) -> Heard:
        id = verified(call.headers, call.body, (*secrets_of(self.config), call.secret), call.at)
        try:
            told = read_json(call.body)
        except ValueError:
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("type"), str):
            raise InvalidInput("a message is an object with type, timestamp and data")
        return Heard((HookMessage(id, told),) if told["type"] != "ping" else ())

    def told(self, data: Mapping[str, Any]) -> tuple[Change, ...]:
        what, _, deed = str(data.get("type", "")).partition(".")
        about = data.get("data")
        if what not in ("person", "company") or deed not in ("changed", "deleted") or not isinstance(about, dict):
            return ()
        kind = Kind(what)
        given = about.get("id")
        id = _id(given) if given else _own_id(kind, about)
        if not id:
            return ()
        values = about.get("values")
        known = dict(values) if isinstance(values, dict) and deed == "changed" else {}
        at = _moment(data.get("timestamp"), self.http.now())
        return (Change(Ref(kind, id), at, known, deed == "deleted", about.get("ours") is True),)

    def _send(self, operation: str, type: str, key: str, data: Mapping[str, Any]) -> dict[str, Any]:
        return send(self.http, self.config, operation, type, key, data)

    def _told(self, kind: Kind, name: str, answer: Mapping[str, Any]) -> Ref:
        return _ref(kind, answer, stable_id(PREFIXES[kind], name))


def _ref(kind: Kind, answer: Mapping[str, Any], id: str) -> Ref:
    """The record that the program names. Without an answer that can be read it may have made one: AmbiguousOutcome."""
    given = answer.get("id")
    named = _id(given) if given else id
    if not named:
        said = f"The program answers with an id that is no text or number of at most {LONGEST_ID} signs."
        raise AmbiguousOutcome("an id that is none", user_message=said)
    return Ref(kind, named, str(answer.get("url") or ""), answer.get("created") is True)


def _id(given: Any) -> str:
    """A record's id as text, "" for what is none."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return ""
    return str(given) if len(str(given)) <= LONGEST_ID else ""


def _own_id(kind: Kind, about: Mapping[str, Any]) -> str:
    """What we call a record whose receiver names none."""
    if kind == Kind.PERSON:
        email = str(about.get("email") or "")
        return stable_id(PREFIXES[kind], fold(email)) if "@" in email else ""
    domain = ascii_domain(str(about.get("domain") or ""))
    return stable_id(PREFIXES[kind], domain) if domain else ""


def _said(value: Any) -> dict[str, Any]:
    """A dataclass as JSON, without what is None: that means "leave it as it is"."""
    return {name: one for name, one in asdict(value).items() if one is not None}


def _moment(said: Any, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        return now
    return at if at.tzinfo else at.replace(tzinfo=UTC)
