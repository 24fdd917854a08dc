"""How Usher signs in to Salesforce, and where it lets itself be sent."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from plugins.crm import Person
from plugins.errors import AuthError, ConfigError
from plugins.http import Http
from plugins.oauth import agreement_address, exchange
from plugins.testing.conformance import LOOPBACK, at_once
from plugins.testing.fakes.salesforce import SalesforceFake
from plugins.tokens import MemoryTokens
from tests.plugins.crm.salesforce.conftest import Open, key_pair

ADA = "ada@globex.example"
VERIFIER = "v" * 43


@pytest.fixture
def granted() -> None:
    """Nobody has signed in yet."""


def connected(crm: Any, fake: SalesforceFake) -> dict[str, Any]:
    """What a person grants in their browser."""
    oauth, redirect = type(crm).oauth(crm.config), fake.app.redirect
    address = agreement_address(oauth, redirect=redirect, state="s1", verifier=VERIFIER)
    back = requests.get(address, allow_redirects=False, timeout=10).headers["Location"]
    told = parse_qs(urlsplit(back).query)
    assert told["state"] == ["s1"]
    http = Http("crm.salesforce", private=LOOPBACK)
    return exchange(http, oauth, code=told["code"][0], redirect=redirect, verifier=VERIFIER)


def by_browser(open_one: Open, tokens: Any = None) -> Any:
    return open_one(sign_in="browser", client_secret="the consumer secret", tokens=tokens)


def test_a_person_connects_in_the_browser_with_pkce(open_one: Open, fake: SalesforceFake) -> None:
    granted = connected(by_browser(open_one), fake)
    crm = by_browser(open_one, MemoryTokens(granted))
    assert crm.find_by_email(ADA) == []
    result = crm.check()
    assert (result.ok, result.account, result.missing) == (True, "Acme Analytics", ())
    assert set(result.granted) == {"api", "refresh_token"}


def test_a_code_without_its_verifier_is_worth_nothing(open_one: Open, fake: SalesforceFake) -> None:
    crm = by_browser(open_one)
    oauth, redirect = type(crm).oauth(crm.config), fake.app.redirect
    address = agreement_address(oauth, redirect=redirect, state="s1", verifier=VERIFIER)
    back = requests.get(address, allow_redirects=False, timeout=10).headers["Location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    with pytest.raises(AuthError):
        exchange(Http("crm.salesforce", private=LOOPBACK), oauth, code=code, redirect=redirect, verifier="w" * 43)


@pytest.mark.parametrize("rotates", [True, False])
def test_an_expired_session_is_renewed_once_and_nobody_notices(
    open_one: Open, fake: SalesforceFake, rotates: bool
) -> None:
    fake.app.rotates = rotates
    tokens = MemoryTokens(connected(by_browser(open_one), fake))
    crm, before = by_browser(open_one, tokens), tokens.load()
    fake.expire_sessions()
    at_once(lambda n: crm.find_by_email(ADA))
    renewed = tokens.load()
    assert fake.times_asked("POST", "/services/oauth2/token") == 2  # the code, one refresh
    assert (renewed["refresh_token"] == before["refresh_token"]) is not rotates
    fake.expire_sessions()
    assert crm.find_by_email(ADA) == []


def test_who_took_the_connection_back_has_to_be_asked_again(open_one: Open, fake: SalesforceFake) -> None:
    tokens = MemoryTokens(connected(by_browser(open_one), fake))
    crm = by_browser(open_one, tokens)
    crm.revoke()
    assert (fake.refreshes, fake.sessions) == ({}, {})
    crm.revoke()
    with pytest.raises(AuthError):
        crm.find_by_email(ADA)
    assert not crm.check().ok


def test_a_certificate_signs_in_again_when_the_session_is_over(open_one: Open, fake: SalesforceFake) -> None:
    crm = open_one()
    ref = crm.upsert_person(Person(ADA, name="Ada"), key="k1")
    fake.expire_sessions()
    assert crm.upsert_person(Person(ADA, name="Ada"), key="k2") == ref
    assert fake.times_asked("POST", "/services/oauth2/token") == 2


def test_a_certificate_needs_nobody_to_agree(open_one: Open) -> None:
    crm = open_one()
    assert type(crm).oauth(crm.config) is None
    assert crm.check().ok


PEM = key_pair()[0]
SHAPES = {
    "one line": PEM.replace("\n", ""),
    "blanks for breaks": PEM.replace("\n", " "),
    "written breaks": PEM.replace("\n", "\\n"),
    "base64": base64.b64encode(PEM.encode()).decode(),
}


@pytest.mark.parametrize("given", SHAPES.values(), ids=SHAPES.keys())
def test_a_private_key_is_read_in_the_shapes_that_forms_leave(open_one: Open, given: str) -> None:
    assert open_one(private_key=given).find_by_email(ADA) == []


@pytest.mark.parametrize("given", ["no key", base64.b64encode(b"nothing").decode(), key_pair()[1].replace("\n", "")])
def test_what_is_no_private_key_is_said_of_that_setting_and_not_shown(open_one: Open, given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_one(private_key=given).find_by_email(ADA)
    assert caught.value.problems[0][0] == "private_key"
    assert given not in f"{caught.value} {caught.value.user_message}"


@pytest.mark.parametrize(
    ("set_up", "words"),
    [
        (lambda fake: fake.app.approved.clear(), "pre-authorise"),
        (lambda fake: setattr(fake.app, "public_key", key_pair("somebody else")[1]), "connect it again"),
    ],
)
def test_a_refused_assertion_says_what_to_do(open_one: Open, fake: SalesforceFake, set_up: Any, words: str) -> None:
    set_up(fake)
    result = open_one().check()
    assert not result.ok
    assert words in result.message


def test_the_audience_is_of_the_sandboxes_for_a_sandbox(open_one: Open) -> None:
    with pytest.raises(AuthError) as caught:
        open_one(audience="https://acme.my.salesforce.com").find_by_email(ADA)
    assert "audience" in caught.value.user_message
    assert open_one(audience="https://test.salesforce.com").find_by_email(ADA) == []


def test_client_credentials_sign_in_on_my_domain_only(open_one: Open, fake: SalesforceFake) -> None:
    by_secret = {"sign_in": "client_credentials", "client_secret": "the consumer secret"}
    assert open_one(**by_secret).check().ok
    fake.my_domain = False
    result = open_one(**by_secret).check()
    assert not result.ok
    assert "My Domain" in result.message
    fake.my_domain, fake.app.run_as = True, ""
    assert "user to run as" in open_one(**by_secret).check().message


def test_a_wrong_secret_is_for_a_person_to_mend(open_one: Open) -> None:
    with pytest.raises(AuthError):
        open_one(sign_in="client_credentials", client_secret="another").find_by_email(ADA)


def test_what_a_way_to_sign_in_needs_is_asked_for_before_anything_is_sent(open_one: Open, fake: SalesforceFake) -> None:
    result = open_one(username="", private_key="").check()
    assert (result.ok, len(fake.asked)) == (False, 0)
    assert "username" in result.message
    assert "private_key" in result.message


@pytest.mark.parametrize(
    "host",
    [
        "https://evil.example", "http://acme.my.salesforce.com", "https://salesforce.com.evil.example",
        "https://evilsalesforce.com", "https://acme.my.salesforce.com:8443", "https://u@acme.my.salesforce.com", "",
    ],
)  # fmt: skip
def test_tokens_that_lead_elsewhere_are_not_followed(open_one: Open, fake: SalesforceFake, host: str) -> None:
    tokens = MemoryTokens({"access_token": "t", "instance_url": host})
    with pytest.raises(ConfigError):
        open_one(tokens=tokens).find_by_email(ADA)
    assert fake.asked == []


@pytest.mark.parametrize("host", ["https://acme.my.salesforce.com", "https://acme.lightning.force.com/"])
def test_the_orgs_own_hosts_are_followed(open_one: Open, host: str) -> None:
    crm = open_one(tokens=MemoryTokens({"access_token": "t", "instance_url": host}))
    assert crm._session.instance() == host.rstrip("/")


def test_an_assertion_lives_for_minutes(open_one: Open, fake: SalesforceFake) -> None:
    open_one().find_by_email(ADA)
    sent = next(one for one in fake.asked if one.path.endswith("/token"))
    assertion = parse_qs(sent.body.decode())["assertion"][0]
    claims = jwt.decode(assertion, fake.app.public_key, ["RS256"], audience="https://login.salesforce.com")
    assert datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC) <= timedelta(minutes=3)
