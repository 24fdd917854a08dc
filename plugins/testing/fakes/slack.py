"""Slack as far as Usher knows it: auth.test, chat.postMessage, conversations.history and .replies, and an incoming
webhook."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.wrappers import Request, Response

from plugins.testing.fakes.faults import Fault
from plugins.testing.fakes.server import Fake, Refusal, on

TOKEN = "xoxb-made-up-0123456789"  # noqa: S105 - made up
SECRET_PATH = "services/T000/B000/madeUpSecret"  # noqa: S105 - made up
MESSAGE = {
    "channel": str, "text": str, "blocks": list, "thread_ts": str, "reply_broadcast": bool, "unfurl_links": bool,
    "unfurl_media": bool, "metadata": dict,
}  # fmt: skip
LIMITS = {"header": 150, "section": 3000}


class SlackFake(Fake):
    """One workspace. `channels`: id → name; `messages`: by channel, oldest first; `scopes` of the token."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.scopes = TOKEN, ["chat:write", "channels:history"]
        self.channels = {"C1": "sales", "C2": "marketing"}
        self.messages: dict[str, list[dict[str, Any]]] = {"C1": [], "C2": []}
        self.archived: set[str] = set()
        self.hooked: list[dict[str, Any]] = []
        self.clock = 1_772_452_800.0

    @property
    def webhook(self) -> str:
        return f"{self.url}/{SECRET_PATH}"

    def error(self, code: str, **more: Any) -> Fault:
        """Slack's way to refuse: status 200 with the reason inside."""
        return Fault(status=200, body=json.dumps({"ok": False, "error": code, **more}).encode())

    @on("POST", "/auth.test")
    def who(self, request: Request) -> Response:
        self._sign_in(request)
        return self._said({"ok": True, "team": "Acme", "user": "usher", "team_id": "T1", "bot_id": "B1"})

    @on("POST", "/chat.postMessage")
    def post(self, request: Request) -> Response:
        self._sign_in(request)
        self._need("chat:write")
        body = _strict(request, MESSAGE)
        channel = self._channel(body.get("channel", ""))
        if not body.get("text") and not body.get("blocks"):
            self._refuse("no_text")
        _hold_to_limits(self, body.get("blocks", []))
        metadata = body.get("metadata")
        if metadata is not None and set(metadata) != {"event_type", "event_payload"}:
            self._refuse("invalid_metadata_format")
        if "thread_ts" in body and body["thread_ts"] not in [one["ts"] for one in self.messages[channel]]:
            self._refuse("thread_not_found")
        self.clock += 0.5
        message = {**body, "ts": f"{self.clock:.6f}"}
        self.messages[channel].append(message)
        return self._said({"ok": True, "channel": channel, "ts": message["ts"], "message": message})

    @on("POST", "/conversations.history")
    def history(self, request: Request) -> Response:
        """Without answers in threads, unless they were shown in the channel too; newest first."""
        asked = self._read(request)
        found = [one for one in self._since(asked) if "thread_ts" not in one or one.get("reply_broadcast")]
        return self._shown(found[::-1], asked)

    @on("POST", "/conversations.replies")
    def replies(self, request: Request) -> Response:
        """A thread's first message, however old, and what was answered, oldest first."""
        asked = self._read(request, "ts")
        heads = [one for one in self.messages[asked["channel"]] if one["ts"] == asked["ts"]]
        if not heads:
            self._refuse("thread_not_found")
        answers = [one for one in self._since(asked) if one.get("thread_ts") == asked["ts"]]
        return self._shown([*heads, *answers], asked)

    @on("POST", f"/{SECRET_PATH}")
    def hook(self, request: Request) -> Response:
        try:
            body = json.loads(request.get_data())
        except ValueError:
            raise Refusal(400, "invalid_payload") from None
        if not body.get("text") and not body.get("blocks"):
            raise Refusal(400, "no_text")
        self.hooked.append(body)
        return Response("ok", content_type="text/html")

    def unknown(self, request: Request) -> Response:
        if request.path.startswith("/services/"):
            return Response("no_service", status=404, content_type="text/html")
        return self._said({"ok": False, "error": "unknown_method"})

    def _read(self, request: Request, *needed: str) -> dict[str, str]:
        """What a reading method was asked: in a form or the query; it sees nothing of JSON."""
        self._sign_in(request)
        self._need("channels:history")
        asked = {**request.args, **request.form}
        missing = [name for name in ("channel", *needed) if name not in asked]
        if missing or not set(asked) <= {"channel", "oldest", "limit", "include_all_metadata", *needed}:
            self._refuse("invalid_arguments", response_metadata={"messages": [f"missing: {missing}"]})
        if asked["channel"] not in self.channels:
            self._refuse("channel_not_found")
        return asked

    def _since(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        return [one for one in self.messages[asked["channel"]] if float(one["ts"]) > float(asked.get("oldest", "0"))]

    def _shown(self, found: list[dict[str, Any]], asked: dict[str, str]) -> Response:
        whole = asked.get("include_all_metadata") == "true"
        shown = [{name: one[name] for name in one if whole or name != "metadata"} for one in found]
        most = int(asked.get("limit", "100"))
        return self._said({"ok": True, "messages": shown[:most], "has_more": len(shown) > most})

    def _sign_in(self, request: Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self._refuse("invalid_auth")

    def _need(self, scope: str) -> None:
        if scope not in self.scopes:
            self._refuse("missing_scope", needed=scope, provided=",".join(self.scopes))

    def _channel(self, said: str) -> str:
        if said not in self.channels:
            self._refuse("channel_not_found")
        if said in self.archived:
            self._refuse("is_archived")
        return said

    def _refuse(self, code: str, **more: Any) -> str:
        raise Refusal(200, {"ok": False, "error": code, **more})

    def _said(self, body: dict[str, Any]) -> Response:
        answer = Response(json.dumps(body), content_type="application/json; charset=utf-8")
        answer.headers["X-OAuth-Scopes"] = ",".join(self.scopes)
        return answer


def _strict(request: Request, allowed: dict[str, type]) -> dict[str, Any]:
    body = request.get_json(force=True)
    for name, value in body.items():
        if name not in allowed or type(value) is not allowed[name]:
            raise Refusal(200, {"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": [name]}})
    return dict(body)


def _hold_to_limits(fake: SlackFake, blocks: list[dict[str, Any]]) -> None:
    for block in blocks:
        text = block.get("text", {}).get("text", "")
        if len(text) > LIMITS.get(block["type"], 3000) or len(block.get("fields", [])) > 10:
            raise Refusal(200, {"ok": False, "error": "invalid_blocks"})
