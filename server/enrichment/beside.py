"""Looks a visitor's company up beside the chat: who needs it waits for a moment, and what comes later still lands."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from server.config.version import Version
from server.db import Database
from server.enrichment import assembling, sources
from server.enrichment.assembling import Company

MOST_AT_ONCE = 100
"""Look-ups of this process under way; beyond that a visitor is not looked up."""
_free = threading.BoundedSemaphore(MOST_AT_ONCE)
_log = logging.getLogger("usher.enrichment")


class Look:
    """One look-up under way, in a thread (under gevent: a greenlet) of its own."""

    def __init__(self, ask: Callable[[], Company]) -> None:
        self._ask = ask
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._found: Company | None = None
        self._late: Callable[[Company], None] | None = None
        threading.Thread(target=self._run, name="enrichment", daemon=True).start()

    def wait(self, seconds: float) -> Company | None:
        """What was found, if it is there by then; None while it is not."""
        self._done.wait(seconds)
        return self._found

    def later(self, keep: Callable[[Company], None]) -> None:
        """Whatever `wait` has not given goes to `keep` as soon as it is there."""
        with self._lock:
            if not self._done.is_set():
                self._late = keep
                return
        if self._found is not None:
            _kept(keep, self._found)

    def _run(self) -> None:
        try:
            found: Company | None = self._ask()
        except Exception:  # noqa: BLE001 - nobody is above this thread; the chat goes on without
            _log.exception("looking a company up failed")
            found = None
        finally:
            _free.release()
        with self._lock:
            self._found = found
            self._done.set()
        if self._late is not None and found is not None:
            _kept(self._late, found)


def could_be_known(db: Database, version: Version, address: str) -> bool:
    """Whether it is worth asking: somebody knows addresses, and this is a public one."""
    return sources.knows_addresses(db, version) and assembling.may_be_asked(address)


def begin(db: Database, version: Version, address: str) -> Look | None:
    """Begin to look a public address up; None when too many are under way."""
    if not _free.acquire(blocking=False):
        _log.warning("%d look-ups are under way; a visitor is not looked up", MOST_AT_ONCE)
        return None
    return Look(lambda: assembling.company_of(db, version, address))


def _kept(keep: Callable[[Company], None], found: Company) -> None:
    try:
        keep(found)
    except Exception:  # noqa: BLE001 - as above
        _log.exception("what was looked up could not be kept")
