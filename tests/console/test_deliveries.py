"""Deliveries on the desk: what went wrong in words, no secrets, trying again."""

from __future__ import annotations

import re

import pytest

from plugins.errors import AuthError, InvalidInput
from server.console.redaction import redacted
from server.outbox import service as outbox


def test_a_failed_delivery_says_why_and_hides_the_visitors_link(desk, story):
    page = desk("owner").text(f"/deliveries/{story.dead}")
    assert "The mail server does not know this address." in page
    assert "secretTokenOfTheVisitor" not in page
    assert "https://usher.example/m/•••" in page


def test_keys_of_what_was_sent_and_answered_are_hidden(desk, story):
    page = desk("owner").text(f"/deliveries/{story.done}")
    assert "ada@globex.example" in page
    assert "hush" not in page
    assert "opensesame" not in page


def test_the_list_can_be_narrowed_to_what_failed(desk, story):
    owner = desk("owner")
    assert story.done in owner.text("/deliveries")
    failed = owner.text("/deliveries?state=dead")
    assert story.dead in failed
    assert story.done not in failed
    assert story.dead in owner.text("/")
    assert owner.get("/deliveries?state=odd").status_code == 200


def test_a_failed_one_is_tried_again_and_a_done_one_is_not(desk, db, story):
    marketing = desk("marketing")
    marketing.post(f"/deliveries/{story.dead}/retry")
    with db.reading() as tx:
        assert outbox.get(tx, story.dead).state == "waiting"
    marketing.post(f"/deliveries/{story.done}/retry")
    assert "This delivery is done or on its way" in marketing.said()
    assert "Try again now" not in desk("supervisor").text(f"/deliveries/{story.dead}")
    assert marketing.get("/deliveries/dlv_nothing").status_code == 404


@pytest.fixture
def stuck(db, story):
    """Two for a connection whose sign-in is refused, and one whose value the service does not take."""
    with db.transaction() as tx:
        site_id = outbox.latest(tx, limit=1)[0].site_id
        for key in ("one", "two", "bad"):
            outbox.queue(tx, site_id=site_id, kind="crm", operation="upsert_person", payload={}, key=key)

    def refuse(delivery):
        problem = InvalidInput("no such country") if delivery.key == "bad" else AuthError("401")
        problem.connection_id = story.connection
        raise problem

    outbox.deliver_due(db, refuse)
    with db.reading() as tx:
        return {key: outbox.by_key(tx, key).id for key in ("one", "two", "bad")}


def states(db, stuck):
    with db.reading() as tx:
        return {key: outbox.get(tx, id).state for key, id in stuck.items()}


def test_what_waits_for_a_person_is_shown_by_connection_with_the_reason_and_who_must_act(desk, db, story, stuck):
    with db.reading() as tx:
        (of,) = [one for one in outbox.stuck(tx) if one.connection_id == story.connection]
    assert (of.paused >= 2, of.dead) == (True, 1)
    page = desk("owner").text("/deliveries")
    waiting = page[page.index("Waiting for a person") : page.index('aria-label="Deliveries"')]
    assert f'/connections/{story.connection}"' in waiting
    assert "The owner of the connection" in waiting
    assert re.search(rf'data-label="Paused"[^>]*>{of.paused}<.*data-label="Failed"[^>]*>1<', waiting, re.DOTALL)
    assert "Whoever gave the value or maps it must act" in page


def test_a_paused_one_leads_to_its_connection_and_goes_on_by_itself(desk, story, stuck):
    page = desk("owner").text(f"/deliveries/{stuck['one']}")
    assert "It goes on by itself when" in page
    assert page.count(f'/connections/{story.connection}"') == 2
    assert stuck["one"] in desk("owner").text(f"/deliveries?state=paused&connection={story.connection}")
    assert stuck["one"] not in desk("owner").text("/deliveries?connection=con_other")


def test_all_of_a_connection_are_tried_again_by_one_press(desk, db, story, stuck):
    marketing = desk("marketing")
    marketing.post(f"/deliveries/connections/{story.connection}/retry")
    assert "deliveries are tried again now" in marketing.said()
    assert states(db, stuck) == dict.fromkeys(stuck, "waiting")
    assert "Try all again" not in desk("supervisor").text("/deliveries")


def test_one_is_withdrawn_and_a_done_one_is_not(desk, db, story, stuck):
    owner = desk("owner")
    owner.post(f"/deliveries/{stuck['one']}/withdraw")
    assert states(db, stuck) == {"one": "withdrawn", "two": "paused", "bad": "dead"}
    assert "Try again now" not in owner.text(f"/deliveries/{stuck['one']}")
    owner.post(f"/deliveries/{story.done}/withdraw")
    assert "This delivery is done or on its way" in owner.said()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"api_key": "x", "Authorization": "y", "name": "z"}, {"api_key": "•••", "Authorization": "•••", "name": "z"}),
        ({"list": [{"client_secret": "x"}, "Bearer abcdefghij"]}, {"list": [{"client_secret": "•••"}, "Bearer •••"]}),
        ("see /m/abcdefgh1234 and /menu", "see /m/••• and /menu"),
        ({"password": ""}, {"password": ""}),
        (7, 7),
    ],
)
def test_secrets_are_known_by_name_and_by_shape(given, shown):
    assert redacted(given) == shown
