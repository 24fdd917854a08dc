"""Who listens to what; frames are passed on after the commit, between processes by PostgreSQL's NOTIFY."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from sqlalchemy import text

from server.db import Database

Frame = Mapping[str, Any]
Listener = Callable[[Frame], None]

CHANNEL = "usher_live"
MOST_PAYLOAD_CHARACTERS = 1900  # PostgreSQL takes less than 8,000 bytes; a character has four at most
_log = logging.getLogger("usher.live")
_listeners: dict[str, list[Listener]] = defaultdict(list)
_shared: Database | None = None
_pieces: dict[str, list[str]] = {}


def subscribe(topic: str, listener: Listener) -> Callable[[], None]:
    """Hand every frame published under `topic` to `listener`, which must not block; returns what ends it."""
    _listeners[topic].append(listener)

    def end() -> None:
        if listener in _listeners.get(topic, ()):
            _listeners[topic].remove(listener)
            if not _listeners[topic]:
                del _listeners[topic]

    return end


def publish(topic: str, frame: Frame) -> None:
    """Pass a frame on to all who listen, in this process and in the others; call it after the commit."""
    if _shared is None:
        _hand_out(topic, frame)
    else:
        _notify(_shared, json.dumps([topic, frame]))


def share_between_processes(db: Database) -> None:
    """From now on frames travel through PostgreSQL, so that several processes are one server. Nothing on SQLite,
    where there is one process."""
    global _shared
    if db.is_sqlite:
        return
    listening = threading.Event()
    threading.Thread(target=_listen, args=(db, listening), daemon=True, name="live").start()
    listening.wait(10)
    _shared = db


def _hand_out(topic: str, frame: Frame) -> None:
    for listener in list(_listeners.get(topic, ())):
        listener(frame)


def _notify(db: Database, whole: str) -> None:
    """A frame in pieces small enough for NOTIFY; those of one transaction arrive together and in order."""
    name = uuid.uuid4().hex[:12]
    cuts = range(0, len(whole), MOST_PAYLOAD_CHARACTERS)
    with db.transaction() as tx:
        for n, cut in enumerate(cuts, 1):
            piece = f"{name} {n} {len(cuts)} {whole[cut : cut + MOST_PAYLOAD_CHARACTERS]}"
            tx.execute(text("SELECT pg_notify(:channel, :piece)"), {"channel": CHANNEL, "piece": piece})


def _listen(db: Database, listening: threading.Event) -> None:
    address = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                listening.set()
                for notice in connection.notifies():
                    _heard(notice.payload)
        except psycopg.OperationalError:
            _log.warning("lost the connection that carries live frames; connecting again")
            threading.Event().wait(1)


def _heard(piece: str) -> None:
    name, n, of, part = piece.split(" ", 3)
    parts = _pieces.setdefault(name, [])
    parts.append(part)
    if int(n) == int(of):
        topic, frame = json.loads("".join(_pieces.pop(name)))
        _hand_out(topic, frame)
