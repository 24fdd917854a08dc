"""OAuth for adapters, against a strict authorization server: PKCE, refreshing, refusals, calls that carry a token."""

from __future__ import annotations

import logging
from base64 import b64decode
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from plugins import oauth
from plugins.errors import AuthError, Permanent, PermissionDenied, PluginError, Transient
from plugins.http import Http
from plugins.oauth import Authorized, OAuth
from plugins.testing.fakes import Fault
from plugins.testing.fakes.authorization import AuthorizationFake
from plugins.tokens import MemoryTokens

REDIRECT, VERIFIER = "https://usher.example/callback", "v" * 64
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def running():
    with AuthorizationFake() as fake:
        yield fake


@pytest.fixture
def server(running):
    running.reset()
    running.redirects = {REDIRECT}
    return running


@pytest.fixture
def http(server):
    http = Http("crm.fake", private=["127.0.0.1"], secrets=[server.client_secret], now=lambda: NOON)
    yield http
    http.close()


@pytest.fixture
def asked(server):
    return OAuth(
        f"{server.url}/authorize", f"{server.url}/token", ("read", "write"), server.client_id, server.client_secret,
        revoke_url=f"{server.url}/revoke", extra={"access_type": "offline"},
    )  # fmt: skip


@pytest.fixture
def code(asked):
    """A person agrees."""
    address = oauth.agreement_address(asked, redirect=REDIRECT, state="s t&=", verifier=VERIFIER)
    there = requests.get(address, allow_redirects=False, timeout=5).headers["Location"]
    told = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    assert told["state"] == "s t&="
    return told["code"]


@pytest.fixture
def granted(http, asked, code):
    return oauth.exchange(http, asked, code=code, redirect=REDIRECT, verifier=VERIFIER)


def calling(server, http, asked, tokens):
    authorized = Authorized(http, tokens, lambda old: oauth.refreshed(http, asked, old))
    return lambda: authorized.call("who", "GET", f"{server.url}/userinfo").json()["email"]


def test_the_address_of_the_agreement_carries_all_that_was_asked(asked):
    query = parse_qs(urlsplit(oauth.agreement_address(asked, redirect=REDIRECT, state="s", verifier=VERIFIER)).query)
    assert query["scope"] == ["read write"]
    assert query["access_type"] == ["offline"]
    assert query["code_challenge_method"] == ["S256"]
    assert VERIFIER not in str(query)
    assert "client_secret" not in query


def test_the_challenge_is_that_of_the_rfcs_example():
    plain = OAuth("https://a.example/o?tenant=1", "", (), "c")
    address = oauth.agreement_address(
        plain, redirect=REDIRECT, state="s", verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" in address  # RFC 7636 appendix B
    assert address.startswith("https://a.example/o?tenant=1&response_type=code")


def test_a_code_becomes_tokens_with_the_moment_they_end(granted):
    assert set(granted) == {"access_token", "token_type", "refresh_token", "scope", "expires_at"}
    assert granted["expires_at"] == NOON.timestamp() + 3600


def test_a_code_is_good_once_and_with_its_verifier_only(http, asked, code):
    with pytest.raises(AuthError, match="code verifier"):
        oauth.exchange(http, asked, code=code, redirect=REDIRECT, verifier="w" * 64)
    oauth.exchange(http, asked, code=code, redirect=REDIRECT, verifier=VERIFIER)
    with pytest.raises(AuthError, match="invalid_grant"):
        oauth.exchange(http, asked, code=code, redirect=REDIRECT, verifier=VERIFIER)


def test_a_refresh_keeps_what_the_service_does_not_say_again(server, http, asked, granted):
    fresh = oauth.refreshed(http, asked, {**granted, "instance_url": "https://eu.example"})
    assert fresh["instance_url"] == "https://eu.example"
    assert fresh["access_token"] != granted["access_token"]
    assert fresh["refresh_token"] != granted["refresh_token"]


def test_a_refresh_without_a_new_lifetime_does_not_keep_the_old_one(http, asked, granted, server):
    server.faults.add(Fault(status=200, body=b'{"access_token": "bare"}'), on="POST /token")
    fresh = oauth.refreshed(http, asked, granted)
    assert "expires_at" not in fresh
    assert fresh["refresh_token"] == granted["refresh_token"]


def test_a_refresh_token_that_is_no_good_wants_a_person(http, asked, granted):
    with pytest.raises(AuthError):
        oauth.refreshed(http, asked, {})
    with pytest.raises(AuthError, match="invalid_grant"):
        oauth.refreshed(http, asked, {**granted, "refresh_token": "made up"})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, b"{}", Transient),
        (200, b"<html>sign in</html>", Transient),
        (200, b'{"token": "x"}', Permanent),
        (200, b'["x"]', Permanent),
        (401, b'{"error": "invalid_client"}', AuthError),
        (400, b'{"error": "app_not_found", "error_description": "no such app"}', AuthError),
        (400, b'{"error": "temporarily_unavailable"}', Transient),
        (400, b'{"status": "BAD_AUTH_CODE", "message": "missing or unknown auth code"}', AuthError),
        (400, b'{"status": "error", "category": "VALIDATION_ERROR", "message": "no"}', AuthError),
        (403, b"not for you", PermissionDenied),
    ],
)
def test_what_the_token_endpoint_answers_is_an_error_of_its_kind(server, http, asked, granted, status, body, kind):
    server.faults.add(Fault(status=status, body=body), on="POST /token")
    with pytest.raises(kind):
        oauth.refreshed(http, asked, granted)


