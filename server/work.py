"""A worker process of its own: `usher worker`. Stops at SIGTERM and SIGINT after the round it is in."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

from plugins import registry
from server import ids, live, logs, settings
from server.db import migrate
from server.worker import Worker


def main() -> None:
    """Work until told to stop."""
    logs.set_up()
    of = settings.get()
    db = migrate.open_or_exit(of.database_url)
    registry.allow(of.adapters_allowed)
    ids.use_key(of.key(), of.old_keys)
    migrate.upgrade_or_exit(db)
    live.share_between_processes(db)
    worker, told = Worker(db), threading.Event()

    def stop(_signal: int, _frame: Any) -> None:
        worker.stopping = True
        told.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print("Usher's worker is running.", file=sys.stderr, flush=True)
    worker.run(told.wait)


if __name__ == "__main__":
    main()
