"""Who has a delivery in hand: a process, named so that others on its machine see when it is gone, and the thread that
keeps its leases while it is there."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from server import clock, ids

_PROC = Path("/proc")
_GONE = ("Z", "X")  # ended; the parent has not looked yet


def new_owner() -> str:
    """A name for one batch: `machine/process/start/…`. A number of a process that is used again has another start."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}/{ids.new_token()[:8]}"


def is_gone(owner: str) -> bool:
    """True when the owner was a process of this machine and has ended; False for all we cannot see from here."""
    machine, pid, started, *_ = [*owner.split("/"), "", "", ""]
    if not started or not pid.isdecimal() or machine != _machine():
        return False
    return _started(int(pid)) != started


class Lease:
    """A batch that is ours until `until`, longer as long as `keep` can be told so."""

    def __init__(self, owner: str, until: datetime) -> None:
        self.owner = owner
        self.until = until

    @property
    def holds(self) -> bool:
        """False once another may have taken over (this machine slept, or the database was away)."""
        return clock.now() < self.until

    @contextmanager
    def kept(self, length: timedelta, keep: Callable[[datetime], None]) -> Iterator[None]:
        """Until the block ends, `keep(until)` is called three times a lease from a thread of its own."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(length.total_seconds() / 3):
                until = clock.now() + length
                with suppress(SQLAlchemyError):  # the database is away: the lease ends, unless it comes back in time
                    keep(until)
                    self.until = until

        keeper = threading.Thread(target=renew, name="leases", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()


@lru_cache(maxsize=1)
def _machine() -> str:
    """This start of this machine, and the space in which its processes are numbered (containers have their own)."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
        return f"{boot}.{(_PROC / 'self/ns/pid').readlink().name.strip('pid:[]')}"
    except OSError:  # no Linux: leases then end by time only
        return socket.gethostname()[:30].replace("/", "")


def _started(pid: int) -> str:
    """When the process with this number started, in ticks since the machine did; "" when there is none."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in _GONE else fields[19]
