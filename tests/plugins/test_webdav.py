"""Which addresses a WebDAV server may name: those of its own owner."""

from __future__ import annotations

import pytest

from plugins.errors import ConfigError
from plugins.http import Http
from plugins.webdav import WebDav


def at(own: str, other: str) -> str:
    return WebDav(Http("calendar.caldav"), f"https://{own}/dav/", "ada", "s3cret").at(f"https://{other}/home")


@pytest.mark.parametrize(
    ("own", "other"),
    [("caldav.icloud.example", "p34.icloud.example"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]")],
)
def test_another_host_of_the_same_owner_is_trusted(own: str, other: str) -> None:
    assert at(own, other) == f"https://{other}/home"


STRANGERS = """
127.0.0.1 66.6.0.1
66.6.0.1 127.0.0.1.
10.1 66.1
0x7f.0.0x1 0x66.0.0x1
[::ffff:127.0.0.1] [::fffe:66.6.0.1]
acme.example globex.example
acme.co.uk globex.co.uk
"""


@pytest.mark.parametrize("pair", STRANGERS.strip().splitlines())
def test_another_owner_is_not_and_an_ip_address_is_its_own_owner_only(pair: str) -> None:
    with pytest.raises(ConfigError):
        at(*pair.split())
