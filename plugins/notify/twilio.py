"""Alerts as text messages by Twilio (api.twilio.com, version 2010-04-01)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import phonenumbers

from plugins.adapter import CheckResult, Rate
from plugins.errors import (
    AuthError,
    ConfigError,
    InvalidInput,
    PermissionDenied,
    PluginError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from plugins.fields import Field, Type
from plugins.http import Reply
from plugins.notify import Alert, Capability, Notify, Sent
from plugins.notify.once import is_known, send_once
from plugins.notify.wording import plain
from plugins.statuses import retry_after

MOST_CHARACTERS = 459
"""Three segments of a message in plain letters (GSM 03.38), each paid for; Twilio would take 1,600 characters."""
CLOCKS_APART = timedelta(seconds=90)
MEANING: Mapping[int, type[PluginError]] = {
    20003: AuthError,
    20006: PermissionDenied,
    20008: PermissionDenied,
    20404: ConfigError,
    20429: RateLimited,
    20500: Transient,
    20503: Transient,
    21211: InvalidInput,
    21212: ConfigError,
    21408: PermissionDenied,
    21602: InvalidInput,
    21603: ConfigError,
    21604: InvalidInput,
    21606: ConfigError,
    21608: PermissionDenied,
    21610: InvalidInput,
    21611: RateLimited,
    21612: InvalidInput,
    21614: InvalidInput,
    21617: InvalidInput,
    21659: ConfigError,
    21660: ConfigError,
    21701: ConfigError,
    21703: PermissionDenied,  # there are senders, yet none for this number: others may be reached
    21704: ConfigError,
    21705: ConfigError,
    30001: RateLimited,
    63038: QuotaExhausted,
}
"""Twilio's codes (error dictionary); 212xx and 216xx are about one message, 206xx, 2165x about the account."""
OF_TEXT = frozenset({21602, 21617})
SAID = {
    21608: "A Twilio trial account sends only to numbers that it has verified.",
    21610: "This number has answered STOP and takes no more messages.",
    21614: "This is no mobile number.",
    21703: "The Messaging Service has no sender for this number.",
    21704: "The Messaging Service has no sender.",
}


class Twilio(Notify):
    """Twilio knows no keys: a call whose outcome is not known looks through what was sent to that number meanwhile
    before it sends again."""

    name = "twilio"
    title = "Twilio"
    about = "Sends alerts as text messages."
    capabilities = frozenset({Capability.ALERT})
    rate = Rate(calls=1, seconds=1.0)
    fields = (
        Field("account", "Account SID", required=True, pattern=r"AC[0-9a-fA-F]{32}"),
        Field("key", "API key SID", required=True, pattern=r"(SK|AC)[0-9a-fA-F]{32}",
              help="Begins with SK. The account's own SID works with its auth token."),
        Field("secret", "API key secret", secret=True, required=True),
        Field("sender", "Sender", required=True, pattern=r"\+[1-9]\d{6,14}|MG[0-9a-fA-F]{32}|[A-Za-z0-9 ]{1,11}",
              help="A number of yours (+49…), a Messaging Service (MG…) or a sender name."),
        Field("to", "Number for alerts that name none", help="International: +49…"),
        Field("base_url", "Address of the API", Type.URL, default="https://api.twilio.com"),
    )  # fmt: skip

    def check(self) -> CheckResult:
        self._call("check", "GET", "", params={"PageSize": 1})
        return CheckResult(ok=True, account=f"{self.config.text('account')} from {self.config.text('sender')}")

    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        to, text = _number(alert.to or self.config.text("to")), plain(alert, MOST_CHARACTERS)
        return send_once(
            self.records, key, self.http.now(), lambda began: self._sent(to, text, began), lambda: self._send(to, text)
        )

    def _send(self, to: str, text: str) -> Sent:
        sender = self.config.text("sender")
        by = "MessagingServiceSid" if sender.startswith("MG") and len(sender) == 34 else "From"
        made = self._call("send_alert", "POST", "", data={"To": to, by: sender, "Body": text})
        return Sent(made.told("sid")["sid"])

    def _sent(self, to: str, text: str, began: datetime) -> Sent | None:
        """What an earlier call that got no answer may have sent: since it began, in these words, and not known to be
        another alert's."""
        since = began - CLOCKS_APART
        asked = {"To": to, "DateSent>": since.date().isoformat(), "PageSize": 100}
        for message in self._call("send_alert", "GET", "", params=asked).told("messages")["messages"]:
            made = parsedate_to_datetime(message["date_created"])
            ours = message["body"].endswith(text) and made >= since  # a trial account puts words before ours
            if ours and message["status"] != "failed" and not is_known(self.records, message["sid"]):
                return Sent(message["sid"])
        return None

    def _call(self, operation: str, method: str, part: str, **request: Any) -> Reply:
        account = self.config.text("account")
        return self.http.call(
            operation, method, f"{self.config.text('base_url')}/2010-04-01/Accounts/{account}/Messages{part}.json",
            auth=(self.config.text("key"), self.config.secret("secret")), judge=self._judge, **request,
        )  # fmt: skip

    def _judge(self, reply: Reply) -> PluginError | None:
        try:
            told = json.loads(reply.body) if reply.status >= 400 else {}
        except ValueError:
            return None
        code = told.get("code") if isinstance(told, dict) else None
        if not isinstance(code, int) or code not in MEANING:
            return None
        about: dict[str, Any] = {
            "http_status": reply.status,
            "vendor_code": str(code),
            "user_message": SAID.get(code, ""),
            "retry_after": retry_after(reply.headers, self.http.now()),
        }
        if MEANING[code] is InvalidInput:
            about["field"] = "text" if code in OF_TEXT else "to"
        return MEANING[code](f"{code} {told.get('message', '')}"[:300], **about)


def _number(said: str) -> str:
    """The number in E.164; InvalidInput when it is none."""
    try:
        number = phonenumbers.parse(said, None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        wanted = "Text messages go to a telephone number with its country, such as +4930123456."
        raise InvalidInput("no telephone number with its country", field="to", user_message=wanted)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
