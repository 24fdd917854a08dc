"""Behind reverse proxies: whose request this is. Only what a trusted hop says about the hop before it is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix


class Trusted:
    """The address nearest to us that is no proxy of ours is the visitor's; scheme and host are those the proxy names.

    From anybody else the X-Forwarded-* lines mean nothing.
    """

    def __init__(self, inner: Callable[..., Iterable[bytes]], networks: str) -> None:
        self._inner = inner
        self._told = ProxyFix(inner, x_for=0, x_proto=1, x_host=1)
        self._networks = [ipaddress.ip_network(one.strip()) for one in networks.split(",")]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if not self._is_ours(peer):
            return self._inner(environ, start_response)
        environ["REMOTE_ADDR"] = self._visitor(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
        return self._told(environ, start_response)

    def _visitor(self, peer: str, hops: str) -> str:
        """Walk from our proxy outwards to the first hop that is not ours; stop at what is no address."""
        address = peer
        for hop in reversed(hops.split(",")):
            found = _plain(hop)
            if not found:
                return address
            address = found
            if not self._is_ours(found):
                return address
        return address

    def _is_ours(self, address: str) -> bool:
        plain = _plain(address)
        return bool(plain) and any(ipaddress.ip_address(plain) in network for network in self._networks)


def _plain(text: str) -> str:
    """An address as the library writes it: without port, brackets or the IPv6 form of an IPv4 one; "" for none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].split("]")[0]
    elif text.count(":") == 1:
        text = text.split(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)
