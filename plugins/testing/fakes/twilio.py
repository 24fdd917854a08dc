"""Twilio's Messages resource: what was sent, to whom, and the refusals of its error dictionary."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.server import Fake, Refusal, on

ACCOUNT, KEY, SECRET = "AC" + "0" * 32, "SK" + "1" * 32, "a-made-up-secret"
ALLOWED = frozenset({
    "To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "SmartEncoded", "MediaUrl",
})  # fmt: skip
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


class TwilioFake(Fake):
    """`sent`: the messages, oldest first. `refused`: number → Twilio's code for it. `prefix`: a trial's words."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.refused: dict[str, int] = {"+15005550004": 21610, "+15005550009": 21614, "+15005550001": 21211}
        self.numbers = {"+15005550006"}
        self.prefix = ""

    def check(self, request: Request) -> None:
        expected = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            raise self._refusal(401, 20003, "Authenticate")

    @on("POST", PATH)
    def create(self, request: Request) -> tuple[int, dict[str, Any]]:
        unknown = set(request.form) - ALLOWED
        if unknown:
            raise self._refusal(400, 20001, f"unknown parameter {sorted(unknown)[0]}")
        to, body, sender = (request.form.get(name, "") for name in ("To", "Body", "From"))
        if not to:
            raise self._refusal(400, 21604, "A 'To' phone number is required.")
        if to in self.refused:
            raise self._refusal(400, self.refused[to], f"refused: {to}")
        if not sender and not request.form.get("MessagingServiceSid"):
            raise self._refusal(400, 21603, "A 'From' phone number is required.")
        if sender and sender not in self.numbers:
            raise self._refusal(400, 21606, "The 'From' phone number is not one of yours.")
        if not body:
            raise self._refusal(400, 21602, "Message body is required.")
        if len(body) > 1600:
            raise self._refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        message = {
            "sid": f"SM{len(self.sent):032x}", "to": to, "from": sender or None, "body": self.prefix + body,
            "status": "queued", "date_created": format_datetime(datetime.now(UTC)), "error_code": None,
        }  # fmt: skip
        self.sent.append(message)
        return 201, message

    @on("GET", PATH)
    def listed(self, request: Request) -> dict[str, Any]:
        if unknown := set(request.args) - {"To", "From", "DateSent", "DateSent>", "DateSent<", "PageSize", "Page"}:
            raise self._refusal(400, 20001, f"unknown parameter {sorted(unknown)[0]}")
        to = request.args.get("To")
        found = [one for one in reversed(self.sent) if to in (None, one["to"])]
        return {"messages": found[: int(request.args.get("PageSize", 50))], "next_page_uri": None}

    def unknown(self, request: Request) -> Response:
        return Response('{"code": 20404, "message": "not found", "status": 404}', 404, content_type="application/json")

    def _refusal(self, status: int, code: int, message: str) -> Refusal:
        more = f"https://www.twilio.com/docs/errors/{code}"
        return Refusal(status, {"code": code, "message": message, "more_info": more, "status": status})
