"""Whether a connection may be called at this moment: how often by its rate, pauses that the service asked for, and a
breaker for a service that is unwell. Nobody sleeps here: who may not go is told from when on.

All of it is of this process: several processes have a gate and a breaker each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.errors import AmbiguousOutcome, PluginError, RateLimited, Transient

OPENS_AFTER = 5
"""So many calls in a row without a usable answer open the breaker."""
FIRST_OPEN, LONGEST_OPEN = timedelta(seconds=30), timedelta(minutes=2)
PROBE = timedelta(seconds=60)
"""Who probes and does not come back (its thread was ended) is waited for no longer than this."""
MEANWHILE = timedelta(seconds=5)
"""After this, who came while somebody probed may ask again."""
UNNAMED = timedelta(seconds=10)
"""The pause after a refusal for too many calls that names no moment."""
KEPT_FOR_BEGUN = 5
"""A fifth of a rate is kept for operations of several calls that have begun, and no fewer than this many calls may be
theirs: stopped in the middle they would begin anew and never come to an end."""
BACK = timedelta(minutes=1)
"""A clock that goes back further has been set: what was counted before means nothing."""

Clock = Callable[[], datetime]
GATE, PAUSE, BREAKER = "rate", "pause", "breaker"
"""Why a call was held back: `PluginError.held`."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in `seconds`, for one connection: what the service allows, with some room."""

    calls: int
    seconds: float


class Limits:
    """Of one connection. Safe in threads and greenlets."""

    def __init__(
        self, rate: Rate | None = None, rates: Mapping[str, Rate] | None = None, opens: Callable[[], None] | None = None
    ) -> None:
        """`opens` is called whenever the breaker opens."""
        named = {"": rate, **(rates or {})}
        self._windows = {bucket: _Window(one) for bucket, one in named.items() if one is not None}
        self._pauses: dict[str, datetime] = {}
        self._breaker = _Breaker()
        self._opens = opens
        self._seen: datetime | None = None
        self._lock = threading.Lock()

    @contextmanager
    def passing(self, clock: Clock, *, bucket: str = "", begun: bool = False) -> Iterator[None]:
        """Around one call. RateLimited or Transient, with `held` saying why and `retry_after` from when on, when it may
        not go now; nothing was sent then. `bucket`: which of the service's own limits it falls under, beside that of
        the connection; `begun`: a call of this operation has passed before."""
        probing = self._enter(clock(), bucket, begun=begun)
        problem: BaseException | None = None
        try:
            yield
        except BaseException as caught:
            problem = caught
            raise
        finally:
            self._leave(clock(), bucket, probing, problem)

    def reset(self) -> None:
        """Forget pauses, failures and the breaker: a person has mended something and wants to see."""
        with self._lock:
            self._forget()

    def state(self, now: datetime) -> str:
        """Of the breaker: closed, open, or probing (half-open)."""
        with self._lock:
            return self._breaker.state(now)

    def _enter(self, now: datetime, bucket: str, *, begun: bool) -> bool:
        with self._lock:
            if self._seen is not None and now < self._seen - BACK:
                self._forget()
            self._seen = now
            until = max((self._pauses.get(one, now) for one in ("", bucket)), default=now)
            if until > now:
                raise _held(RateLimited("the service asked us to wait"), PAUSE, until)
            windows = [self._windows[one] for one in {"", bucket} if one in self._windows]
            until = max((window.free_at(now, begun=begun) for window in windows), default=now)
            if until > now:
                raise _held(RateLimited("this connection has made the calls that it may make"), GATE, until)
            probing = self._breaker.enter(now)
            for window in windows:
                window.count(now)
            return probing

    def _leave(self, now: datetime, bucket: str, probing: bool, problem: BaseException | None) -> None:
        with self._lock:
            if isinstance(problem, RateLimited) or getattr(problem, "retry_after", None):
                until = getattr(problem, "retry_after", None) or now + UNNAMED
                self._pauses[bucket] = max(until, self._pauses.get(bucket, until))
            if problem is not None and not isinstance(problem, PluginError):
                self._breaker.ended(probing)
            else:
                unwell = isinstance(problem, Transient | AmbiguousOutcome)
                if self._breaker.leave(now, probing=probing, failed=unwell) and self._opens:
                    self._opens()

    def _forget(self) -> None:
        self._pauses.clear()
        self._breaker = _Breaker()
        for window in self._windows.values():
            window.clear()


class _Window:
    """The calls of the last so many seconds: no window of that length ever holds more than it may."""

    def __init__(self, rate: Rate) -> None:
        self._calls, self._length = rate.calls, timedelta(seconds=rate.seconds)
        self._times: deque[datetime] = deque()

    def free_at(self, now: datetime, *, begun: bool) -> datetime:
        """When there is room for one more call."""
        while self._times and self._times[0] <= now - self._length:
            self._times.popleft()
        most = max(self._calls, KEPT_FOR_BEGUN) if begun else self._calls - self._calls // KEPT_FOR_BEGUN
        too_many = len(self._times) - most
        return now if too_many < 0 else self._times[too_many] + self._length

    def count(self, now: datetime) -> None:
        self._times.append(now)

    def clear(self) -> None:
        self._times.clear()


class _Breaker:
    """Closed; open until a moment; then one call probes, and the next opening is longer, or it is closed."""

    def __init__(self) -> None:
        self._failures = self._openings = 0
        self._until: datetime | None = None
        self._probing_until: datetime | None = None

    def state(self, now: datetime) -> str:
        if self._until is None:
            return "closed"
        return "open" if now < self._until else "probing"

    def enter(self, now: datetime) -> bool:
        """True for who probes."""
        if self._until is None:
            return False
        until = self._until
        if until <= now:
            if self._probing_until is None or self._probing_until <= now:
                self._probing_until = now + PROBE
                return True
            until = now + MEANWHILE
        raise _held(Transient("the service was unwell a moment ago; it is left alone"), BREAKER, until)

    def leave(self, now: datetime, *, probing: bool, failed: bool) -> bool:
        """True when it opens by this."""
        if not failed:
            self._failures = self._openings = 0
            self._until = self._probing_until = None
            return False
        self._failures += 1
        opens = probing or self._until is None and self._failures >= OPENS_AFTER
        if opens:
            self._until = now + min(FIRST_OPEN * 2 ** min(self._openings, 10), LONGEST_OPEN)
            self._probing_until = None
            self._openings += 1
        return opens

    def ended(self, probing: bool) -> None:
        """The call was ended from outside: it tells nothing."""
        if probing:
            self._probing_until = None


def _held(error: PluginError, reason: str, until: datetime) -> PluginError:
    error.held, error.retry_after = reason, until
    return error


_known: dict[str, Limits] = {}
_lock = threading.Lock()


def of(
    connection: str,
    rate: Rate | None = None,
    rates: Mapping[str, Rate] | None = None,
    opens: Callable[[], None] | None = None,
) -> Limits:
    """Those of a connection by its id, the same for the whole process however often it is opened."""
    with _lock:
        if connection not in _known:
            _known[connection] = Limits(rate, rates, opens)
        return _known[connection]


def reset(connection: str) -> None:
    """Let the next call of this connection go out, whatever was before: a person has mended something."""
    with _lock:
        found = _known.get(connection)
    if found is not None:
        found.reset()


def known() -> dict[str, Limits]:
    """All that have been asked for in this process, by connection."""
    with _lock:
        return dict(_known)


def forget() -> None:
    """Those of all connections: for tests."""
    with _lock:
        _known.clear()
