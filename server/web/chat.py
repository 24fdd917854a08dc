"""The chat door: a visitor's frames in and the server's out, as docs/protocol.md has them; every frame is one call.

Here is the socket; `server.web.poll` is the way in where sockets are blocked. Both hold a `Talk`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import gevent
from flask import Blueprint, Flask, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed

from server import ids, live
from server.config import service as config
from server.config.service import Version
from server.conversations.frames import FORGOTTEN
from server.conversations.service import NOT_THERE
from server.db import Database
from server.errors import Forbidden, Invalid, NotFound, SignInNeeded, TooMany, Unavailable, UsherError
from server.playbooks import service as playbooks
from server.playbooks.service import Hello, Opened
from server.web import connection, handshake, limits, origins
from server.web.callers import ANYBODY, Caller
from server.web.frames import OPENINGS, Frame, id_of, read

HELLO_SECONDS = 10
NO_FRAME, FOREIGN, UNKNOWN_SITE, NO_HELLO, TOO_MANY = 4400, 4403, 4404, 4408, 4429
SIGNED_IN = 4401
MOST_REFUSALS = 50
MOST_SOCKETS = 12_000
_NOT_SIGNED_IN = "What this page says about who is signed in could not be verified."


def init_app(app: Flask) -> None:
    """Hang the socket's door up."""
    sock, bp = Sock(), Blueprint("chat", __name__)
    bp.before_request(_judge)

    @sock.route("/v1/chat", bp=bp)
    def chat(ws: Any) -> None:
        asked = origins.database(), request.headers.get("Origin"), request.remote_addr or "", Caller.of(request.headers)
        connection.serve(ws, lambda link: Talk(link, *asked).run())

    app.register_blueprint(bp)


def _judge() -> None:
    """Before the handshake: the address names the site, so that a foreign page gets 403 and no socket."""
    origins.site_of(request.args.get("site") or "")
    handshake.check()
    limits.spend("connect", address=request.remote_addr or "")
    if connection.count() >= MOST_SOCKETS:
        raise Unavailable("There are too many chats at the moment; please come back in a minute.")


class Link(Protocol):
    """What carries the server's frames to the visitor."""

    def send_frame(self, frame: Mapping[str, Any]) -> None:
        """Send a frame; must not block."""

    def end(self, code: int, reason: str = "") -> None:
        """Say goodbye with a close code."""


