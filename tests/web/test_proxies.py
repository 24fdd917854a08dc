"""Behind proxies the visitor's own address counts; what anybody but a trusted proxy claims is ignored."""

from __future__ import annotations

import pytest

from server import settings
from server.web.proxies import Trusted


def seen(peer, forwarded=None, networks="10.0.0.0/8, fd00::/8", **lines):
    """What the app behind sees: address, scheme, host."""
    found = {}

    def app(environ, start_response):
        found.update(environ)
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "usher.test", **lines}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    Trusted(app, networks)(environ, lambda *_: None)
    return found["REMOTE_ADDR"], found["wsgi.url_scheme"], found["HTTP_HOST"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "visitor"),
    [
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),  # the first is the visitor's own claim
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # not our proxy
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, rubbish, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),  # asked from inside
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("fd00::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_the_visitor_is_the_nearest_hop_that_is_not_ours(peer, forwarded, visitor):
    assert seen(peer, forwarded)[0] == visitor


def test_scheme_and_host_are_believed_from_our_proxy_only():
    told = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "usher.example.com"}
    assert seen("10.0.0.1", "198.51.100.7", **told)[1:] == ("https", "usher.example.com")
    assert seen("198.51.100.7", "203.0.113.9", **told)[1:] == ("http", "usher.test")


@pytest.mark.parametrize(("trusted", "address"), [("", "127.0.0.1"), ("127.0.0.1", "198.51.100.7")])
def test_the_app_knows_its_proxies_from_the_settings(app, monkeypatch, trusted, address):
    from flask import request

    from server.app import create_app

    monkeypatch.setenv("USHER_TRUSTED_PROXIES", trusted)
    settings.get.cache_clear()
    behind = create_app(app.extensions["usher_db"])
    behind.add_url_rule("/who", view_func=lambda: request.remote_addr)
    assert behind.test_client().get("/who", headers={"X-Forwarded-For": "198.51.100.7"}).text == address
