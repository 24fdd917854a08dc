"""The chat door: one socket, frames in and out as docs/protocol.md has them; every frame becomes one call."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from flask import Flask, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed

from server import live, settings
from server.config import service as config
from server.db import Database
from server.errors import Forbidden, Invalid, NotFound, UsherError
from server.playbooks import service as playbooks
from server.playbooks.service import Hello, Opened
from server.web import origins
from server.web.connection import Connection
from server.web.frames import Frame, id_of, read
from server.web.limits import FRAMES as RATES
from server.web.limits import HELLOS_OF_ADDRESS, Buckets

HELLO_SECONDS = 10
NO_FRAME, FOREIGN, UNKNOWN_SITE, NO_HELLO, TOO_MANY = 4400, 4403, 4404, 4408, 4429
MOST_REFUSALS = 50
_log = logging.getLogger("usher.chat")
_buckets = Buckets()


def init_app(app: Flask) -> None:
    """Hang the socket's door up."""
    sock = Sock(app)

    @sock.route("/v1/chat")
    def chat(ws: Any) -> None:
        link = Connection(ws)
        try:
            Talk(link, origins.database(), request.headers.get("Origin"), request.remote_addr or "").run()
        except ConnectionClosed:
            pass
        finally:
            link.finish()


class Talk:
    """One visitor's socket from hello to goodbye."""

    def __init__(self, link: Connection, db: Database, origin: str | None, address: str) -> None:
        self.link = link
        self.db = db
        self.origin = origin
        self.address = address
        self.opened: Opened | None = None
        self.refusals = 0
        self._unsubscribe: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Read and answer until the socket closes."""
        try:
            if not self._greet():
                return
            while True:
                self._answer(self.link.receive())
        finally:
            self._unsubscribe()

    def _greet(self) -> bool:
        """Wait for `hello`; False when the socket was ended instead."""
        if self._limited("hello", self.address, HELLOS_OF_ADDRESS):
            self.link.end(TOO_MANY, "too many connections")
            return False
        with gevent.Timeout(HELLO_SECONDS, False):
            return self._hello(self.link.receive())
        self.link.end(NO_HELLO, "no hello came")
        return False

    def _hello(self, raw: str | bytes) -> bool:
        try:
            frame = read(raw, expected="hello")
            version = config.active(self.db, frame["site"])
            if not origins.allowed(version, self.origin):
                raise Forbidden(f"origin {self.origin} is not on the list of site {frame['site']}")
            self._welcome(frame)
        except Invalid as error:
            self.link.end(NO_FRAME, error.message)
        except NotFound as error:
            self.link.end(UNKNOWN_SITE, error.message)
        except Forbidden as error:
            _log.warning("refused: %s", error.message)
            self.link.end(FOREIGN, "this page is not on the site's list of origins")
        else:
            return True
        return False

    def _welcome(self, frame: Frame) -> None:
        opened = playbooks.open(self.db, Hello.from_frame(frame, address=self.address))
        self.opened = opened
        self._listen(opened.conversation_id)
        self.link.send_frame(opened.welcome())

    def _listen(self, conversation_id: str) -> None:
        self._unsubscribe()
        self._unsubscribe = live.subscribe(f"conversation:{conversation_id}", self.link.send_frame)

    def _answer(self, raw: str | bytes) -> None:
        try:
            frame = read(raw)
        except Invalid as error:
            self._refuse(error, id_of(raw))
            return
        kind = frame["t"]
        if wait := self._limited(kind, f"{self.address} {id(self.link)}", RATES[kind]):
            text = f"You are writing very fast; please wait {max(1, round(wait))} s."
            self._refuse(Invalid(text, code="too_many"), frame.get("id"))
            return
        try:
            getattr(self, f"_on_{kind}")(frame)
        except UsherError as error:
            self._refuse(error, frame.get("id"))
        except Exception:
            _log.exception("a %s frame failed", kind)
            raise

    def _refuse(self, error: UsherError, client_id: str | None = None) -> None:
        self.refusals += 1
        said = {"code": error.code, "message": error.message}
        self.link.send_frame({"t": "refused", "id": client_id, **said} if client_id else {"t": "error", **said})
        if self.refusals > MOST_REFUSALS:
            self.link.end(TOO_MANY, "too many refused frames")
            raise ConnectionClosed(TOO_MANY, None)

    def _limited(self, kind: str, key: str, rate: Any) -> float:
        return _buckets.take(kind, key, rate) if settings.get().rate_limits else 0.0

    def _on_hello(self, frame: Frame) -> None:
        self._welcome(frame)

    def _on_say(self, frame: Frame) -> None:
        opened = self._here()
        heard = playbooks.hear(self.db, opened.conversation_id, frame["id"], frame["text"], frame.get("value"))
        if heard.conversation_id != opened.conversation_id:
            self._listen(heard.conversation_id)
            opened.conversation_id = heard.conversation_id
        self.link.send_frame({"t": "ack", "id": frame["id"], "seq": heard.seq})
        for out in heard.frames:
            live.publish(f"conversation:{heard.conversation_id}", out)
        live.publish(f"site:{opened.site_id}", {"t": "conversation", "id": heard.conversation_id})

    def _on_page(self, frame: Frame) -> None:
        playbooks.see_page(self.db, self._here().conversation_id, frame["page"], frame.get("data") or {})

    def _on_identify(self, frame: Frame) -> None:
        playbooks.identify(self.db, self._here().conversation_id, frame["attributes"])

    def _on_track(self, frame: Frame) -> None:
        playbooks.track(self.db, self._here().conversation_id, frame["name"], frame.get("data") or {})

    def _on_typing(self, frame: Frame) -> None:
        live.publish(f"desk:{self._here().conversation_id}", {"t": "typing", "author": "visitor"})

    def _on_seen(self, frame: Frame) -> None:
        playbooks.seen(self.db, self._here().conversation_id, frame["seq"])

    def _on_ping(self, frame: Frame) -> None:
        self.link.send_frame({"t": "pong"})

    def _here(self) -> Opened:
        if self.opened is None:
            raise Invalid("Say hello first.")
        return self.opened
