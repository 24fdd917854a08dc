"""Every door of the console, for every role and for nobody. A door that is not in the table fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from flask import Flask

from server import clock
from tests.conftest import MONDAY_MORNING
from tests.console.conftest import TOKEN, Desk
from tests.console.story import ROLES, Story

EVERYBODY = tuple(ROLES)
DESKS = ("owner", "marketing", "supervisor")
REPS = ("grace", "dennis")
WATCHERS_AND_GRACE = (*DESKS, "grace")
WATCHERS_AND_DENNIS = (*DESKS, "dennis")
TALKERS = ("owner", "supervisor", "dennis")
OPEN = {"console.static", "console.scripts.script", "console.sign_in.show", "console.sign_in.enter"}

# Path, who may, and how others are refused: 403 for a deed their role has not, 404 for a thing they must not know of.
# `marketing` sees conversations and meetings but has no part in them: 403 beside the reps' 404.
LOOKS: list[tuple[str, tuple[str, ...], int]] = [
    ("/", EVERYBODY, 0),
    ("/account", EVERYBODY, 0),
    ("/conversations", EVERYBODY, 0),
    ("/conversations/{with_ada}", WATCHERS_AND_GRACE, 404),
    ("/conversations/{with_ada}/messages", WATCHERS_AND_GRACE, 404),
    ("/conversations/{waiting}", WATCHERS_AND_DENNIS, 404),
    ("/conversations/{of_linus}", DESKS, 404),
    ("/conversations/{of_linus}/messages", DESKS, 404),
    ("/leads", EVERYBODY, 0),
    ("/leads/{ada}", WATCHERS_AND_GRACE, 404),
    ("/leads/{zoe}", EVERYBODY, 0),
    ("/leads/{owned_by_linus}", DESKS, 404),
    ("/leads/{ada}/connect", WATCHERS_AND_GRACE, 404),
    ("/leads/{ada}/data", ("owner",), 403),
    ("/erasures", ("owner",), 403),
    ("/meetings", EVERYBODY, 0),
    ("/meetings/{meeting}", WATCHERS_AND_GRACE, 404),
    ("/meetings/{meeting}/move", ("owner", "supervisor", "grace"), 404),
    ("/meetings/{meeting}/give", ("owner", "supervisor", "grace"), 404),
    ("/availability", ("owner", "supervisor", "grace", "dennis"), 403),
    ("/availability/acme/grace", ("owner", "supervisor", "grace"), 403),
    ("/availability/acme/grace/{block}", ("owner", "supervisor", "grace"), 403),
    ("/availability/why", ("owner", "supervisor", "grace", "dennis"), 403),
    ("/rotation", EVERYBODY, 0),
    ("/calendars", EVERYBODY, 0),
    ("/my-calendar", REPS, 403),
    ("/my-calendar/connect/caldav", REPS, 403),
    ("/rotation/acme/enterprise", WATCHERS_AND_GRACE, 404),
    ("/crm/acme", DESKS, 403),
    ("/crm/acme/try", ("owner", "marketing"), 403),
    ("/crm/acme/compare", DESKS, 403),
    ("/crm/acme/news", DESKS, 403),
    ("/versions", DESKS, 403),
    ("/versions/acme/1", DESKS, 403),
    ("/versions/acme/1.zip", DESKS, 403),
    ("/deliveries", DESKS, 403),
    ("/deliveries/{dead}", DESKS, 403),
    ("/users", ("owner",), 403),
    ("/signed-in", ("owner",), 403),
    ("/adapters", DESKS, 403),
    ("/adapters/calendar.caldav", DESKS, 403),
    ("/enrichment/acme", DESKS, 403),
    ("/connections", DESKS, 403),
    ("/connections/{connection}", DESKS, 403),
    ("/connections/choose", ("owner",), 403),
    ("/alerts", DESKS, 403),
    ("/connections/new/crm/hubspot", ("owner",), 403),
]
DEEDS: list[tuple[str, tuple[str, ...], int]] = [
    ("/signed-in/keys", ("owner",), 403),
    ("/signed-in/keys/{key}/revoke", ("owner",), 403),
    ("/connections/new/calendar/caldav", ("owner",), 403),
    ("/connections/{connection}", ("owner",), 403),
    ("/alerts/try", ("owner",), 403),
    ("/connections/{connection}/check", ("owner",), 403),
    ("/connections/{connection}/sign-in", ("owner",), 403),
    ("/connections/{connection}/disconnect", ("owner",), 403),
    ("/my-calendar/connect/caldav", REPS, 403),
    ("/my-calendar/{connection}/choose", (), 403),
    ("/my-calendar/{connection}/look", (), 403),
    ("/account/password", EVERYBODY, 0),
    ("/site", EVERYBODY, 0),
    ("/conversations/{waiting}/take-over", TALKERS, 404),
    ("/conversations/{waiting}/reply", TALKERS, 404),
    ("/conversations/{waiting}/give-back", TALKERS, 404),
    ("/conversations/{of_linus}/take-over", ("owner", "supervisor"), 404),
    ("/conversations/{of_linus}/reply", ("owner", "supervisor"), 404),
    ("/conversations/{of_linus}/give-back", ("owner", "supervisor"), 404),
    ("/leads/{ada}/disqualify", ("owner", "supervisor", "grace"), 404),
    ("/leads/{ada}/company", WATCHERS_AND_GRACE, 404),
    ("/leads/{ada}/company/disconnect", WATCHERS_AND_GRACE, 404),
    ("/leads/{ada}/record", WATCHERS_AND_GRACE, 404),
    ("/leads/{ada}/record/disconnect", WATCHERS_AND_GRACE, 404),
    ("/leads/{ada}/email", WATCHERS_AND_GRACE, 404),
    ("/leads/{zoe}/claim", ("owner", "supervisor", "grace", "dennis"), 403),
    ("/rotation/acme/enterprise/calibrate", ("owner", "supervisor"), 403),
    ("/leads/{ada}/data/export", ("owner",), 403),
    ("/leads/{ada}/data/erase", ("owner",), 403),
    ("/meetings/{meeting}/cancel", ("owner", "supervisor", "grace"), 404),
    ("/meetings/{meeting}/end", ("owner", "supervisor", "grace"), 404),
    ("/meetings/{meeting}/move", ("owner", "supervisor", "grace"), 404),
    ("/meetings/{meeting}/give", ("owner", "supervisor", "grace"), 404),
    ("/availability/acme/grace", ("owner", "supervisor", "grace"), 403),
    ("/availability/acme/grace/{second_block}/remove", ("owner", "supervisor", "grace"), 403),
    ("/crm/acme", ("owner", "marketing"), 403),
    ("/crm/acme/try", ("owner", "marketing"), 403),
    ("/crm/acme/compare", ("owner", "marketing"), 403),
    ("/enrichment/acme/report", ("owner", "marketing"), 403),
    ("/crm/acme/compare/{report}/repair", ("owner", "marketing"), 403),
    ("/crm/acme/news", ("owner", "marketing"), 403),
    ("/crm/acme/news/retry", ("owner", "marketing"), 403),
    ("/versions/acme/1/rollback", ("owner", "marketing"), 403),
    ("/deliveries/{dead}/retry", ("owner", "marketing"), 403),
    ("/deliveries/{dead}/withdraw", ("owner", "marketing"), 403),
    ("/deliveries/connections/{connection}/retry", ("owner", "marketing"), 403),
    ("/users", ("owner",), 403),
    ("/users/{dennis}/role", ("owner",), 403),
    ("/users/{dennis}/password", ("owner",), 403),
    ("/users/{dennis}/deactivate", ("owner",), 403),
    ("/users/{dennis}/activate", ("owner",), 403),
]
PAGES_OF_DEEDS = ("/move", "/give")
# Everybody's: what comes back is judged by who left (test_connections.py); one site alone is gone on to.
ON_THE_WAY = ["/connections/callback", "/crm", "/enrichment"]
ENDINGS = ["/sign-out", "/account/sign-out-everywhere"]
FORMS = {
    "/keys": {"site": "acme"},
    "/end": {"result": "done"},
    "/move": {"start": "2026-03-03T09:00:00Z"},
    "/availability/acme/grace": {"kind": "away", "from": "2026-05-04", "zone": "UTC"},
    "/role": {"role": "rep", "rep": "dennis"},
    "/reply": {"text": "Hello"},
    "/alerts/try": {"site": "acme", "alert": "wants-to-talk"},
}


@pytest.fixture(scope="module")
def one_app(open_app: Callable[[Path], Flask], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with clock.stopped_at(MONDAY_MORNING):
        built = open_app(tmp_path_factory.mktemp("access"))
        built.config["RATELIMIT_ENABLED"] = False
        yield built
    built.extensions["usher_db"].close()


@pytest.fixture(scope="module")
def desks(one_app: Flask) -> dict[str, Desk]:
    """One signed-in browser for each role. The owner comes last: they shut Dennis out."""
    return {name: Desk(one_app, f"{name}@acme.example") for name in EVERYBODY}


def filled(path: str, story: Story) -> str:
    return path.format(**{**asdict(story), "dennis": story.users["dennis"].id})


def refusal(path: str, who: str, status: int) -> int:
    """Who sees everything but may not take part learns that it is the role."""
    return 403 if who == "marketing" else status


@pytest.mark.parametrize("who", ["marketing", "supervisor", "grace", "dennis", "owner"])
@pytest.mark.parametrize(("path", "allowed", "status"), LOOKS)
def test_whoever_may_look_sees_it_and_others_do_not(desks, story, path, allowed, status, who):
    found = desks[who].get(filled(path, story)).status_code
    refused = refusal(path, who, status) if path.endswith(PAGES_OF_DEEDS) else status
    assert found in ({200, 204} if who in allowed else {refused}), (who, path)


@pytest.mark.parametrize(("path", "allowed", "status"), DEEDS)
@pytest.mark.parametrize("who", ["marketing", "supervisor", "grace", "dennis", "owner"])
def test_whoever_may_do_it_is_sent_on_and_others_are_refused(desks, story, path, allowed, status, who):
    form = next((fields for end, fields in FORMS.items() if path.endswith(end)), {})
    found = desks[who].post(filled(path, story), form).status_code
    expected = {200, 201, 303, 409, 422} if who in allowed else {refusal(path, who, status)}
    assert found in expected, (who, path)


@pytest.mark.parametrize("path", [path for path, _, _ in LOOKS])
def test_nobody_is_asked_to_sign_in_and_comes_back_to_where_they_were_going(one_app, story, path):
    found = Desk(one_app).get(filled(path, story))
    assert found.status_code == 302
    assert found.location.startswith("/sign-in")


@pytest.mark.parametrize("path", [*(path for path, _, _ in DEEDS), *ENDINGS])
def test_nobody_can_do_anything(one_app, story, path):
    assert Desk(one_app).post(filled(path, story)).status_code == 401


@pytest.mark.parametrize("path", [*(path for path, _, _ in DEEDS), *ENDINGS, "/sign-in"])
def test_no_deed_is_done_without_the_token_of_a_page(one_app, desks, story, path):
    client = desks["owner"].client if path != "/sign-in" else one_app.test_client()
    assert client.post(filled(path, story)).status_code == 400
    assert client.post(filled(path, story), data={"csrf_token": "made up"}).status_code == 400
    assert desks["owner"].get("/").status_code == 200


def test_the_token_of_one_session_is_no_good_in_another(one_app, desks):
    token = TOKEN.search(desks["marketing"].text("/account"))
    assert token is not None
    assert desks["owner"].client.post("/site", data={"csrf_token": token[1]}).status_code == 400


def test_every_door_is_in_the_table(one_app):
    patterns = {"GET": [path for path, _, _ in LOOKS] + ON_THE_WAY, "POST": [path for path, _, _ in DEEDS] + ENDINGS}
    missing = []
    for rule in one_app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and rule.endpoint not in OPEN:
            method = "POST" if "POST" in rule.methods else "GET"
            shape = re.compile(
                re.sub(r"<[^>]+>", r"[^/]+?", re.escape(rule.rule).replace(r"\<", "<").replace(r"\>", ">"))
            )
            if not any(shape.fullmatch(re.sub(r"\{\w+\}", "x", path)) for path in patterns[method]):
                missing.append((method, rule.rule))
    assert missing == []
