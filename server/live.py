"""Who listens to what; frames are passed on after the commit, between processes by PostgreSQL's NOTIFY."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from server.db import Database

Frame = Mapping[str, Any]
Note = tuple[str, Frame]  # topic and frame
Listener = Callable[[Frame], None]

CHANNEL = "usher_live"
MOST_PAYLOAD_CHARACTERS = 1900  # PostgreSQL takes less than 8,000 bytes; a character has four at most
_NOTIFY = text("SELECT pg_notify(:channel, :piece)")
_log = logging.getLogger("usher.live")
_listeners: dict[str, list[Listener]] = defaultdict(list)
_shared: Database | None = None
_pieces: dict[str, list[str]] = {}


class Shared(dict[str, Any]):
    """A frame on its way to many listeners: the one who encodes it first keeps its bytes here for the others."""

    encoded: bytes | None = None


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
    if _shared is not None:
        with _shared.transaction() as tx:
            share(tx, [(topic, frame)])
    hand_out([(topic, frame)])


def share(tx: Connection, notes: Sequence[Note]) -> None:
    """Let the commit of this transaction carry frames to all processes. `hand_out` them here after the commit."""
    if _shared is not None and notes:
        tx.execute(_NOTIFY, [{"channel": CHANNEL, "piece": piece} for piece in _pieces_of(notes)])


def hand_out(notes: Sequence[Note]) -> None:
    """Pass frames on to those who listen in this process, after the commit; nothing where the commit does it."""
    if _shared is None:
        _hand_out(notes)


def share_between_processes(db: Database, missed: Callable[[], object] = lambda: None) -> None:
    """From now on frames travel through PostgreSQL, so that several processes are one server. Nothing on SQLite,
    where there is one process. `missed` is called when frames may have been lost: those who listen should look anew."""
    global _shared
    if db.is_sqlite:
        return
    listening = threading.Event()
    threading.Thread(target=_listen, args=(db, listening, missed), daemon=True, name="live").start()
    listening.wait(10)
    _shared = db


def _hand_out(notes: Iterable[Note]) -> None:
    for topic, frame in notes:
        shared = Shared(frame)
        for listener in list(_listeners.get(topic, ())):
            listener(shared)


def _pieces_of(notes: Sequence[Note]) -> list[str]:
    """Frames in pieces small enough for NOTIFY; those of one transaction arrive together and in order."""
    whole, name = json.dumps(notes), uuid.uuid4().hex[:12]
    cuts = range(0, len(whole), MOST_PAYLOAD_CHARACTERS)
    return [f"{name} {n} {len(cuts)} {whole[cut : cut + MOST_PAYLOAD_CHARACTERS]}" for n, cut in enumerate(cuts, 1)]


def _listen(db: Database, listening: threading.Event, missed: Callable[[], object]) -> None:
    address = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                if listening.is_set():
                    _pieces.clear()
                    missed()
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
        _hand_out(json.loads("".join(_pieces.pop(name))))
