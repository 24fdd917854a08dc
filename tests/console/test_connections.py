"""Connecting at the console: a form from the adapter's fields, the way to the service and back, and who may do it."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from plugins.crm import CRM
from plugins.errors import AuthError
from plugins.fields import Field, Type
from plugins.testing.fakes import Fault
from server import clock, ids, settings
from server.adapters import connections, store
from server.adapters.connection import Connection
from server.config import service as config
from server.console import connection_forms as forms
from server.events import SYSTEM
from server.people import service as people
from server.routing.team import Team
from tests.adapters import rolodex
from tests.adapters.rolodex import KEY, RolodexFake
from tests.console.story import PASSWORD

NEW = "/connections/new/crm/rolodex"


@pytest.fixture(scope="module")
def running():
    with rolodex.offered(), RolodexFake() as fake:
        yield fake


@pytest.fixture
def service(running, monkeypatch):
    running.reset()
    running.redirects = {"http://127.0.0.1:8000/connections/callback"}
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    yield running
    monkeypatch.undo()
    settings.get.cache_clear()


def form(service, **more):
    return {"site": "acme", "base_url": service.url, **more}


def app_of(service, **more):
    return form(service, client_id=service.client_id, client_secret=service.client_secret, **more)


def listed(db, story):
    with db.reading() as tx:
        return [one for one in connections.all_of(tx, story.site_id) if one.name != "caldav"]


def agree(desk, answer, *, back=True):
    """Follow the page to the service, agree there, and come back."""
    assert answer.status_code == 200, answer.text
    address = html.unescape(re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)[1])
    there = requests.get(address, allow_redirects=False, timeout=5).headers["Location"]
    path = there.removeprefix("http://127.0.0.1:8000")
    return desk.get(path) if back else path


def own_calendar(db, story, rep):
    """A rep signs in at the service from their own page."""
    with db.reading() as tx:
        by = next(one for one in people.everybody(tx) if one.rep == rep).actor
        version = config.active_of(tx, story.site_id)
    fresh = connections.draft(db, version, "calendar", "wallchart", rep=rep, actor=by)
    there = requests.get(connections.begin(db, fresh, browser="b", actor=by), allow_redirects=False, timeout=5)
    asked = parse_qs(urlsplit(there.headers["Location"]).query)
    answer = connections.Answer(asked["state"][0], asked["code"][0])
    return connections.finish(db, answer, browser="b", actor=by)


def test_an_owner_connects_with_a_key_and_sees_the_account(desk, db, story, service):
    owner = desk("owner")
    assert "Rolodex" in owner.text("/connections/choose")
    assert "People on cards." in owner.text(NEW)
    made = owner.post(NEW, form(service, api_key=KEY))
    assert made.status_code == 303
    page = owner.text(made.location)
    assert "robot@service.example" in page
    assert "Rolodex is connected as robot@service.example." in page
    assert KEY not in page
    assert '<span class="chip good">Set</span>' in page
    assert [one.label for one in listed(db, story)] == ["robot@service.example"]


def test_a_key_of_another_account_begins_another_connection_and_the_page_says_so(desk, db, story, service):
    owner = desk("owner")
    first = owner.post(NEW, form(service, api_key=KEY)).location
    assert owner.post(first, form(service, folder="others")).location == first
    service.robot = "robot@another.example"
    now = owner.post(first, form(service, api_key=KEY)).location
    assert now != first
    assert "It is another account than before" in owner.text(now)
    assert "Ended" in owner.text(first)
    assert [one.label for one in listed(db, story)] == ["robot@another.example"]


def test_an_owner_signs_in_at_the_service_and_comes_back_connected(desk, db, story, service):
    owner = desk("owner")
    found = agree(owner, owner.post(NEW, app_of(service)))
    assert found.status_code == 303
    page = owner.text(found.location)
    assert "Rolodex is connected as ada@service.example." in page
    assert "people.write" in page
    assert service.client_secret not in page


def test_what_the_service_does_not_accept_stays_on_the_form_without_the_secret(desk, db, story, service):
    refused = desk("owner").post(NEW, form(service, api_key="wrong-key-of-mine", folder="cards"))
    assert refused.status_code == 422
    assert "The service does not accept these credentials." in refused.text
    assert 'value="cards"' in refused.text
    assert "wrong-key-of-mine" not in refused.text
    assert listed(db, story) == []


def test_a_field_that_is_wrong_says_so_beside_it(desk, service):
    refused = desk("owner").post(NEW, {"site": "acme", "base_url": "rolodex"})
    assert 'aria-invalid="true"' in refused.text
    assert "must be an address" in refused.text


def test_who_denies_reads_a_sentence_where_they_were(desk, db, story, service):
    owner, service.denies = desk("owner"), True
    found = agree(owner, owner.post(NEW, app_of(service)))
    assert found.location.startswith(NEW)
    (one,) = listed(db, story)
    assert (one.state, owner.get(found.location).location) == ("draft", f"/connections/{one.id}")
    page = owner.text(f"/connections/{one.id}")
    assert "You did not agree at the service" in page
    assert f'value="{service.client_id}"' in page
    assert service.client_secret not in page


def test_what_was_entered_for_a_working_connection_is_there_again_when_signing_in_is_denied(desk, service, monkeypatch):
    owner = desk("owner")
    path = agree(owner, owner.post(NEW, app_of(service, folder="cards"))).location
    monkeypatch.setattr(service, "client_id", "another application")
    service.denies = True
    assert agree(owner, owner.post(path, app_of(service, folder="people of ours"))).location == path
    page = owner.text(path)
    assert "You did not agree at the service" in page
    assert "What you entered is not kept yet" in page
    assert re.search(r'name="folder"[^>]* value="people of ours"', page)
    assert 'value="another application"' in page
    assert service.client_secret not in page
    later = owner.text(path)
    assert re.search(r'name="folder"[^>]* value="cards"', later), "what serves, from then on"
    assert "is not kept yet" not in later


def test_what_was_entered_is_forgotten_when_signing_in_ends_well(desk, service, monkeypatch):
    owner = desk("owner")
    path = agree(owner, owner.post(NEW, app_of(service))).location
    monkeypatch.setattr(service, "client_id", "another application")
    now = agree(owner, owner.post(path, app_of(service, folder="people of ours"))).location
    page = owner.text(now)
    assert "is not kept yet" not in page
    assert re.search(r'name="folder"[^>]* value="people of ours"', page)


def test_a_box_that_was_unticked_stays_so_on_a_form_that_is_shown_again():
    class Boxes(CRM):
        fields = (
            Field("fast", "Fast", Type.BOOLEAN, default=True),
            Field("folder", "Folder", default="all"),
            Field("key", "Key", secret=True),
        )

    sent = forms.entered(Boxes, MultiDict({"folder": "", "key": "secret"}))
    assert forms.as_typed(Boxes, sent.settings) == {"fast": "", "folder": "all"}
    ticked = forms.entered(Boxes, MultiDict({"fast": "true", "folder": "cards"}))
    assert forms.as_typed(Boxes, ticked.settings) == {"fast": "true", "folder": "cards"}


def test_more_than_a_session_holds_is_not_remembered(desk, service, monkeypatch):
    owner = desk("owner")
    path = agree(owner, owner.post(NEW, app_of(service))).location
    monkeypatch.setattr(service, "client_id", "another application")
    service.denies = True
    agree(owner, owner.post(path, app_of(service, folder="x" * 3000)))
    assert "is not kept yet" not in owner.text(path)


def test_permissions_that_lack_are_named(desk, db, story, service):
    owner, service.granted = desk("owner"), ("people.read",)
    agree(owner, owner.post(NEW, app_of(service)))
    assert "people.write" in owner.said()
    assert [one.state for one in listed(db, story)] == ["draft"]


def test_a_way_back_that_was_used_or_stolen_connects_nothing(desk, db, story, service):
    owner, thief = desk("owner"), desk("owner")
    path = agree(owner, owner.post(NEW, app_of(service)), back=False)
    thief.get(path)
    assert "another browser" in thief.said()
    assert listed(db, story) == []
    assert "/connections/con_" in owner.get(path).location
    owner.said()
    thief.get(path)
    assert "has ended" in thief.said()
    assert len(listed(db, story)) == 1


def test_who_goes_back_and_agrees_once_more_reads_that_it_is_connected_already(desk, db, story, service):
    owner = desk("owner")
    path = agree(owner, owner.post(NEW, app_of(service)), back=False)
    owner.get(path)
    owner.said()
    owner.get(path)
    assert "Rolodex is connected already, as ada@service.example." in owner.said()
    (one,) = listed(db, story)
    connections.disconnect(db, one.id, actor=SYSTEM)
    owner.get(path)
    assert "has ended" in owner.said()


def test_nobody_is_sent_away_to_agree_while_another_crm_serves(desk, db, story, service):
    owner = desk("owner")
    owner.post(NEW, form(service, api_key=KEY))
    with db.transaction() as tx:
        tx.execute(text("UPDATE connections SET name = 'another'"))
    found = owner.post(NEW, app_of(service))
    assert found.status_code == 409
    assert "serves already" in found.text
    assert "is not kept yet" not in owner.text(NEW)


def test_an_owner_who_became_a_rep_meanwhile_connects_nothing(desk, db, story, service):
    owner = desk("owner")
    path = agree(owner, owner.post(NEW, app_of(service)), back=False)
    people.add(db, email="ulla@acme.example", name="Ulla", password=PASSWORD, role="owner")
    with db.reading() as tx:
        mine = next(one for one in people.everybody(tx) if one.email == "owner@acme.example")
    people.change_role(db, mine.id, "rep", "", SYSTEM)
    assert owner.get(path).status_code in (302, 403)
    assert listed(db, story) == []


def test_a_broken_connection_is_on_every_page_until_somebody_signs_in_again(desk, db, story, service):
    owner = desk("owner")
    agree(owner, owner.post(NEW, app_of(service)))
    (one,) = listed(db, story)
    owner.said()
    with db.transaction() as tx:
        connections.failed(tx, one.id, AuthError("401"))
    for who in ("owner", "marketing", "supervisor"):
        assert "Rolodex is broken: The service no longer accepts our sign-in" in desk(who).text("/leads")
    assert "Rolodex is broken" not in desk("grace").text("/leads")
    assert "Connect it again" in owner.text("/leads")
    found = agree(owner, owner.post(f"/connections/{one.id}/sign-in"))
    assert found.location.endswith(one.id)
    assert "is broken" not in owner.text("/leads")


def test_a_test_says_whether_it_works(desk, db, story, service):
    owner = desk("owner")
    owner.post(NEW, form(service, api_key=KEY))
    (one,) = listed(db, story)
    owner.said()
    owner.post(f"/connections/{one.id}/check")
    assert "It works: robot@service.example." in owner.said()
    service.faults.add(Fault(status=503), on="GET /me")
    owner.post(f"/connections/{one.id}/check")
    assert "does not answer right now" in owner.said()
    assert listed(db, story)[0].state == "working"


def test_disconnecting_asks_the_service_to_forget_us(desk, db, story, service):
    owner = desk("owner")
    agree(owner, owner.post(NEW, app_of(service)))
    (one,) = listed(db, story)
    assert "Disconnect Rolodex" in owner.text(f"/connections/{one.id}")
    owner.said()
    assert owner.post(f"/connections/{one.id}/disconnect").status_code == 303
    assert service.grants[0].ended
    assert "its secrets are deleted" in owner.said()
    assert "Ended" in owner.text(f"/connections/{one.id}")
    assert listed(db, story) == []
    owner.post(f"/connections/{one.id}/disconnect")
    assert "Rolodex had ended already." in owner.said()


def test_a_rep_connects_their_own_calendar_and_nobody_elses(desk, db, story, service):
    owner, grace, dennis = desk("owner"), desk("grace"), desk("dennis")
    app = {**app_of(service), "later": "1"}
    kept = owner.post("/connections/new/calendar/wallchart", app)
    page = owner.text(kept.location)
    assert "Not connected yet" in page
    assert re.search(r"<dt>Kept</dt><dd>.*by owner@acme.example|<dt>Kept</dt><dd>.*by Owner", page)
    assert "<dt>Connected</dt>" not in page
    own = own_calendar(db, story, "grace")
    path = f"/connections/{own.id}"
    assert "ada@service.example" in grace.text(path)
    assert [desk(who).get(path).status_code for who in ("owner", "marketing", "supervisor")] == [200, 200, 200]
    assert dennis.get(path).status_code == 403
    for who in (dennis, owner):
        assert who.post(f"{path}/check").status_code == 403
        assert who.post(f"{path}/sign-in").status_code == 403
    assert grace.post(f"{path}/check").status_code == 303
    assert dennis.post(f"{path}/disconnect").status_code == 403
    with db.transaction() as tx:
        connections.failed(tx, own.id, AuthError("401"))
    assert "Your calendar (Wallchart) is no longer connected" in grace.text("/leads")
    assert "Wallchart" not in dennis.text("/leads")
    assert owner.post(f"{path}/disconnect").status_code == 303, "an owner can end what a rep has left behind"


def test_the_calendar_of_a_rep_who_left_the_team_is_pointed_out(desk, db, story):
    with db.transaction() as tx:
        version = config.active_of(tx, story.site_id)
        for rep in ("grace", "gone"):
            new, at = ids.new_id("connection"), clock.now()
            of = Connection(new, story.site_id, "calendar", "caldav", rep, label=rep, created_at=at, created_by="Olga")
            store.add(tx, of.as_row())
    assert "grace" in {one.id for one in version.part(Team).reps}
    assert desk("owner").text("/connections").count("no longer on the team") == 1
