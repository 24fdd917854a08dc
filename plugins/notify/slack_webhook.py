"""Alerts in one Slack channel by an incoming webhook: one secret address, nothing else to set up."""

from __future__ import annotations

from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.errors import AmbiguousOutcome, ConfigError, InvalidInput, PermissionDenied, PluginError
from plugins.fields import Field, Type
from plugins.http import Reply
from plugins.notify import Alert, Capability, Notify, Sent
from plugins.notify.once import send_once
from plugins.notify.slack_message import blocks, summary

GONE = frozenset({
    "no_service", "no_service_id", "no_active_hooks", "no_team", "team_disabled", "invalid_token",
    "channel_is_archived", "channel_not_found", "user_not_found",
})  # fmt: skip
OURS = frozenset({"invalid_payload", "invalid_blocks", "invalid_blocks_format", "no_text", "too_many_attachments"})


class SlackWebhook(Notify):
    """Slack answers "ok" and no id, and nobody can read back what was posted: after a lost answer an alert may come
    twice. Later alerts of a matter do not go into its thread; the adapter `slack` does both."""

    name = "slack_webhook"
    title = "Slack (incoming webhook)"
    about = "Posts alerts to one Slack channel."
    capabilities = frozenset({Capability.ALERT})
    rate = Rate(calls=1, seconds=1.0)
    fields = (
        Field("url", "Webhook address", Type.URL, secret=True, required=True,
              help="As Slack shows it: https://hooks.slack.com/services/…"),
    )  # fmt: skip

    def check(self) -> CheckResult:
        """An address can only be tried by posting to it. Slack refuses an empty message after it has looked at the
        address, and that tells whether it is good."""
        try:
            self._post("check", {"text": ""})
        except InvalidInput:
            return CheckResult(ok=True, account="a Slack channel")
        return CheckResult(ok=True, account="a Slack channel", warnings=("Slack took an empty message.",))

    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        if alert.to:
            raise InvalidInput("an incoming webhook posts to its own channel only", field="to")
        message = {"text": summary(alert), "blocks": blocks(alert), "unfurl_links": False, "unfurl_media": False}

        def send() -> Sent:
            try:
                self._post("send_alert", message)
            except AmbiguousOutcome as problem:
                problem.doubles = True
                raise
            return Sent(key)

        return send_once(self.records, key, self.http.now(), lambda _: None, send)

    def _post(self, operation: str, message: dict[str, Any]) -> None:
        self.http.call(operation, "POST", self.config.secret("url"), json=message, judge=_judge)


def _judge(reply: Reply) -> PluginError | None:
    """Slack's answers in plain text (its changelog of 2016-05-17; newer names: docs.slack.dev, incoming webhooks)."""
    code = reply.body[:80].decode("utf-8", "replace").strip()
    about: dict[str, Any] = {"http_status": reply.status, "vendor_code": code}
    if code in GONE:
        said = "This Slack webhook no longer leads to a channel: make a new one and connect it."
        return ConfigError(code, problems=(("url", code),), user_message=said, **about)
    if code == "action_prohibited":
        return PermissionDenied(code, **about)
    if code in OURS:
        return InvalidInput(code, field="text", **about)
    if reply.status == 200 and code != "ok":
        return AmbiguousOutcome("the answer is not Slack's", http_status=200)
    return None
