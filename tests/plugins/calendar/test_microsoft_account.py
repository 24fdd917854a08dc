"""Microsoft 365: signing in by oneself and as an application, what changed, and being told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from werkzeug.wrappers import Request, Response

from plugins.calendar import Change, Watch
from plugins.calendar.microsoft import Microsoft365
from plugins.errors import (
    AuthError,
    ConfigError,
    CursorExpired,
    InvalidInput,
    NotFound,
    Permanent,
    PermissionDenied,
    PluginError,
    Transient,
)
from plugins.fields import validate
from plugins.hooks import HookCall
from plugins.oauth import agreement_address, exchange
from plugins.testing.calendar import DEMO, at
from plugins.testing.conformance import at_once
from plugins.testing.fakes import Fake, Fault, on
from plugins.testing.fakes.graph import GraphFake
from plugins.tokens import MemoryTokens
from tests.plugins.calendar import graph
from tests.plugins.calendar.graph import CALLBACK, GRACE, NOW

SECRET = "only we know"  # noqa: S105 - made up


@pytest.fixture(scope="module")
def service() -> Iterator[GraphFake]:
    with GraphFake() as fake:
        yield fake


@pytest.fixture
def fake(service: GraphFake) -> GraphFake:
    service.reset()
    return service


def agreed(fake: GraphFake) -> MemoryTokens:
    """What Grace grants in her browser, from the first address to the tokens."""
    oauth = Microsoft365.oauth(validate(Microsoft365.fields, graph.settings(fake, sign_in="person")))
    assert oauth is not None
    redirect, verifier = "https://chat.acme.example/connected", "v" * 43
    address = agreement_address(oauth, redirect=redirect, state="s1", verifier=verifier)
    answer = requests.get(address, allow_redirects=False, timeout=5)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["s1"]
    http = graph.opened(fake).http
    return MemoryTokens(exchange(http, oauth, code=back["code"][0], redirect=redirect, verifier=verifier))


def test_a_rep_agrees_in_the_browser_and_their_calendars_are_listed(fake: GraphFake):
    tokens = agreed(fake)
    chosen = fake.add_calendar(GRACE, "Shared", writable=False)
    subject = graph.at_clock(graph.settings(fake, sign_in="person"), tokens=tokens)
    check = subject.check()
    assert (check.ok, check.account, check.missing) == (True, GRACE, ())
    assert "Calendars.ReadWrite" in check.granted
    assert [(one.title, one.primary, one.writable) for one in subject.calendars()] == [
        ("Calendar", True, True),
        ("Shared", False, False),
    ]
    assert subject.calendars()[1].id == chosen


def test_no_more_than_the_calendars_is_asked_for(fake: GraphFake):
    oauth = Microsoft365.oauth(validate(Microsoft365.fields, graph.settings(fake, sign_in="person")))
    assert oauth is not None
    basic, asked = {"offline_access", "openid", "profile"}, {scope.rsplit("/", 1)[-1] for scope in oauth.scopes}
    assert asked == {*basic, "Calendars.ReadWrite"}
    assert Microsoft365.oauth(validate(Microsoft365.fields, graph.settings(fake))) is None


def test_a_renewal_asks_for_no_more_than_the_person_agreed_to(fake: GraphFake):
    tokens = agreed(fake)
    oauth = Microsoft365.oauth(validate(Microsoft365.fields, graph.settings(fake, sign_in="person")))
    assert oauth is not None
    fake.expire_access()
    graph.at_clock(graph.settings(fake, sign_in="person"), tokens=tokens).calendars()
    renewal = parse_qs(fake.asked[-2].body.decode())
    assert renewal["grant_type"] == ["refresh_token"]
    assert set(renewal["scope"][0].split()) <= set(oauth.scopes)


def test_consent_without_the_calendars_is_missed_by_name(fake: GraphFake):
    tokens = MemoryTokens({**fake.connected(GRACE), "scope": "User.Read openid"})
    found = graph.at_clock(graph.settings(fake, sign_in="person"), tokens=tokens).check()
    assert (found.ok, found.missing) == (False, ("Calendars.ReadWrite",))


@pytest.mark.parametrize(
    ("scope", "ok"), [("Calendars.Read", False), ("calendars.readwrite", True), ("Calendars.ReadWrite.Shared", True)]
)
def test_consent_to_reading_only_is_refused_before_anything_is_saved(fake: GraphFake, scope: str, ok: bool):
    tokens = MemoryTokens({**fake.connected(GRACE), "scope": f"https://graph.microsoft.com/{scope} openid"})
    found = graph.at_clock(graph.settings(fake, sign_in="person"), tokens=tokens).check()
    assert (found.ok, "write events" in found.message) == (ok, not ok)


def test_eight_calls_at_once_renew_the_token_once(fake: GraphFake):
    tokens = agreed(fake)
    subject = graph.at_clock(graph.settings(fake, sign_in="person"), tokens=tokens)
    before = tokens.load()
    fake.expire_access()
    fake.asked.clear()
    at_once(lambda n: subject.calendars())
    assert len([one for one in fake.asked if one.path.endswith("/token")]) == 1
    after = tokens.load()
    assert after
    assert before
    assert after["refresh_token"] != before["refresh_token"]
    assert after["expires_at"] == NOW.timestamp() + fake.seconds


@pytest.mark.parametrize("sign_in", ["person", "application"])
def test_a_token_about_to_end_is_renewed_before_it_is_used(fake: GraphFake, sign_in: str):
    tokens = MemoryTokens({**fake.connected(GRACE), "expires_at": NOW.timestamp() + 30})
    subject = graph.at_clock(graph.settings(fake, sign_in=sign_in, mailbox=GRACE), tokens=tokens)
    fake.asked.clear()
    subject.calendars()
    assert [one.path.rsplit("/", 1)[-1] for one in fake.asked] == ["openid-configuration", "token", "calendars"]


def test_consent_taken_back_asks_to_connect_again(fake: GraphFake):
    subject = graph.at_clock(graph.settings(fake, sign_in="person"), tokens=agreed(fake))
    fake.withdraw()
    with pytest.raises(AuthError) as caught:
        subject.calendars()
    assert caught.value.vendor_code == "invalid_grant"
    assert not subject.check().ok


def test_a_refresh_token_that_is_not_given_anew_is_kept(fake: GraphFake):
    tokens = agreed(fake)
    before = tokens.load()
    fake.rotates = False
    fake.expire_access()
    subject = graph.at_clock(graph.settings(fake, sign_in="person"), tokens=tokens)
    assert subject.calendars()
    after = tokens.load()
    assert after
    assert before
    assert after["refresh_token"] == before["refresh_token"]
    assert after["access_token"] != before["access_token"]


def test_nobody_who_has_not_connected_has_calendars(fake: GraphFake):
    with pytest.raises(AuthError):
        graph.at_clock(graph.settings(fake, sign_in="person")).calendars()


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"client_secret": "another"}, AuthError),
        ({"client_id": "0000"}, AuthError),
        ({"tenant": "nobody.example"}, ConfigError),
        ({"tenant": ""}, ConfigError),
    ],
)
def test_wrong_settings_of_an_application_are_said(fake: GraphFake, wrong: dict, kind: type[PluginError]):
    subject = graph.opened(fake, **wrong)
    with pytest.raises(kind):
        subject.changes(GRACE)
    check = subject.check()
    assert not check.ok
    assert check.message


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(200, b"<html>sign in</html>", "text/html"), PluginError),
        (Fault(200, b"{}"), Permanent),
        (Fault(503, b""), PluginError),
        (Fault(400, b'{"error": "temporarily_unavailable"}'), PluginError),
    ],
)
@pytest.mark.parametrize("place", ["openid-configuration", "token"])
def test_a_sign_in_that_is_unwell_is_one_of_our_errors(
    fake: GraphFake, fault: Fault, kind: type[PluginError], place: str
):
    fake.faults.add(fault, on=place)
    with pytest.raises(kind):
        graph.opened(fake).changes(GRACE)


def test_an_application_says_whether_the_mailbox_may_be_reached(fake: GraphFake):
    assert graph.opened(fake, mailbox=GRACE).check().ok
    fake.out_of_reach.add(GRACE)
    refused = graph.opened(fake, mailbox=GRACE).check()
    assert (refused.ok, refused.message) == (False, PermissionDenied.sentence)
    assert graph.opened(fake).check().warnings


def test_calendars_of_an_application_are_those_of_its_mailbox(fake: GraphFake):
    assert graph.opened(fake).calendars() == []
    [only] = graph.opened(fake, mailbox=GRACE).calendars()
    subject = graph.opened(fake)
    ref = subject.create(only.id, DEMO, key="k1")
    assert subject.changes(GRACE).items[0].ref.id == ref.id


def test_a_forgotten_place_asks_for_a_new_start_and_an_old_one_too(fake: GraphFake):
    subject = graph.opened(fake)
    cursor = subject.changes(GRACE).cursor
    month_later = graph.opened(fake, now=NOW + timedelta(days=31))
    with pytest.raises(CursorExpired):
        month_later.changes(GRACE, cursor)
    fake.store.forget_tokens()
    with pytest.raises(CursorExpired) as caught:
        subject.changes(GRACE, cursor)
    assert caught.value.http_status == 410


@pytest.mark.parametrize(
    ("status", "kind"), [(410, CursorExpired), (400, CursorExpired), (404, NotFound), (503, Transient)]
)
def test_only_what_is_about_the_place_asks_for_a_new_start(fake: GraphFake, status: int, kind: type[PluginError]):
    subject = graph.opened(fake)
    cursor = subject.changes(GRACE).cursor
    fake.faults.add(Fault(status, b'{"error": {"code": "Whatever", "message": ""}}'), on="delta")
    with pytest.raises(PluginError) as caught:
        subject.changes(GRACE, cursor)
    assert type(caught.value) is kind


def test_our_token_goes_to_no_address_that_a_cursor_names(fake: GraphFake):
    subject = graph.opened(fake)
    place = json.loads(subject.changes(GRACE).cursor)
    fake.asked.clear()
    for link in ("https://evil.example/v1.0/x", fake.url + "@evil.example/v1.0/x", "/v1.0/me"):
        with pytest.raises(CursorExpired):
            subject.changes(GRACE, json.dumps({**place, "link": link}))
    assert fake.asked == []


def test_a_meeting_moved_beyond_the_stretch_that_is_told_of_is_moved_and_not_deleted(fake: GraphFake):
    """Graph calls it removed."""
    subject = graph.opened(fake)
    ref = subject.create(GRACE, DEMO, key="k1")
    cursor = subject.changes(GRACE).cursor
    far = {"dateTime": "2029-03-02T12:00:00", "timeZone": "UTC"}
    fake.change(ref.id, start=far, end={**far, "dateTime": "2029-03-02T12:30:00"})
    moved = subject.changes(GRACE, cursor)
    assert [(one.what, one.start.year) for one in moved.items] == [(Change.CHANGED, 2029)]
    fake.keeps_deleted = True
    fake.remove(ref.id)
    assert [one.what for one in subject.changes(GRACE, moved.cursor).items] == [Change.DELETED]


def test_a_called_off_event_is_deleted_and_a_declined_one_does_not_block(fake: GraphFake):
    subject = graph.opened(fake)
    cursor = subject.changes(GRACE).cursor
    fake.put(GRACE, "2026-03-02T12:00:00", "2026-03-02T12:30:00", isCancelled=True)
    fake.put(GRACE, "2026-03-02T14:00:00", "2026-03-02T14:30:00", responseStatus={"response": "declined"})
    fake.put(GRACE, "2026-03-02T15:00:00", "2026-03-02T15:30:00", type="seriesMaster")
    found = subject.changes(GRACE, cursor).items
    assert [(one.what, one.blocks) for one in found] == [(Change.DELETED, True), (Change.CHANGED, False)]


class Ear(Fake):
    """Usher's address, where the adapter hears what Graph says."""

    subject: Microsoft365
    heard: list

    @on("POST", "/v1/hooks/con_1")
    def hook(self, request: Request) -> Response:
        call = HookCall(request.method, request.url, request.headers, request.get_data(), NOW, SECRET)
        try:
            heard = self.subject.hear(call)
        except PluginError as error:
            return Response(error.code, status=403)
        self.heard += heard.messages
        return Response(heard.body, status=heard.status, content_type=heard.content_type)


