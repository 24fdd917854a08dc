"""Alerts in Slack by a bot (chat.postMessage): any channel it is a member of, in threads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.errors import (
    AmbiguousOutcome,
    AuthError,
    ConfigError,
    InvalidInput,
    Permanent,
    PermissionDenied,
    PluginError,
    RateLimited,
    Retry,
    Transient,
)
from plugins.fields import Field, Type
from plugins.http import Reply
from plugins.notify import Alert, Capability, Notify, Sent
from plugins.notify.once import send_once
from plugins.notify.slack_message import blocks, summary
from plugins.statuses import retry_after

THREADS = "notify.slack.threads"
CHANNEL = r"[CDG][A-Z0-9]+"
NEEDED, LOOK_UP = "chat:write", "channels:history"
SAID_SINCE_SECONDS = 120
"""How long before a call began Slack's clock may say that the message was posted."""
MEANING: Mapping[str, type[PluginError]] = {
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "org_login_required"),
        AuthError,
    ),
    **dict.fromkeys(
        ("missing_scope", "no_permission", "not_allowed_token_type", "access_denied", "ekm_access_denied",
         "restricted_action", "restricted_action_read_only_channel", "team_access_not_granted",
         "enterprise_is_restricted", "accesslimited"),
        PermissionDenied,
    ),
    **dict.fromkeys(("ratelimited", "rate_limited"), RateLimited),
    **dict.fromkeys(("fatal_error", "internal_error", "request_timeout"), AmbiguousOutcome),
    **dict.fromkeys(("service_unavailable", "team_added_to_org"), Transient),
}  # fmt: skip
"""Slack's `error` in an answer of status 200; of the ambiguous ones it says that some of the work may be done."""
TARGET = frozenset({"channel_not_found", "not_in_channel", "is_archived", "user_not_found", "cannot_dm_bot"})
TEXT = frozenset({"msg_too_long", "no_text", "invalid_blocks", "msg_blocks_too_long"})


