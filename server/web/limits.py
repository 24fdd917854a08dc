"""How much a visitor, an address and a site may ask: token buckets in this process.

A frame needs a token of its visitor, of its address and of its site, each by the frame's kind: a visitor with many
sockets, an address with many visitors and a site under a flood reach their own end and leave the others theirs.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from server import settings
from server.errors import TooMany


@dataclass(frozen=True)
class Rate:
    """`burst` at once, then `per_second` on average."""

    burst: float
    per_second: float

    def times(self, count: int) -> Rate:
        """The rate of so many together."""
        return Rate(self.burst * count, self.per_second * count)


# Of one visitor, by kind of frame; an address and a site have as much as several visitors (settings).
FRAMES = {
    "hello": Rate(10, 0.5),
    "resume": Rate(60, 4.0),  # where sockets are blocked, each request begins with one
    "say": Rate(12, 1.0),
    "page": Rate(20, 2.0),
    "identify": Rate(10, 0.2),
    "track": Rate(20, 2.0),
    "typing": Rate(10, 1.0),
    "seen": Rate(20, 2.0),
    "ping": Rate(10, 0.5),
}
REQUESTS = {
    "connect": Rate(10, 0.5),  # upgrades to a socket
    "arrival": Rate(4, 0.1),
    "slots": Rate(6, 0.25),
    "booking": Rate(2, 0.05),  # holds and meetings outside the chat
    "hook": Rate(600, 60.0),  # what one connected service calls to say
}
OTHERS = Rate(10, 0.5)
# New conversations of one address: a large office, a conference or the phones behind one address of a mobile network
# start fewer; a script that makes visitors fills the database with 17,000 a day and not with millions.
STARTS = Rate(300, 1 / 5)
BAD_TOKENS = Rate(20, 1 / 30)  # of one address: signed tokens that were not good
BAD_HOOKS = Rate(30, 1 / 10)  # of one address: calls of services that were not good
MOST_BUCKETS = 50_000


class Buckets:
    """Buckets by key, the least used first: those that are full again are forgotten, and all above a number."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic, most: int = MOST_BUCKETS) -> None:
        self._seconds = seconds
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float, Rate]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def wait(self, *asked: tuple[str, Rate]) -> float:
        """Seconds until each of these buckets has a token; 0.0 when all have one."""
        now = self._seconds()
        return max((max(0.0, 1 - self._level(key, rate, now)) / rate.per_second for key, rate in asked), default=0.0)

    def take(self, *asked: tuple[str, Rate]) -> float:
        """Take a token of each when all have one: 0.0, else the seconds until they have; then none is taken."""
        if wait := self.wait(*asked):
            return wait
        now = self._seconds()
        for key, rate in asked:
            self._levels[key] = (self._level(key, rate, now) - 1, now, rate)
            self._levels.move_to_end(key)
        self._sweep(now, len(asked) + 1)
        return 0.0

    def _level(self, key: str, rate: Rate, now: float) -> float:
        level, at, _ = self._levels.get(key, (rate.burst, now, rate))
        return min(rate.burst, level + (now - at) * rate.per_second)

    def _sweep(self, now: float, most: int) -> None:
        for _ in range(most):
            key, (_, _, rate) = next(iter(self._levels.items()))
            if len(self._levels) <= self._most and self._level(key, rate, now) < rate.burst:
                return
            del self._levels[key]


_buckets = Buckets()


def take(kind: str, *, visitor: str = "", address: str = "", site: str = "") -> float:
    """Count one frame or request of this kind: 0.0 when it may be, else the seconds to wait. `visitor`, `address` and
    `site` are those that are known yet."""
    if not settings.get().rate_limits:
        return 0.0
    return _buckets.take(*_asked(kind, visitor, address, site))


def spend(kind: str, *, visitor: str = "", address: str = "", site: str = "") -> None:
    """As `take`; TooMany says when to come back."""
    if wait := take(kind, visitor=visitor, address=address, site=site):
        raise TooMany("Too many requests; please wait a moment.", retry_after=max(1, round(wait)))


def wait_to_start(address: str, site: str) -> float:
    """Seconds until a visitor nobody knows may start a conversation from this address; 0.0 when they may now."""
    return _buckets.wait(*_starts(address, site)) if settings.get().rate_limits else 0.0


def started(address: str, site: str) -> None:
    """Count a conversation of a new visitor."""
    if settings.get().rate_limits:
        _buckets.take(*_starts(address, site))


def wait_to_sign_in(address: str) -> float:
    """Seconds until a signed token of this address is looked at again, after many that were not good."""
    return _buckets.wait((f"sign-in {network(address)}", BAD_TOKENS)) if settings.get().rate_limits else 0.0


def sign_in_failed(address: str) -> None:
    """Count a signed token that was not good."""
    if settings.get().rate_limits:
        _buckets.take((f"sign-in {network(address)}", BAD_TOKENS))


def wait_for_hooks(address: str) -> float:
    """Seconds until a service's call from this address is looked at again, after many that were not good."""
    return _buckets.wait((f"hooks {network(address)}", BAD_HOOKS)) if settings.get().rate_limits else 0.0


def hook_refused(address: str) -> None:
    """Count a service's call that was not good."""
    if settings.get().rate_limits:
        _buckets.take((f"hooks {network(address)}", BAD_HOOKS))


def network(address: str) -> str:
    """Whom an address stands for: IPv4 itself, IPv6 the /64 that one customer gets whole."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def _asked(kind: str, visitor: str, address: str, site: str) -> list[tuple[str, Rate]]:
    of, rate = settings.get(), FRAMES.get(kind) or REQUESTS.get(kind, OTHERS)
    return [
        (f"{kind} {scope} {name}", rate.times(count))
        for scope, name, count in (
            ("visitor", visitor, 1),
            ("address", network(address), of.visitors_per_address),
            ("site", site, of.visitors_per_site),
        )
        if name
    ]


def _starts(address: str, site: str) -> list[tuple[str, Rate]]:
    of = settings.get()
    whole = STARTS.times(max(1, of.visitors_per_site // of.visitors_per_address))
    return [(f"start address {network(address)}", STARTS), (f"start site {site}", whole)]
