"""One message per key at services that know no keys: what was begun and what became of it, in the adapter's records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from plugins.errors import PluginError, Retry
from plugins.notify import Sent
from plugins.records import Records

SENDING = "notify.sending"


def send_once(
    records: Records,
    key: str,
    now: datetime,
    look_up: Callable[[datetime], Sent | None],
    send: Callable[[], Sent],
) -> Sent:
    """What was sent under this key, sent now if need be.

    A second call after one whose outcome is not known asks `look_up` (with the moment the first began) before it
    sends. What fails for certain leaves no trace, so that the next call sends at once.
    """
    if not records.put(SENDING, key, {"began": now.isoformat()}, new=True):
        known = records.get(SENDING, key) or {"began": now.isoformat()}
        if "id" in known:
            return Sent(known["id"])
        found = look_up(datetime.fromisoformat(known["began"]))
        if found is not None:
            return _kept(records, key, found)
    try:
        return _kept(records, key, send())
    except PluginError as problem:
        if problem.retry is not Retry.SAME_KEY:
            records.delete(SENDING, key)
        raise


def is_known(records: Records, id: str) -> bool:
    """Whether this is what was sent under some key, so that it is not taken for what was sent under another."""
    return bool(records.find(SENDING, {"id": id}))


@contextmanager
def first_tried(records: Records, kind: str, id: str, now: datetime) -> Iterator[datetime]:
    """For the time of one try: the moment of the first one under this id whose outcome is not known, else `now`. It is
    kept until the outcome is known."""
    new = records.put(kind, id, {"at": now.isoformat()}, new=True)
    known = None if new else records.get(kind, id)
    try:
        yield datetime.fromisoformat(known["at"]) if known else now
    except PluginError as problem:
        if problem.retry is not Retry.SAME_KEY:
            records.delete(kind, id)
        raise
    records.delete(kind, id)


def _kept(records: Records, key: str, sent: Sent) -> Sent:
    records.put(SENDING, key, {"id": sent.id})
    return sent
