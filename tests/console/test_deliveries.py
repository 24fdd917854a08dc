"""Deliveries on the desk: what went wrong in words, no secrets, trying again."""

from __future__ import annotations

import pytest

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