class Talk:
    """One visitor on one link, from hello to goodbye."""

    def __init__(self, link: Any, db: Database, origin: str | None, address: str, caller: Caller = ANYBODY) -> None:
        self.link = link
        self.db = db
        self.origin = origin
        self.address = address
        self.caller = caller
        self.visitor = ""  # digest of their token
        self.opened: Opened | None = None
        self.refusals = 0
        self._unsubscribe: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Read and answer until the socket closes."""
        try:
            if not self._greet():
                return
            while True:
                self.answer(self.link.receive())
        finally:
            self.end()

    def begin(self, raw: str | bytes) -> bool:
        """Take the first frame, `hello` or `resume`; False when the link was ended instead."""
        try:
            frame = read(raw, OPENINGS)
            self._enter(frame)
        except Invalid as error:
            self.link.end(NO_FRAME, error.message)
        except NotFound as error:
            self.link.end(UNKNOWN_SITE, error.message)
        except TooMany as error:
            self.link.end(TOO_MANY, error.message)
        except Forbidden as error:
            foreign = "this page is not on the site's list of origins"
            self.link.end(FOREIGN, error.message if error.code == "crawler" else foreign)
        else:
            return True
        return False

    def answer(self, raw: str | bytes) -> None:
        """Take one more frame."""
        try:
            frame = read(raw)
        except Invalid as error:
            self._refuse(error, id_of(raw))
            return
        kind = frame["t"]
        try:
            if kind in OPENINGS:
                self._enter(frame)
                return
            self._count(kind, self._here().site_id)
            getattr(self, f"_on_{kind}")(frame)
        except SignInNeeded:
            self._leave()
        except UsherError as error:
            self._refuse(error, frame.get("id"))
            if error.code == NOT_THERE:  # the visitor was erased
                self.link.send_frame(FORGOTTEN)

    def end(self) -> None:
        """Listen no longer."""
        self._unsubscribe()

    def _greet(self) -> bool:
        """Until the visitor is in; who resumes what nobody has may still say hello, in the same time."""
        deadline = time.monotonic() + HELLO_SECONDS
        while self.opened is None:
            raw: str | bytes | None = None
            with gevent.Timeout(max(0.0, deadline - time.monotonic()), False):
                raw = self.link.receive()
            if raw is None:
                self.link.end(NO_HELLO, "no hello came")
            if raw is None or not self.begin(raw):
                return False
        return True

    def _enter(self, frame: Frame) -> None:
        version = config.active(self.db, frame["site"])
        origins.check(version, self.origin)
        token = frame.get("token") or ""
        self.visitor = ids.digest(token) if token else ""
        self._count(frame["t"], version.site_id)
        opened = self._resumed(frame) if frame["t"] == "resume" else self._met(frame, version)
        if opened is None:
            self._refuse(Invalid("Nobody here knows you: say hello.", code="unknown_visitor"))
        else:
            self._welcome(opened)
            self._tell_refusal(opened)

    def _met(self, frame: Frame, version: Version) -> Opened:
        self.caller.refuse_crawlers()
        wait = limits.wait_to_start(self.address, version.site_id)
        if frame.get("identity"):
            self._forget()
        elif wait and not playbooks.knows(self.db, version.site_id, frame.get("token") or ""):
            raise _too_many(wait)
        opened = playbooks.open(self.db, Hello.from_frame(frame, address=self.address, discreet=self.caller.discreet))
        if opened.token:
            self.visitor = ids.digest(opened.token)
        if opened.token and not opened.verified:
            limits.started(self.address, version.site_id)
        return opened

    def _resumed(self, frame: Frame) -> Opened | None:
        return playbooks.resume(
            self.db,
            frame["site"],
            frame.get("token") or "",
            conversation_id=frame.get("conversation") or "",
            after=max(0, frame.get("after") or 0),
        )

    def _welcome(self, opened: Opened) -> None:
        """First listen, then read what was said meanwhile: all that is said is in the welcome or comes after it."""
        self.opened = opened
        early: list[Mapping[str, Any]] = []
        self._listen(opened.conversation_id, early.append)
        playbooks.catch_up(self.db, opened)
        self._listen(opened.conversation_id, self._pass_on)
        for frame in (opened.welcome(), *early):
            self._pass_on(frame)
        opened.messages = []  # ten thousand sockets need not keep what they have told

    def _listen(self, conversation_id: str, heard: Callable[[Mapping[str, Any]], None]) -> None:
        self._unsubscribe()
        self._unsubscribe = live.subscribe(f"conversation:{conversation_id}", heard)

    def _pass_on(self, frame: Mapping[str, Any]) -> None:
        """To the visitor; but a conversation that has become a signed-in person's is heard by nobody else any more."""
        if frame["t"] != "owner":
            self.link.send_frame(frame)
        elif self.opened is None or not self.opened.verified or self.opened.visitor_id != frame["visitor"]:
            self._leave()

    def _leave(self) -> None:
        """Somebody has signed in: this link is of nobody any more."""
        self._unsubscribe()
        self.opened = None
        self.link.end(SIGNED_IN, "say hello again")

    def _forget(self) -> None:
        """Somebody signs in: from here on the browser may be another person's."""
        if wait := limits.wait_to_sign_in(self.address):
            raise _too_many(wait)
        self._unsubscribe()

    def _tell_refusal(self, opened: Opened) -> None:
        if opened.refusal is not None:
            limits.sign_in_failed(self.address)
            self.link.send_frame({"t": "error", "code": opened.refusal.code, "message": _NOT_SIGNED_IN})

    def _refuse(self, error: UsherError, client_id: str | None = None) -> None:
        self.refusals += 1
        said = {"code": error.code, "message": error.message}
        self.link.send_frame({"t": "refused", "id": client_id, **said} if client_id else {"t": "error", **said})
        if self.refusals > MOST_REFUSALS:
            self.link.end(TOO_MANY, "too many refused frames")
            raise ConnectionClosed(TOO_MANY, None)

    def _count(self, kind: str, site_id: str) -> None:
        """TooMany when the visitor, their address or the site has sent too many of these."""
        if wait := limits.take(kind, visitor=self.visitor, address=self.address, site=site_id):
            raise _too_many(wait)

    def _on_say(self, frame: Frame) -> None:
        opened = self._here()
        said = frame["id"], frame["text"], frame.get("value")
        heard = playbooks.hear(self.db, opened.conversation_id, *said, visitor_id=opened.visitor_id)
        if heard.conversation_id != opened.conversation_id:
            self._listen(heard.conversation_id, self._pass_on)
            opened.conversation_id = heard.conversation_id
        self.link.send_frame({"t": "ack", "id": frame["id"], "seq": heard.seq})
        live.hand_out(heard.notes)

    def _on_page(self, frame: Frame) -> None:
        playbooks.see_page(self.db, self._here().conversation_id, frame["page"], frame.get("data") or {})

    def _on_identify(self, frame: Frame) -> None:
        here = self._here()
        if "attributes" in frame:
            playbooks.identify(self.db, here.conversation_id, frame["attributes"])
        if "token" in frame:
            self._forget()
            opened = playbooks.sign_in(self.db, here.conversation_id, frame["token"])
            self.visitor = ids.digest(opened.token) if opened.token else self.visitor
            self._welcome(opened)
            self._tell_refusal(opened)

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


def _too_many(wait: float) -> TooMany:
    seconds = max(1, round(wait))
    return TooMany(f"You are writing very fast; please wait {seconds} s.", retry_after=seconds)