def test_a_token_endpoint_that_says_our_secrets_back_is_not_quoted(server, http, asked, granted, caplog):
    caplog.set_level(logging.DEBUG)
    for body in ('{"error": "odd", "error_description": "no: TOKEN"}', "no: TOKEN"):
        server.faults.add(Fault(status=400, body=body.replace("TOKEN", granted["refresh_token"]).encode()), times=1)
        with pytest.raises(PluginError, match="no: ") as refusal:
            oauth.refreshed(http, asked, granted)
        assert granted["refresh_token"] not in f"{refusal.value} {refusal.value.user_message} {caplog.text}"


def test_the_client_may_identify_itself_by_basic_authentication(server, http, asked, granted):
    server.faults.add(Fault(status=200, body=b'{"access_token": "x"}'), on="POST /token")
    basic = OAuth(asked.authorize_url, asked.token_url, (), "id:1", "se cret", basic=True)
    oauth.refreshed(http, basic, granted)
    sent = server.asked[-1]
    assert b64decode(sent.headers["Authorization"].removeprefix("Basic ")) == b"id%3A1:se+cret"
    assert b"client_secret" not in sent.body


def test_a_token_that_ends_soon_is_renewed_before_it_is_used(server, http, asked, granted):
    tokens = MemoryTokens({**granted, "expires_at": NOON.timestamp() + 59})
    assert calling(server, http, asked, tokens)() == "ada@service.example"
    assert (server.refreshes, server.times_asked("GET", "/userinfo")) == (1, 1)


def test_a_token_that_was_taken_back_is_renewed_once_and_the_call_repeated(server, http, asked, granted):
    server.expire()
    call = calling(server, http, asked, MemoryTokens(granted))
    assert call() == "ada@service.example"
    assert call() == "ada@service.example"
    assert (server.refreshes, server.times_asked("GET", "/userinfo")) == (1, 3)


def test_a_service_that_refuses_every_token_is_asked_twice_and_no_more(server, http, asked, granted):
    server.faults.add(Fault(status=401), on="GET /userinfo")
    with pytest.raises(AuthError):
        calling(server, http, asked, MemoryTokens(granted))()
    assert (server.refreshes, server.times_asked("GET", "/userinfo")) == (1, 2)


def test_tokens_are_given_back(server, http, asked, granted):
    oauth.revoke(http, asked, granted)
    assert server.grants[0].ended
    oauth.revoke(http, asked, {})
    oauth.revoke(http, OAuth("", "", (), "c"), granted)
    assert len(server.revoked) == 1


def test_the_secret_of_the_application_is_in_no_repr(asked):
    assert asked.client_secret not in repr(asked)
