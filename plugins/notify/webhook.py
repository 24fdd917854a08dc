"""Alerts as signed messages to a program of your own (Standard Webhooks), for what no other adapter reaches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from plugins.adapter import CheckResult
from plugins.errors import PluginError, Transient
from plugins.fields import Field, Type
from plugins.http import Reply
from plugins.limits import Rate
from plugins.notify import Alert, Capability, Notify, Sent
from plugins.signing import SECRET, name_of, signed

ADDRESS = r"https://[^\s/?#@]+([/?#]\S*)?|http://(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?(/\S*)?"


class Webhook(Notify):
    """The receiver does each message once by its id, which is the delivery's key and the same when it comes again.
    Messages of one `thread_key` are about one matter."""

    name = "webhook"
    title = "Signed webhook"
    about = "Sends alerts as signed messages to a program of your own."
    capabilities = frozenset({Capability.ALERT, Capability.THREADS})
    rate = Rate(50, 5)
    fields = (
        Field("url", "Address of your program", Type.URL, required=True, pattern=ADDRESS, help="It gets POSTs."),
        Field("secret", "Signing secret", secret=True, required=True, pattern=SECRET,
              help="whsec_ and 24 to 64 random bytes in base64, such as `openssl rand -base64 32` gives."),
        Field("old_secret", "Signing secret until now", secret=True, pattern=SECRET,
              help="While you change secrets: messages carry both signatures. Clear it then."),
    )  # fmt: skip

    def check(self) -> CheckResult:
        self._post("check", "ping", "ping", {})
        return CheckResult(ok=True, account=self.config.text("url"))

    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        facts = [{"label": label, "value": value} for label, value in alert.facts.items()]
        self._post("send_alert", "alert", key, {**asdict(alert), "facts": facts})
        return Sent(name_of(key))

    def _post(self, operation: str, type: str, key: str, data: Mapping[str, Any]) -> Reply:
        now = self.http.now()
        body = json.dumps({"type": type, "timestamp": now.isoformat(), "data": data}).encode()
        secrets = (self.config.secret("secret"), self.config.secret("old_secret"))
        headers = {"Content-Type": "application/json", **signed(secrets, name_of(key), now, body)}
        return self.http.call(
            operation, "POST", self.config.text("url"), data=body, headers=headers, judge=_judge, repeatable=True
        )


def _judge(reply: Reply) -> PluginError | None:
    """A page of HTML is somebody else's answer, such as that of a proxy or a sign-in in between."""
    page = reply.status < 300 and "html" in reply.headers.get("content-type", "")
    return Transient("a page of HTML came back", http_status=reply.status) if page else None
