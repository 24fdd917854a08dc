"""Keeps tests on this machine: any other address makes the call fail, whichever library makes it."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_state = {"installed": False, "guards": 0}


class ForeignNetwork(AssertionError):
    """An adapter under test reached for an address that is not its fake's."""


@contextmanager
def only_loopback() -> Iterator[None]:
    """Inside, connecting to, sending to or looking up the name of anything but loopback raises ForeignNetwork."""
    if not _state["installed"]:
        sys.addaudithook(_judge)
        _state["installed"] = True
    _state["guards"] += 1
    try:
        yield
    finally:
        _state["guards"] -= 1


def _judge(event: str, details: tuple[object, ...]) -> None:
    if not _state["guards"] or event not in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        return
    if event == "socket.getaddrinfo":
        host = details[0].decode() if isinstance(details[0], bytes) else details[0]
        if host and not _is_address(str(host)) and not _is_loopback(str(host)):
            raise ForeignNetwork(f"{event} of {host}")
        return
    address = details[1]
    if isinstance(address, tuple) and not _is_loopback(str(address[0])):
        raise ForeignNetwork(f"{event} to {address[0]}")


def _is_address(host: str) -> bool:
    """Whether it is one already, so that looking it up asks nobody."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"
