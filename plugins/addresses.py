"""Which network addresses we connect to: a name is resolved once, judged, and that very address is connected to.

So a host that an owner typed, or a name that changes its address after the check, cannot lead us into our own network.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError

from plugins import bounds
from plugins.errors import ConfigError

Resolve = Callable[[str, int], list[str]]
RESOLVE_SECONDS = 5.0
IDLE_SECONDS = 4.0
"""A connection that has lain idle longer is made anew: the other side may be closing it (common servers do after five
seconds), and a write sent into that moment is one whose outcome nobody knows."""

_NETWORKS = """
192.0.0.0/24 192.88.99.0/24
::/96 ::ffff:0:0:0/96 64:ff9b:1::/48 100::/63 2001::/23 3fff::/20 5f00::/16 fec0::/10
"""
_REFUSED = [ipaddress.ip_network(one) for one in _NETWORKS.split()]
"""Not for everybody, whatever the `ipaddress` of this Python says. IANA's registries of special-purpose addresses: IETF
protocols, relays of 6to4; IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765), local NAT64 (RFC 8215), discard and
dummies (RFC 6666, 9780), IETF protocols with Teredo, documentation (RFC 9637), segments (RFC 9602), site-local."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)
_asked: dict[tuple[str, int], Future[list[Any]]] = {}
"""Look-ups under way."""
_lock = threading.Lock()
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Whether anybody on the internet could mean this address: not private, loopback, link-local, multicast …, also
    when such an IPv4 address hides in an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return all(map(_is_for_everybody, (ip, *_inside(ip))))


def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a host as the system knows them; socket.gaierror when there are none, or none in time.

    The system asks its name servers one after the other, for half a minute when they are silent, and cannot be told to
    stop: it is left to itself then, and whoever wants the same host meanwhile waits for that answer. So a silent host
    never takes more than one of the few threads that look names up.
    """
    if _is_address(host):
        return [host]
    with _lock:
        answer = _asked.get((host, port))
        if answer is None:
            answer = _asked[host, port] = Future()
            threading.Thread(target=_ask, args=(answer, host, port), name="usher-resolve", daemon=True).start()
    try:
        found = answer.result(bounds.within(RESOLVE_SECONDS))
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "the name servers do not answer") from None
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _ask(answer: Future[list[Any]], host: str, port: int) -> None:
    try:
        answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except Exception as error:  # noqa: BLE001 - it belongs to who asked
        answer.set_exception(error)
    finally:
        with _lock:
            del _asked[host, port]


class Gate:
    """Picks the address to connect to. `private` hosts ("crm.internal") may be anywhere; all others must be public."""

    def __init__(self, private: Collection[str] = (), resolve: Resolve = system_resolve) -> None:
        self.private = frozenset(host.lower() for host in private)
        self.resolve = resolve

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of `host`, all fit to be connected to; ConfigError when one is not, socket.gaierror when
        there are none."""
        found = self.resolve(host, port)
        refused = [address for address in found if not is_public(address)]
        if refused and host.lower() not in self.private:
            raise ConfigError(
                f"{host} has the address {refused[0]}, which is not public",
                user_message=f"{host} leads to a private network address, and that is not allowed.",
            )
        return found


class GuardedAdapter(HTTPAdapter):
    """Transport for requests whose connections all pass through `gate`. Name and certificate checks stay as they are:
    only the address is chosen here."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._gate)


def _is_for_everybody(ip: _Address) -> bool:
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _REFUSED)


def _inside(ip: _Address) -> list[_Address]:
    """IPv4 addresses that an IPv6 address stands for: mapped (RFC 4291), 6to4 (RFC 3056), NAT64 (RFC 6052), ISATAP
    (RFC 5214). The other kinds are refused whole."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    last = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    isatap = int(ip) >> 32 & 0xFFFFFFFF in _ISATAP
    found = (ip.ipv4_mapped, ip.sixtofour, last if ip in _NAT64 or isatap else None)
    return [part for part in found if part is not None]


def _pools(gate: Gate) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, gate, super()._new_conn)

    class Secure(bounds.BoundedTls):
        def _new_conn(self) -> socket.socket:
            return _connect(self, gate, super()._new_conn)

    plain = type("PlainPool", (_Fresh, HTTPConnectionPool), {"ConnectionCls": Plain})
    secure = type("SecurePool", (_Fresh, HTTPSConnectionPool), {"ConnectionCls": Secure})
    return {"http": plain, "https": secure}


class _Fresh:
    """A pool that lends no connection which has lain idle for long."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout=timeout)  # type: ignore[misc]
        if time.monotonic() - getattr(connection, "idle_since", time.monotonic()) > IDLE_SECONDS:
            connection.close()  # it connects again by itself
        return connection

    def _put_conn(self, connection: Any) -> None:
        if connection is not None:
            connection.idle_since = time.monotonic()
        super()._put_conn(connection)  # type: ignore[misc]


def _connect(connection: HTTPConnection, gate: Gate, connect: Callable[[], socket.socket]) -> socket.socket:
    """Connect to the first address that answers; urllib3 gets an address in place of the name for just that moment."""
    name, patience = connection._dns_host, connection.timeout
    try:
        addresses = gate.addresses(connection.host, connection.port)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error

    def attempt(address: str) -> socket.socket:
        connection._dns_host, connection.timeout = address, bounds.within(patience)
        return bounds.BoundedSocket.over(connect())

    try:
        for address in addresses[:-1]:
            try:
                return attempt(address)
            except Exception:  # noqa: BLE001,S112 - whatever it was, the next address may answer; the last one raises
                continue
        return attempt(addresses[-1])
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "no time is left to connect") from error
    finally:
        connection._dns_host, connection.timeout = name, patience
