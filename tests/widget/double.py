"""The outside of the widget for its own tests: pages of a website on one port and, on another, a server that speaks
docs/protocol.md from a script. It can be cut off, deafened and restarted, and it counts what it was asked."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import simple_websocket
from flask import Flask, Response, abort, request
from flask_sock import Sock
from werkzeug.serving import BaseWSGIServer, make_server

from tests.widget import script

logging.getLogger("werkzeug").setLevel(logging.ERROR)


@dataclass
class Conversation:
    id: str
    state: str = "bot"
    agent: dict[str, Any] = field(default_factory=lambda: {"name": "Ada", "human": False})
    messages: list[dict[str, Any]] = field(default_factory=list)


class Double:
    """`usher` and `site` are the two origins; `conversations` by visitor token; `hellos` every first frame seen."""

    def __init__(self, assets: Path) -> None:
        self.assets = assets
        self.manifest: dict[str, Any] = json.loads((assets / "manifest.json").read_text())
        self.lock = threading.RLock()
        self.reset()
        self._usher = serve(self._usher_app())
        self._site = serve(self._site_app())
        self.usher = f"http://127.0.0.1:{self._usher.port}"
        self.site = f"http://localhost:{self._site.port}"

    def reset(self) -> None:
        """As if nobody had ever been here."""
        self.cut()
        self.conversations: dict[str, Conversation] = {}
        self.config: dict[str, Any] = script.config()
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}  # by first part of the path: what a test puts there
        self.others: dict[str, dict[str, Any]] = {}  # by key: what differs in the config of further sites
        self.frames: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.deaf = self.mute = self.down = False
        self.refuse = ""
        self.hurried = 0  # so many messages are too many for now

    def stop(self) -> None:
        self.cut()
        self._usher.shutdown()
        self._site.shutdown()

    def cut(self, code: int = 1001) -> None:
        """Close every socket."""
        for ws in list(getattr(self, "sockets", {})):
            with suppress(simple_websocket.ConnectionClosed, OSError):  # the other side may be closing just now
                ws.close(code)
        self.sockets: dict[simple_websocket.Server, str] = {}

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """The frames of one kind that visitors sent, in order."""
        return [frame for frame in self.frames if frame["t"] == kind]

    def say(self, text: str, author: str = "bot", **more: Any) -> None:
        """Put a message into the one conversation there is, and send it to whoever listens."""
        with self.lock:
            token, talk = next(iter(self.conversations.items()))
            self._store(
                token, talk, {"author": author, "name": "Ada" if author == "bot" else "Grace", "text": text, **more}
            )

    def send(self, frame: dict[str, Any]) -> None:
        """A frame to whoever listens to the one conversation there is."""
        with self.lock:
            self._send(next(iter(self.conversations)), frame)

    def turn(self, state: str, agent: dict[str, Any]) -> None:
        """A person takes over, or gives back."""
        with self.lock:
            token, talk = next(iter(self.conversations.items()))
            talk.state, talk.agent = state, agent
            self._send(token, {"t": "state", "state": state, "agent": agent})

    def said(self) -> list[str]:
        """What visitors said, as stored, in order."""
        return [m["text"] for talk in self.conversations.values() for m in talk.messages if m["author"] == "visitor"]

    def wait(self, so: Callable[[], bool], seconds: float = 10) -> None:
        """Until it is so."""
        until = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < until, (self.frames, self.said())
            time.sleep(0.01)

    def _usher_app(self) -> Flask:
        app = Flask("usher-double")
        sock = Sock(app)

        @app.after_request
        def any_origin(response: Response) -> Response:
            if request.path != "/v1/chat":  # counted when it begins
                self.requests.append(request.path)
            response.headers["Access-Control-Allow-Origin"] = "*"
            return response

        @app.get("/w.js")
        def loader() -> Response:
            return self._asset(self.manifest["loader"]["file"])

        @app.get("/assets/<name>")
        def asset(name: str) -> Response:
            return self._asset(name)

        @app.get("/v1/sites/<key>/config")
        def config(key: str) -> Any:
            if key != self.config["site"] and key not in self.others:
                abort(404)
            return self.config | self.others.get(key, {}) | {"panel": "/assets/" + self.manifest["panel"]["file"]}

        @app.get("/v1/slots")
        def slots() -> Any:
            return script.open_times(request.args["zone"], request.args.get("from"), request.args["meeting"])

        @sock.route("/v1/chat")
        def chat(ws: simple_websocket.Server) -> None:
            self._chat(ws)

        return app

    def _asset(self, name: str) -> Response:
        return Response((self.assets / name).read_text(), mimetype="text/javascript")

    def _site_app(self) -> Flask:
        app = Flask("site-double")

        @app.get("/", defaults={"path": ""})
        @app.get("/<path:path>")
        def page(path: str) -> Response:
            if path == "favicon.ico":
                return Response(status=204)
            html, headers = self.pages.get(path.split("/")[0]) or script.page(path, self.usher)
            return Response(html, headers=headers, mimetype="text/html")

        return app

    def _chat(self, ws: simple_websocket.Server) -> None:
        self.requests.append("/v1/chat")
        try:
            if not self.down:
                self._listen(ws)
        finally:
            self.sockets.pop(ws, None)
            with suppress(OSError):
                ws.sock.shutdown(socket.SHUT_WR)  # else werkzeug writes an HTTP answer behind the close frame

    def _listen(self, ws: simple_websocket.Server) -> None:
        token = ""
        for frame in frames(ws):
            if self.deaf:
                continue
            with self.lock:
                self.frames.append(frame)
                if frame["t"] in ("hello", "resume"):
                    token = self._hello(ws, frame)
                elif frame["t"] == "ping":
                    self._send(token, {"t": "pong"})
                elif frame["t"] == "say":
                    self._said(ws, token, frame)

    def _hello(self, ws: simple_websocket.Server, frame: dict[str, Any]) -> str:
        token = frame.get("token") or ""
        if frame["t"] == "resume" and token not in self.conversations:
            self._send_one(ws, {"t": "error", "code": "unknown_visitor", "message": "Nobody here knows you."})
            return ""
        new = token not in self.conversations
        if new:
            token = f"secret-{len(self.conversations)}-{time.time_ns()}"
            self.conversations[token] = Conversation(f"cnv_{len(self.conversations)}_{time.time_ns()}")
            for message in script.opening(frame):
                self._store(token, self.conversations[token], message)
        talk = self.conversations[token]
        self.sockets[ws] = token
        self._send_one(
            ws,
            {
                "t": "welcome",
                **({"token": token} if new else {}),
                "conversation": talk.id,
                "state": talk.state,
                "seq": len(talk.messages),
                "messages": [m for m in talk.messages if m["seq"] > frame["after"]],
                "agent": talk.agent,
                "texts": {},
                "now": script.now(),
            },
        )
        return token

    def _said(self, ws: simple_websocket.Server, token: str, frame: dict[str, Any]) -> None:
        talk = self.conversations[token]
        if self.hurried:
            self.hurried -= 1
            self._send_one(ws, {"t": "refused", "id": frame["id"], "code": "too_many", "message": "Please wait 1 s."})
            return
        if self.refuse:
            self._send_one(ws, {"t": "refused", "id": frame["id"], "code": "invalid", "message": self.refuse})
            return
        known = [m for m in talk.messages if m["id"] == frame["id"]]
        if known:
            self._send_one(ws, {"t": "ack", "id": frame["id"], "seq": known[0]["seq"]})
            return
        self._send_one(ws, {"t": "ack", "id": frame["id"], "seq": len(talk.messages) + 1})
        self._store(token, talk, {"author": "visitor", "text": frame["text"], "id": frame["id"]})
        for reply in script.replies(frame):
            self._store(token, talk, reply)
        if option := (frame.get("value") or {}).get("option"):
            answered = {"node": "need", "save": "need", "criterion": None, "status": None, "value": option}
            self._send(token, {"t": "event", "name": "answered", "data": answered, "id": frame["id"]})

    def _store(self, token: str, talk: Conversation, message: dict[str, Any]) -> None:
        stored = {
            "id": None,
            "citations": [],
            "part": None,
            **message,
            "seq": len(talk.messages) + 1,
            "at": script.now(),
        }
        talk.messages.append(stored)
        self._send(token, {"t": "message", "message": stored})

    def _send(self, token: str, frame: dict[str, Any]) -> None:
        for ws in [ws for ws, whose in self.sockets.items() if whose == token]:
            self._send_one(ws, frame)

    def _send_one(self, ws: simple_websocket.Server, frame: dict[str, Any]) -> None:
        if self.mute:
            return
        try:
            ws.send(json.dumps(frame))
        except simple_websocket.ConnectionClosed:
            self.sockets.pop(ws, None)


def frames(ws: simple_websocket.Server) -> Iterator[dict[str, Any]]:
    """What comes in, until the socket is closed."""
    try:
        while True:
            yield json.loads(ws.receive())
    except simple_websocket.ConnectionClosed:
        return


def serve(app: Flask) -> BaseWSGIServer:
    """Answer on a free port of this machine until told to stop."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
