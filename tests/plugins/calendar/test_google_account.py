"""Who we are to Google: consent and what was left out of it, tokens that end, service accounts, what refusals mean."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from plugins import errors, oauth
from plugins.calendar import Busy, Window
from plugins.calendar.google import Google
from plugins.calendar.google.api import _resources
from plugins.calendar.google.sign_in import BUSY, EVENTS, LIST, OWN_EVENTS, lacking
from plugins.config import Config
from plugins.errors import AuthError, ConfigError, InvalidInput, NotFound, PermissionDenied, PluginError
from plugins.fields import validate
from plugins.hooks import HookCall
from plugins.http import Http
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.calendar_samples import DAY, DEMO, at
from plugins.testing.conformance import LOOPBACK, at_once
from plugins.testing.fakes import Fault
from plugins.testing.fakes.google import GoogleFake
from plugins.tokens import MemoryTokens
from tests.plugins.calendar.test_google import OWNER, addressed, hold_to_description

JOAN = "joan@acme.example"
TEAM = "team@group.calendar.google.com"


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleFake]:
    with GoogleFake() as fake:
        yield fake


@pytest.fixture
def fake(google: GoogleFake) -> Iterator[GoogleFake]:
    google.reset()
    google.calendar(OWNER, title="Grace")
    yield google
    hold_to_description(google)


@pytest.fixture
def opened(fake: GoogleFake) -> Iterator[Callable[..., Google]]:
    """Opens the adapter: with these tokens, or with the key of a service account."""
    adapters: list[Google] = []

    def open_(tokens: MemoryTokens | None = None, **settings: Any) -> Google:
        adapter = Registry(discover=list).open(
            "calendar", "google", addressed(fake, **settings), records=MemoryRecords(), tokens=tokens, private=LOOPBACK
        )
        adapters.append(adapter)
        return adapter

    yield open_
    for adapter in adapters:
        adapter.close()


@pytest.fixture
def tokens(fake: GoogleFake) -> MemoryTokens:
    return MemoryTokens(fake.grant(OWNER))


def settings(fake: GoogleFake, **other: Any) -> Config:
    return validate(Google.fields, addressed(fake, **other))


def test_a_person_connects_their_calendar_in_the_browser(fake: GoogleFake, opened: Any) -> None:
    fake.person = OWNER
    asked = Google.oauth(settings(fake))
    assert asked is not None
    assert set(asked.scopes) == {BUSY, LIST, OWN_EVENTS}
    way = {"redirect": "https://chat.acme.example/console/connections/back", "verifier": "v" * 43}
    address = oauth.agreement_address(asked, state="s1", **way)
    said = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    assert (said["access_type"], said["prompt"]) == ("offline", "consent")
    back = requests.get(address, allow_redirects=False, timeout=5).headers["Location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    granted = oauth.exchange(Http("calendar.google", private=LOOPBACK), asked, code=code, **way)
    found = opened(MemoryTokens(granted)).check()
    assert (found.ok, found.account, found.missing) == (True, OWNER, ())


def test_more_is_asked_for_only_where_shared_calendars_are_written(
    fake: GoogleFake, tokens: MemoryTokens, opened: Any
) -> None:
    fake.share(fake.calendar(TEAM, owner=JOAN, title="Team"), OWNER, "writer")
    wanted = Google.oauth(settings(fake, write_to="shared"))
    assert wanted is not None
    assert set(wanted.scopes) == {BUSY, LIST, EVENTS}
    assert {one.id: one.writable for one in opened(tokens).calendars()} == {OWNER: True, TEAM: False}
    shared = MemoryTokens(fake.grant(OWNER, wanted.scopes))
    adapter = opened(shared, write_to="shared")
    assert {one.id: one.writable for one in adapter.calendars()} == {OWNER: True, TEAM: True}
    assert adapter.create(TEAM, DEMO, key="k1").calendar == TEAM
    with pytest.raises(PermissionDenied):
        opened(tokens).create(TEAM, DEMO, key="k2")
    assert not opened(tokens, write_to="shared").check().ok


def test_the_list_of_calendars_is_read_to_its_end(fake: GoogleFake, tokens: MemoryTokens, opened: Any) -> None:
    fake.page = 2
    for n in range(5):
        fake.calendar(f"{n}@group.calendar.google.com", owner=OWNER, title=f"Calendar {n}")
    found = opened(tokens).calendars()
    assert len(found) == 6
    assert [one.id for one in found if one.primary] == [OWNER]


@pytest.mark.parametrize(
    ("unticked", "ok", "word"), [(OWN_EVENTS, False, "write events"), (BUSY, False, "busy"), (LIST, True, "")]
)
def test_what_the_person_left_out_is_told_before_anything_is_saved(
    fake: GoogleFake, opened: Any, unticked: str, ok: bool, word: str
) -> None:
    granted = fake.grant(OWNER, {BUSY, LIST, OWN_EVENTS} - {unticked})
    found = opened(MemoryTokens(granted)).check()
    assert (found.ok, found.missing) == (ok, (unticked,))
    assert word in found.message
    assert found.warnings or not ok


def test_a_wider_scope_covers_what_it_holds() -> None:
    whole = "https://www.googleapis.com/auth/calendar"
    assert lacking((BUSY, LIST, OWN_EVENTS, EVENTS), [whole]) == ()
    assert lacking((BUSY, LIST, OWN_EVENTS), [f"{whole}.readonly", EVENTS]) == ()
    assert lacking((EVENTS,), [OWN_EVENTS]) == (EVENTS,)


def test_nothing_connected_says_so(opened: Any) -> None:
    assert "service account" in opened(client_id="").check().message
    assert not opened().check().ok
    with pytest.raises(AuthError):
        opened().busy([OWNER], DAY)


def test_a_token_that_ends_in_the_middle_is_renewed_once_for_all(
    fake: GoogleFake, tokens: MemoryTokens, opened: Any
) -> None:
    adapter = opened(tokens)
    ref = adapter.create(OWNER, at(9), key="k1")
    fake.expire()
    asked = fake.times_asked("POST", "/token")
    at_once(lambda n: adapter.busy([OWNER], DAY))
    adapter.update(ref, at(10), key="k2")
    assert fake.times_asked("POST", "/token") == asked + 1
    kept = tokens.load()
    assert kept is not None
    assert kept["refresh_token"].startswith("1//")


def test_consent_that_was_taken_back_asks_to_connect_again(fake: GoogleFake, tokens: MemoryTokens, opened: Any) -> None:
    adapter = opened(tokens)
    ref = adapter.create(OWNER, at(9), key="k1")
    fake.withdraw(OWNER)
    deeds: list[Callable[[], Any]] = [
        lambda: adapter.busy([OWNER], DAY),
        lambda: adapter.create(OWNER, at(10), key="k2"),
        lambda: adapter.update(ref, at(11), key="k3"),
        lambda: adapter.cancel(ref, key="k4"),
        lambda: adapter.changes(OWNER),
        lambda: adapter.calendars(),
    ]
    for deed in deeds:
        with pytest.raises(AuthError) as caught:
            deed()
        assert caught.value.stops
        assert caught.value.vendor_code == "invalid_grant"
    assert "connect it again" in adapter.check().message
    assert len(fake.there(OWNER)) == 1


def test_disconnecting_gives_the_consent_back(fake: GoogleFake, tokens: MemoryTokens, opened: Any) -> None:
    adapter = opened(tokens)
    adapter.revoke()
    adapter.revoke()
    with pytest.raises(AuthError):
        adapter.busy([OWNER], DAY)
    opened().revoke()


class TestServiceAccount:
    @pytest.fixture
    def key(self, fake: GoogleFake) -> str:
        return fake.service_account("acme.example", [BUSY, LIST, OWN_EVENTS])

    def test_each_calendar_is_used_in_its_owners_name_with_a_token_that_is_kept(
        self, fake: GoogleFake, opened: Any, key: str
    ) -> None:
        fake.calendar(JOAN)
        for adapter in (opened(service_account=key), opened(service_account=base64.b64encode(key.encode()).decode())):
            assert adapter.at_once == 1
            found = adapter.busy([OWNER, JOAN], DAY)
            assert [one.error for one in found.values()] == [None, None]
        ref = opened(service_account=key).create(JOAN, DEMO, key="k1")
        assert (ref.calendar, len(fake.there(JOAN))) == (JOAN, 1)
        assert fake.times_asked("POST", "/token") == 4  # two people, and two spellings of the key
        assert {one.email for one in fake.tokens.values()} == {OWNER, JOAN}

    def test_a_calendar_outside_the_domain_is_an_error_of_that_one(
        self, fake: GoogleFake, opened: Any, key: str
    ) -> None:
        found = opened(service_account=key).busy([OWNER, "eve@elsewhere.example", TEAM], DAY)
        assert found[OWNER].error is None
        assert isinstance(found["eve@elsewhere.example"].error, AuthError)
        assert "eve@elsewhere.example" in found["eve@elsewhere.example"].error.user_message
        assert isinstance(found[TEAM].error, ConfigError)

    def test_as_one_person_it_asks_for_all_at_once_and_may_read_what_is_shared(
        self, fake: GoogleFake, opened: Any, key: str
    ) -> None:
        fake.share(fake.calendar(TEAM, owner=JOAN), OWNER, "freeBusyReader")
        adapter = opened(service_account=key, subject=OWNER)
        assert adapter.at_once == 50
        assert [one.error for one in adapter.busy([OWNER, TEAM], DAY).values()] == [None, None]
        assert fake.times_asked("POST", "/calendar/v3/freeBusy") == 1
        assert (adapter.check().ok, adapter.check().account) == (True, OWNER)

    def test_an_administrator_who_has_not_allowed_it_is_named(self, fake: GoogleFake, opened: Any) -> None:
        adapter = opened(service_account=fake.service_account("acme.example", [BUSY]), subject=OWNER)
        assert "administrator" in adapter.check().message
        with pytest.raises(AuthError):
            adapter.busy([OWNER], DAY)

    def test_as_itself_it_may_invite_nobody_and_says_why(self, fake: GoogleFake, opened: Any, key: str) -> None:
        email = json.loads(key)["client_email"]
        fake.calendar(email)
        adapter = opened(service_account=key, invite="yes")
        assert (adapter.check().ok, adapter.check().account) == (True, email)
        fake.tokens.clear()
        as_itself = replace(next(iter(_tokens_of(fake, email))), as_service=True)
        fake.tokens["itself"] = as_itself
        direct = opened(MemoryTokens({"access_token": "itself", "expires_at": 9e9}), invite="yes")
        with pytest.raises(PermissionDenied) as caught:
            direct.create(email, DEMO, key="k1")
        assert "domain-wide delegation" in caught.value.user_message

    @pytest.mark.parametrize(
        "bad",
        [
            "not json",
            "{}",
            '{"type": "authorized_user", "private_key": "x"}',
            '{"type": "service_account", "private_key": "MIIE-secret"}',
        ],
    )
    def test_a_key_that_is_none_is_refused_without_repeating_it(self, opened: Any, bad: str) -> None:
        adapter = opened(service_account=bad, subject=OWNER)
        with pytest.raises(ConfigError) as caught:
            adapter.busy([OWNER], DAY)
        assert "MIIE" not in f"{caught.value} {caught.value.user_message}"
        assert not adapter.check().ok

    def test_tokens_are_asked_for_where_the_settings_say_and_not_where_the_key_says(
        self, fake: GoogleFake, opened: Any, key: str
    ) -> None:
        assert "elsewhere.example" in json.loads(key)["token_uri"]
        assert opened(service_account=key, subject=OWNER).check().ok


def _tokens_of(fake: GoogleFake, email: str) -> list[Any]:
    fake.grant(email)
    return [one for one in fake.tokens.values() if one.email == email]


def test_more_calendars_than_one_question_takes_are_asked_in_several(
    fake: GoogleFake, tokens: MemoryTokens, opened: Any
) -> None:
    asked = [OWNER, *(f"{n}@acme.example" for n in range(54))]
    found = opened(tokens).busy(asked, Window(DAY.start, DAY.start + timedelta(days=128)))
    assert found[OWNER].error is None
    assert all(isinstance(found[id].error, NotFound) for id in asked[1:])
    bodies = [one.json() for one in fake.asked if one.path.endswith("/freeBusy")]
    assert [len(body["items"]) for body in bodies] == [50, 50, 5, 5]
    assert bodies[0]["timeMax"] == bodies[1]["timeMin"]


def test_a_calendar_is_known_by_its_address_however_it_is_spelt(
    fake: GoogleFake, tokens: MemoryTokens, opened: Any
) -> None:
    adapter = opened(tokens)
    adapter.create(OWNER, DEMO, key="k1")
    fake.calendar(JOAN, owner=OWNER)
    for asked in (["Grace@Acme.example"], ["primary"], ["Grace@Acme.example", JOAN]):
        assert len(adapter.busy(asked, DAY)[asked[0]].times) == 1


def test_trouble_in_one_part_of_a_long_window_makes_the_calendar_unknown(
    fake: GoogleFake, tokens: MemoryTokens, opened: Any
) -> None:
    answer = {"calendars": {OWNER: {"errors": [{"domain": "global", "reason": "internalError"}]}}}
    fake.faults.add(Fault(200, json.dumps(answer).encode()), on="freeBusy", times=1, after=1)
    found = opened(tokens).busy([OWNER], Window(DAY.start, DAY.start + timedelta(days=100)))[OWNER]
    assert isinstance(found.error, errors.Transient)
    assert found.times == ()


def test_a_channel_needs_an_encrypted_address_and_is_closed_by_who_opened_it(fake: GoogleFake, opened: Any) -> None:
    key = fake.service_account("acme.example", [BUSY, LIST, OWN_EVENTS])
    adapter = opened(service_account=key)
    with pytest.raises(InvalidInput):
        adapter.watch(OWNER, "http://chat.acme.example/hooks", "word")
    watch = adapter.watch(OWNER, "https://chat.acme.example/hooks", "word")
    assert fake.channels[watch.id]["token"] == "word"
    opened(service_account=key).unwatch(watch)
    assert fake.channels == {}


def test_a_call_is_not_believed_where_no_word_was_agreed(opened: Any) -> None:
    headers = {"X-Goog-Channel-ID": "c1", "X-Goog-Resource-State": "exists", "X-Goog-Message-Number": "2"}
    with pytest.raises(PermissionDenied):
        opened().hear(HookCall("POST", "https://chat.acme.example/hooks", headers, b"", DEMO.start))


def test_the_description_is_read_once_and_only_when_something_is_asked(tokens: MemoryTokens, opened: Any) -> None:
    for _ in range(3):
        opened(tokens).calendars()
    assert _resources.cache_info().misses <= 1
    code = (
        "import sys; from plugins.calendar.google import Google; from plugins.fields import validate; "
        "validate(Google.fields, {'client_id': 'x'}); "
        "print('googleapiclient' in sys.modules, 'google.auth' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_environment_of_google_programs_changes_nothing(fake: GoogleFake) -> None:
    """Proxies, other end points and certificates that such variables name would lead around our guard."""
    code = (
        "import sys; from plugins.registry import Registry; from plugins.records import MemoryRecords; "
        "from plugins.tokens import MemoryTokens; import json; given, granted = map(json.loads, sys.argv[1:]); "
        "adapter = Registry(discover=list).open('calendar', 'google', given, records=MemoryRecords(), "
        "tokens=MemoryTokens(granted), private=('127.0.0.1',)); print(adapter.check().account)"
    )
    nowhere = {
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "GOOGLE_API_USE_MTLS_ENDPOINT": "always",
    }
    nowhere |= {"GOOGLE_CLOUD_UNIVERSE_DOMAIN": "elsewhere.example", "GOOGLE_API_USE_CLIENT_CERTIFICATE": "false"}
    command = [sys.executable, "-c", code, json.dumps(addressed(fake)), json.dumps(fake.grant(OWNER))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **nowhere})
    assert done.stdout.strip() == OWNER


def test_what_is_no_plugin_error_never_leaves_the_adapter(fake: GoogleFake, tokens: MemoryTokens, opened: Any) -> None:
    adapter = opened(tokens)
    for body in (b"[1]", b'"text"', b"17", b"null", b"{}"):
        fake.faults.add(Fault(200, body))
        with pytest.raises(PluginError):
            adapter.create(OWNER, DEMO, key="k1")
        with pytest.raises(PluginError):
            adapter.changes(OWNER)
        with pytest.raises(PluginError):
            _known(adapter.busy([OWNER], DAY)[OWNER])
        fake.faults.clear()


def _known(found: Busy) -> Busy:
    if found.error:
        raise found.error
    return found
