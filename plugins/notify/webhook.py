"""Alerts as signed messages to a program of your own (Standard Webhooks), for what no other adapter reaches."""

from __future__ import annotations

from dataclasses import asdict

from plugins.adapter import CheckResult
from plugins.limits import Rate
from plugins.notify import Alert, Capability, Notify, Sent
from plugins.signing import name_of
from plugins.webhook import FIELDS, ping, send


class Webhook(Notify):
    """The receiver does each message once by its id, which is the delivery's key and the same when it comes again.
    Messages of one `thread_key` are about one matter."""

    name = "webhook"
    title = "Signed webhook"
    about = "Sends alerts as signed messages to a program of your own."
    capabilities = frozenset({Capability.ALERT, Capability.THREADS})
    rate = Rate(50, 5)
    fields = FIELDS

    def check(self) -> CheckResult:
        return CheckResult(True, self.config.text("url"), warnings=ping(self.http, self.config))

    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        facts = [{"label": label, "value": value} for label, value in alert.facts.items()]
        send(self.http, self.config, "send_alert", "alert", key, {**asdict(alert), "facts": facts})
        return Sent(name_of(key))
