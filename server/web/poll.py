"""The chat door where sockets are blocked: `POST /v1/chat` takes the same frames and answers with the server's.

Every request stands alone (what counts is `after` and the ids of messages), so any process may answer it and a killed
one loses nothing. A request that waits is a greenlet that listens; it holds no connection to the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gevent
from flask import Blueprint, Response, abort, json, request
from gevent.event import Event
from simple_websocket import ConnectionClosed

from server.errors import Forbidden, Invalid, NotFound, SignInNeeded, TooMany, UsherError
from server.web import origins, stopping
from server.web.callers import Caller
from server.web.chat import FOREIGN, NO_FRAME, SIGNED_IN, TOO_MANY, UNKNOWN_SITE, Talk

bp = Blueprint("poll", __name__)

WAIT_SECONDS = 25
BURST_SECONDS = 0.03  # what is said in one breath goes into one answer
MOST_BYTES = 64 * 1024
MOST_FRAMES = 30
_KNOWN = ("conversation", "state")


class Link:
    """Collects what a socket would send."""

    def __init__(self) -> None:
        self.frames: list[Mapping[str, Any]] = []
        self.ended: UsherError | None = None
        self._news = Event()

    def send_frame(self, frame: Mapping[str, Any]) -> None:
        """Keep a frame for the answer, and wake who waits for it."""
        self.frames.append(frame)
        self._news.set()

    def end(self, code: int, reason: str = "") -> None:
        """Answer with the status that goes with a close code."""
        self.ended = _error(code, reason)
        self._news.set()

    def wait(self) -> None:
        """Until there is a frame more than now, the server stops, or 25 seconds are over."""
        self._news.clear()
        forget = stopping.tell(self._news.set)
        if self._news.wait(WAIT_SECONDS) and not stopping.begun():
            gevent.sleep(BURST_SECONDS)
        forget()


@bp.post("/v1/chat")
def poll() -> Response:
    """Take frames, the first being `hello` or `resume`; with `wait` and nothing new, answer when there is something."""
    link = Link()
    caller = Caller.of(request.headers)
    talk = Talk(link, origins.database(), request.headers.get("Origin"), request.remote_addr or "", caller)
    try:
        frames, wait = _read()
        if talk.begin(json.dumps(_named(frames[0]))):
            for frame in frames[1:]:
                talk.answer(json.dumps(frame))
            if wait and not _has_news(link, frames[0]):
                link.wait()
    except UsherError as error:
        return _answer(error.as_json(), error.status)
    except ConnectionClosed:
        pass  # the talk has ended the link
    finally:
        talk.end()
    if link.ended:
        return _answer(link.ended.as_json(), link.ended.status)
    return _answer({"frames": link.frames})


def _read() -> tuple[list[Any], bool]:
    """The frames of the body, and whether to wait."""
    if len(request.get_data()) > MOST_BYTES:
        abort(413)
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # lists within lists, thousands deep
        body = None
    if not isinstance(body, dict) or not body.keys() <= {"frames", "wait"}:
        raise Invalid("Send a JSON object with `frames` and `wait`.")
    frames = body.get("frames")
    if not isinstance(frames, list) or not 0 < len(frames) <= MOST_FRAMES:
        raise Invalid(f"`frames` must be a list of 1 to {MOST_FRAMES} frames.", field="frames")
    return frames, body.get("wait") is True


def _named(frame: Any) -> Any:
    """The first frame with the visitor's token from the header, the only place for it."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not isinstance(frame, dict):
        return frame
    return {**frame, "token": token if kind.lower() == "bearer" and token else None}


def _has_news(link: Link, first: Any) -> bool:
    """Whether the answer has more in it than a welcome that tells what the browser knows."""
    return any(
        frame["t"] != "welcome" or frame["messages"] or any(frame[name] != first.get(name) for name in _KNOWN)
        for frame in link.frames
    )


def _error(code: int, reason: str) -> UsherError:
    if code == TOO_MANY:
        return TooMany(reason, retry_after=5)
    return {NO_FRAME: Invalid, SIGNED_IN: SignInNeeded, FOREIGN: Forbidden, UNKNOWN_SITE: NotFound}[code](reason)


def _answer(body: Mapping[str, Any], status: int = 200) -> Response:
    response = Response(json.dumps(body), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return origins.share(response)
