"""Workers that are killed at any moment: run as a process of its own by test_killed.py. It is told on its input when a
worker begins to work ("2026-03-02T09:00:00+00:00") and after how many seconds of work kill -9 ends it; it says when."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import datetime, timedelta

from plugins import registry
from server import clock, ids, settings
from server.db import Database
from server.worker import Worker

LONGEST_SECONDS = 10.0
A_LOOK = timedelta(seconds=4)
"""So much of the story's time passes whenever nothing is due."""


def main() -> None:
    """`kills.py URL ADAPTER …`: a child for each line of the input."""
    for adapter in sys.argv[2:]:
        registry.load(*adapter.split("."))  # once, and not in each child
    for line in sys.stdin:
        moment, seconds = line.split()
        child = os.fork()
        if child == 0:
            _live(sys.argv[1], datetime.fromisoformat(moment), float(seconds))
        if os.WTERMSIG(os.waitpid(child, 0)[1]) != signal.SIGKILL:
            sys.exit("a worker ended by itself")
        print("killed", flush=True)


def _live(url: str, moment: datetime, seconds: float) -> None:
    threading.Thread(target=_die_after, args=(seconds,), daemon=True).start()
    ids.use_key(settings.get().key())
    worker = Worker(Database(url))
    with clock.stopped_at(moment) as time_of_story:
        while True:
            if not worker.round():
                time_of_story.advance(A_LOOK)


def _die_after(seconds: float) -> None:
    """Of its own work, so that it comes as far on a machine that has much else to do."""
    began, end = time.process_time(), time.monotonic() + LONGEST_SECONDS
    while time.process_time() - began < seconds and time.monotonic() < end:
        time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
