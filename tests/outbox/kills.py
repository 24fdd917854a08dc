"""Workers that are killed while they deliver to an outside that is unwell in every way: run as a process of its own by
test_kills.py. What the outside hears is one line in a file, written before it answers, or does not."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from datetime import timedelta
from typing import Any

from plugins.errors import AmbiguousOutcome, AuthError, PluginError, RateLimited, Transient
from server import clock
from server.db import Database
from server.outbox import service as outbox

LONGEST_SECONDS = 0.12
ORDERS, EACH = 6, 8


def main() -> None:
    """`kills.py URL FILE COUNT SEED`: so many workers, one after the other, each killed after some milliseconds."""
    url, file, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    for number in range(count):
        child = os.fork()
        if child == 0:
            _live(url, file, random.Random(seed + number))
        if os.WTERMSIG(os.waitpid(child, 0)[1]) != signal.SIGKILL:
            sys.exit("a worker ended by itself")


def hear(file: str, chance: random.Random | None) -> Any:
    """A way to deliver: noted in `file`; `chance` decides how the outside is, None is well."""
    out = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def call(delivery: Any) -> dict[str, str]:
        if chance is not None:
            trouble = chance.choice([None, None, Transient("503"), RateLimited("429"), AuthError("401"), _named()])
            if trouble is not None:
                trouble.connection_id = "con_1"
                raise trouble
        os.write(out, f"{delivery.key}\n".encode())
        if chance is not None and chance.random() < 0.3:
            time.sleep(0.003)
            lost: PluginError = AmbiguousOutcome("no answer")
            lost.connection_id = "con_1"
            raise lost
        return {}

    return call


def _named() -> PluginError:
    return RateLimited("429", retry_after=clock.now() + timedelta(milliseconds=20))


def _live(url: str, file: str, chance: random.Random) -> None:
    db = Database(url)
    db.check()
    threading.Thread(target=_die_after, args=(chance.random() * LONGEST_SECONDS,), daemon=True).start()
    with contextlib.suppress(Exception):  # a fault is seen by what is missing afterwards
        sender = outbox.Sender(db, hear(file, chance))
        while True:
            outbox.release_dead(db)
            if chance.random() < 0.3:
                with db.transaction() as tx:
                    outbox.resume(tx, "con_1")
            with clock.stopped_at(clock.now() + timedelta(seconds=chance.random() * 120)):
                sender.begin()
                sender.wait(5)
    while True:
        time.sleep(1)


def _die_after(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