class Slack(Notify):
    """One token, one workspace. Slack knows no keys: the key goes along as metadata, and a call whose outcome is not
    known looks for it in the channel before it posts again (that needs the scope `channels:history`)."""

    name = "slack"
    title = "Slack"
    about = "Posts alerts to Slack channels as a bot, later ones of the same matter in its thread."
    capabilities = frozenset({Capability.ALERT, Capability.THREADS})
    rate = Rate(calls=1, seconds=1.0)
    fields = (
        Field("token", "Bot token", secret=True, required=True, pattern=r"xox[a-z]-[\w-]+", help="Begins with xoxb-."),
        Field("channel", "Channel id", required=True, pattern=CHANNEL,
              help="For alerts that name none: C0123…, at the end of the channel's details in Slack."),
        Field("base_url", "Address of the API", Type.URL, default="https://slack.com/api"),
    )  # fmt: skip

    def check(self) -> CheckResult:
        reply = self._ask("check", "auth.test", repeatable=True)
        told, granted = reply.json(), _scopes(reply)
        missing = tuple(scope for scope in (NEEDED,) if granted and scope not in granted)
        unsure = () if not granted or LOOK_UP in granted else (
            f"Without the scope {LOOK_UP} an alert may come twice when Slack does not answer in time.",
        )  # fmt: skip
        message = f"The scope {NEEDED} is missing: add it to the app and install it again." if missing else ""
        account = f"{told.get('team', '')} as {told.get('user', '')}"
        return CheckResult(not missing, account, granted, missing, unsure, message)

    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        channel = alert.to or self.config.text("channel")
        if not re.fullmatch(CHANNEL, channel):
            said = "Slack wants the id of a channel, such as C0123ABCD."  # its history is read by id only
            raise InvalidInput(f"{channel}: no id of a channel", field="to", user_message=said)
        thread = f"{channel}\n{alert.thread_key}" if alert.thread_key else ""
        return send_once(
            self.records, key, self.http.now(), lambda began: self._posted(channel, thread, key, began),
            lambda: self._post(channel, thread, alert, key),
        )  # fmt: skip

    def _post(self, channel: str, thread: str, alert: Alert, key: str) -> Sent:
        first = self.records.get(THREADS, thread) if thread else None
        message = {
            "channel": channel,
            "text": summary(alert),
            "blocks": blocks(alert),
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": "usher_alert", "event_payload": {"key": key}},
        }
        if first:
            message |= {"thread_ts": first["ts"], "reply_broadcast": alert.urgent}
        told = self._ask("send_alert", "chat.postMessage", json=message, to=alert.to).json()
        if thread and not first:
            self.records.put(THREADS, thread, {"ts": told["ts"]}, new=True)
        return Sent(f"{told['channel']}/{told['ts']}")

    def _posted(self, channel: str, thread: str, key: str, began: datetime) -> Sent | None:
        """The message of an earlier call with this key, if the token may read the channel and it is there: in its
        thread, or in the channel itself, whose history has no answers in threads."""
        since = {"channel": channel, "oldest": f"{began.timestamp() - SAID_SINCE_SECONDS:.6f}"}
        first = self.records.get(THREADS, thread) if thread else None
        ts = self._found("conversations.replies", {**since, "ts": first["ts"]}, key) if first else ""
        if not ts:
            ts = self._found("conversations.history", since, key)
            if ts and thread:
                self.records.put(THREADS, thread, {"ts": ts}, new=True)
        return Sent(f"{channel}/{ts}") if ts else None

    def _found(self, method: str, asked: Mapping[str, str], key: str) -> str:
        """The `ts` of the message with this key, "" when it is not there or cannot be looked for: an alert that comes
        twice is better than none."""
        asked = {**asked, "limit": "200", "include_all_metadata": "true"}
        try:
            told = self._ask("send_alert", method, data=asked, repeatable=True).json()
        except PluginError as problem:
            if problem.retry is not Retry.NEVER or isinstance(problem, AuthError):
                raise
            return ""
        for message in told.get("messages", []):
            if (message.get("metadata") or {}).get("event_payload", {}).get("key") == key:
                return str(message["ts"])
        return ""

    def _ask(self, operation: str, method: str, *, to: str = "", repeatable: bool = False, **body: Any) -> Reply:
        """`json` for what writes; `data` for what reads, which takes no JSON (Slack's changelog of 2017-10-27)."""
        return self.http.call(
            operation, "POST", f"{self.config.text('base_url')}/{method}",
            headers={"Authorization": f"Bearer {self.config.secret('token')}"},
            judge=lambda reply: self._judge(reply, to), repeatable=repeatable, **body,
        )  # fmt: skip

    def _judge(self, reply: Reply, to: str) -> PluginError | None:
        if reply.status != 200:
            return None
        told = reply.json()
        if not isinstance(told, dict) or "ok" not in told:
            lost = Transient if reply.call.repeatable else AmbiguousOutcome
            return lost("the answer is not what Slack answers", http_status=200)
        if told.get("ok"):
            return None
        code = str(told.get("error", ""))
        about: dict[str, Any] = {"http_status": 200, "vendor_code": code}
        if code in TARGET:
            return _no_target(code, to, about)
        if code in TEXT:
            return InvalidInput(f"Slack says {code}", field="text", **about)
        if code == "missing_scope":
            about["user_message"] = f"The Slack app lacks the scope {told.get('needed', '')}: add and install it again."
        wait = retry_after(reply.headers, self.http.now())
        return MEANING.get(code, Permanent)(f"Slack says {code}", retry_after=wait, **about)


def _no_target(code: str, to: str, about: dict[str, Any]) -> PluginError:
    if to:
        said = f"Slack has no channel {to} that the app may post to."
        return InvalidInput(f"{to}: {code}", field="to", user_message=said, **about)
    said = "Slack has no such channel that the app may post to: invite the app or choose another channel."
    return ConfigError(code, problems=(("channel", code),), user_message=said, **about)


def _scopes(reply: Reply) -> tuple[str, ...]:
    return tuple(one.strip() for one in reply.headers.get("x-oauth-scopes", "").split(",") if one.strip())