def test_graph_tries_the_address_and_tells_of_changes_in_the_watched_calendar_only(fake: GraphFake):
    subject = graph.by_person(fake)
    chosen = fake.add_calendar(GRACE, "Sales / Demos")
    with Ear() as ear:
        ear.subject, ear.heard = subject, []
        watch = subject.watch(chosen, f"{ear.url}/v1/hooks/con_1", SECRET)
        assert NOW < watch.expires_at <= NOW + timedelta(minutes=10_080)
        fake.put(GRACE, "2026-03-02T12:00:00", "2026-03-02T12:30:00")
        subject.create(chosen, DEMO, key="k1")
        assert fake.tell() == [202]
        assert [subject.told(one.data) for one in ear.heard] == [watch.id]
        assert SECRET not in json.dumps([dict(one.data) for one in ear.heard])
        subject.unwatch(watch)
        subject.unwatch(watch)
        subject.create(chosen, at(15), key="k2")
        assert fake.tell() == []


def test_an_address_that_does_not_answer_the_handshake_is_not_watched_from(fake: GraphFake):
    with Ear() as ear, pytest.raises(PluginError):
        graph.by_person(fake).watch("primary", f"{ear.url}/nowhere", SECRET)


def test_what_concerns_the_subscription_itself_is_heard_and_rights_are_shown_again(fake: GraphFake):
    subject = graph.by_person(fake)
    watch = subject.watch("primary", CALLBACK, SECRET)
    for event in ("reauthorizationRequired", "missed", "subscriptionRemoved"):
        fake.lifecycle(watch.id, event)
    body = json.dumps({"value": fake.untold}).encode()
    call = HookCall("POST", CALLBACK, {}, body, NOW, SECRET)
    heard = subject.hear(call)
    fake.subscriptions[watch.id] = {}
    assert {subject.told(one.data) for one in heard.messages} == {watch.id}
    assert fake.reauthorized == [watch.id]
    names = [one.id for one in heard.messages]
    assert [one.id for one in subject.hear(call).messages] == names
    later = subject.hear(replace(call, at=NOW + timedelta(hours=2)))
    assert not set(names) & {one.id for one in later.messages}


def test_one_forged_notification_among_good_ones_refuses_the_call(fake: GraphFake):
    subject = graph.by_person(fake)
    watch = Watch("sub-1", NOW)
    calls = [graph.notification(fake, watch, secret=said, at=NOW, event=1) for said in (SECRET, "guessed")]
    both = json.dumps({"value": [json.loads(one.body)["value"][0] for one in calls]}).encode()
    with pytest.raises(PermissionDenied):
        subject.hear(HookCall("POST", CALLBACK, {}, both, NOW, SECRET))
    with pytest.raises(PermissionDenied):
        subject.hear(HookCall("POST", CALLBACK, {}, calls[0].body, NOW, ""))


def test_a_secret_that_graph_would_cut_is_refused(fake: GraphFake):
    for secret in ("", "x" * 129):
        with pytest.raises(InvalidInput):
            graph.by_person(fake).watch("primary", CALLBACK, secret)
