"""A visitor without a browser: speaks docs/protocol.md over a real socket, and comes back after a cut."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from simple_websocket import Client, ConnectionClosed, ConnectionError

SECONDS = 20


class Visitor:
    """`heard` holds all messages by number, however often they came."""

    def __init__(self, usher_url: str, origin: str, *, path: str = "/pricing", site: str = "acme") -> None:
        self.address = usher_url.replace("http://", "ws://") + f"/v1/chat?site={site}"
        self.origin = origin
        self.path = path
        self.site = site
        self.token: str | None = None
        self.conversation = ""
        self.seed = uuid.uuid4().hex
        self.heard: dict[int, dict[str, Any]] = {}
        self.acked: dict[str, int] = {}
        self.twice: list[int] = []
        self.socket: Client | None = None

    def connect(self) -> dict[str, Any]:
        """Say hello, again and again until the server is there; the welcome."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                self.socket = Client.connect(self.address, headers={"Origin": self.origin})
                self.socket.send(json.dumps(self._hello()))
                return self.until(lambda frame: frame["t"] == "welcome")
            except (ConnectionClosed, ConnectionError, OSError):
                if time.monotonic() > end:
                    raise

    def send(self, text: str, value: dict[str, Any] | None = None, client_id: str | None = None) -> str:
        """Send a message without waiting; its client id."""
        client_id = client_id or uuid.uuid4().hex
        frame = {"t": "say", "id": client_id, "text": text, "value": value}
        assert self.socket
        self.socket.send(json.dumps(frame))
        return client_id

    def say(self, text: str, value: dict[str, Any] | None = None) -> dict[str, Any]:
        """Say it, whatever happens to the server meanwhile; the bot's last message in answer."""
        client_id = uuid.uuid4().hex
        while client_id not in self.acked:
            try:
                self.send(text, value, client_id)
                self.until(lambda frame: frame["t"] == "ack" and frame["id"] == client_id)
            except (ConnectionClosed, ConnectionError, OSError):
                self.connect()
                self._recognise(client_id)
        self._settle(self.acked[client_id])
        return self.heard[max(self.heard)]

    def messages(self) -> list[dict[str, Any]]:
        return [self.heard[seq] for seq in sorted(self.heard)]

    def part(self, kind: str) -> dict[str, Any]:
        """The newest part of this kind."""
        found = [one["part"] for one in self.messages() if one["part"] and one["part"]["kind"] == kind]
        assert found, f"no {kind} in {[one['text'] for one in self.messages()]}"
        part: dict[str, Any] = found[-1]
        return part

    def close(self) -> None:
        if self.socket and self.socket.connected:
            self.socket.close()

    def _hello(self) -> dict[str, Any]:
        page = {"url": self.origin + self.path, "path": self.path, "title": "", "referrer": "", "query": {}, "utm": {}}
        return {
            "t": "hello",
            "site": self.site,
            "token": self.token,
            "seed": self.seed,
            "after": max(self.heard, default=0),
            "page": page,
            "device": "desktop",
            "locale": "en",
            "zone": "Europe/Berlin",
            "visit": {"count": 1, "pages": []},
        }

    def until(self, wanted: Any) -> dict[str, Any]:
        """Read frames until one is as wanted."""
        end = time.monotonic() + SECONDS
        assert self.socket
        while time.monotonic() < end:
            raw = self.socket.receive(timeout=max(0.01, end - time.monotonic()))
            if raw is None:
                break
            frame: dict[str, Any] = json.loads(raw)
            self._keep(frame)
            if wanted(frame):
                return frame
        raise AssertionError("the awaited frame did not come")

    def _keep(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "welcome":
            self.token = frame.get("token") or self.token
            self.conversation = frame["conversation"]
            for message in frame["messages"]:
                self._hear(message)
        elif frame["t"] == "message":
            self._hear(frame["message"])
        elif frame["t"] == "ack":
            self.acked[frame["id"]] = frame["seq"]

    def _hear(self, message: dict[str, Any]) -> None:
        if message["seq"] in self.heard:
            self.twice.append(message["seq"])
        self.heard[message["seq"]] = message

    def _recognise(self, client_id: str) -> None:
        """What the welcome brought may already be the answer."""
        for message in self.heard.values():
            if message["id"] == client_id:
                self.acked[client_id] = message["seq"]

    def _settle(self, seq: int) -> None:
        """Wait until something was said after number `seq`; when the socket is cut meanwhile, come back for it."""
        while max(self.heard, default=0) <= seq:
            try:
                self.until(lambda frame: max(self.heard, default=0) > seq)
            except (ConnectionClosed, ConnectionError, OSError):
                self.connect()
