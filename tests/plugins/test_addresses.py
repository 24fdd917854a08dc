"""Which addresses anybody on the internet could mean."""

from __future__ import annotations

import socket
import threading

import pytest

from plugins import addresses
from plugins.addresses import Gate, is_public
from plugins.errors import ConfigError, Transient
from plugins.http import Http

PUBLIC = "8.8.8.8 192.0.1.1 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808:: 2a00:1450::5efe:808:808"


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses(address: str) -> None:
    assert is_public(address)


INSIDE = """
0.0.0.0 10.0.0.1 100.64.0.1 127.8.8.8 169.254.169.254 172.16.0.1 192.168.1.1 224.0.0.1 255.255.255.255
:: ::1 fc00::1 fe80::1 fe80::1%eth0 ff02::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::
::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 64:ff9b:1::7f00:1 64:ff9b:1::1 fec0::1 feff::1
192.0.0.1 192.0.0.171 192.88.99.1 ::ffff:192.0.0.1 64:ff9b::192.0.0.1 2002:c058:6301:: 2002:7f00:1:: 2001:0:7f00:1::
100::1 100:0:0:1::1 2001:db8::1 3fff::1 5f00::1 2a00:1450::5efe:7f00:1 2a00:1450::200:5efe:10.0.0.1
"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_addresses_that_lead_inside_in_any_disguise(address: str) -> None:
    assert not is_public(address)


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    gate = Gate(resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(ConfigError):
        gate.addresses("crm.globex.example", 443)


def test_a_host_the_operator_named_may_be_anywhere() -> None:
    gate = Gate(private=["CRM.internal"], resolve=lambda host, port: ["10.0.0.1"])
    assert gate.addresses("crm.INTERNAL", 443) == ["10.0.0.1"]
    with pytest.raises(ConfigError):
        gate.addresses("other.internal", 443)


def test_name_servers_that_stay_silent_take_no_more_time_than_the_call_has(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: silent.wait(20))
    http = Http("crm.acme", connect_seconds=0.1, answer_seconds=0.1)
    with pytest.raises(Transient):
        http.call("find", "POST", "https://crm.acme.example/people")
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", 0.1)
    with pytest.raises(Transient, match="nobody knows this host"):
        http.admit("crm.acme.example", 443)
    silent.set()


def test_a_silent_host_takes_one_thread_however_many_want_it_and_another_none_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, silent, real = [], threading.Event(), socket.getaddrinfo

    def look(host: str, *more: object, **how: object) -> object:
        asked.append(host)
        if host == "silent.example":
            silent.wait(20)
            raise socket.gaierror(socket.EAI_NONAME, "nobody")
        return real("127.0.0.1", 443)

    monkeypatch.setattr(socket, "getaddrinfo", look)
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", 0.1)
    for _ in range(5):
        with pytest.raises(socket.gaierror, match="do not answer"):
            addresses.system_resolve("silent.example", 443)
    assert addresses.system_resolve("lively.example", 443) == ["127.0.0.1"]
    assert asked == ["silent.example", "lively.example"]
    silent.set()
    monkeypatch.setattr(addresses, "RESOLVE_SECONDS", 20)
    with pytest.raises(socket.gaierror, match="nobody"):
        addresses.system_resolve("silent.example", 443)
