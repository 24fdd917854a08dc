"""A visitor is met again by the secret of their browser; what they looked at is kept in order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from server.db import Database
from server.visitors import service as visitors
from server.visitors.service import Arrival
from server.visitors.tables import visitors as table

GOOGLE = {"referrer": "https://www.google.com/search", "utm": {"source": "newsletter", "campaign": "spring"}}


def arrival(path="/pricing", *, pages=(), data=None, count=1, **page):
    return Arrival(
        "desktop", "en", "UTC", "seed", {"path": path, **page}, {"count": count, "pages": list(pages)}, data or {}
    )


def arrive(db: Database, token=None, **about):
    with db.transaction() as tx:
        return visitors.arrive(tx, "sit_1", token, arrival(**about))


def paths(db, visitor):
    with db.reading() as tx:
        return [page.path for page in reversed(visitors.pages_of(tx, visitor.id))]


def test_the_token_is_given_once_and_only_its_digest_is_kept(db):
    visitor, token = arrive(db)
    again, no_token = arrive(db, token)
    assert (again.id, no_token) == (visitor.id, None)
    assert token not in repr(visitor)


def test_a_token_that_is_not_ours_makes_a_new_visitor(db):
    first, _ = arrive(db)
    other, token = arrive(db, "made up")
    assert other.id != first.id
    assert token


def test_a_token_of_one_site_is_nobody_on_another(db):
    first, token = arrive(db)
    with db.transaction() as tx:
        other, _ = visitors.arrive(tx, "sit_2", token, arrival())
    assert other.id != first.id


def test_pages_seen_before_the_chat_come_first_and_the_present_one_once(db):
    seen = [{"path": "/", "seconds": 12, "scroll": 80, "words": 300}, {"path": "/pricing", "seconds": 3}]
    visitor, _ = arrive(db, pages=seen)
    assert paths(db, visitor) == ["/", "/pricing"]
    with db.reading() as tx:
        home = visitors.pages_of(tx, visitor.id)[-1]
    assert (home.seconds, home.scroll_percent, home.words) == (12, 80, 300)


def test_going_on_to_another_page_is_one_more_page_and_staying_is_none(db, monday):
    visitor, _ = arrive(db)
    monday.advance(timedelta(seconds=40))
    for path in ("/pricing", "/security", "/security"):
        with db.transaction() as tx:
            visitors.see_page(tx, visitor, {"path": path})
    assert paths(db, visitor) == ["/pricing", "/security"]
    with db.reading() as tx:
        assert visitors.pages_of(tx, visitor.id)[-1].seconds == 40


def test_first_and_last_touch_are_kept_apart(db, monday):
    visitor, token = arrive(db, **GOOGLE)
    monday.advance(timedelta(days=3))
    arrive(db, token, path="/demo", count=2)
    with db.reading() as tx:
        touch = visitors.attribution(tx, visitor.id)
    assert (touch["first"]["source"], touch["first"]["campaign"]) == ("newsletter", "spring")
    assert (touch["last"]["source"], touch["last"]["landing_path"]) == ("direct", "/demo")


def test_a_visit_within_half_an_hour_is_the_same_session(db, monday):
    visitor, token = arrive(db, **GOOGLE)
    monday.advance(timedelta(minutes=20))
    arrive(db, token, path="/demo")
    with db.reading() as tx:
        assert visitors.attribution(tx, visitor.id)["last"]["source"] == "newsletter"


@pytest.mark.parametrize("odd", [float("inf"), float("nan"), -5, "many", None, [], {}, 10**30])
def test_odd_numbers_from_a_browser_break_nothing(db, odd):
    visitor, _ = arrive(db, pages=[{"path": "/", "seconds": odd, "scroll": odd, "words": odd}], count=odd)
    assert visitor.visits >= 1


def test_data_of_the_page_is_bounded(db):
    visitor, _ = arrive(db, data={f"k{n}": "x" * 1000 for n in range(100)} | {"list": [1]})
    assert len(visitor.attributes) <= visitors.MOST_ATTRIBUTES
    assert all(len(value) <= 500 for value in visitor.attributes.values())


def test_fifty_arrivals_with_one_token_are_one_visitor(sqlite_db):
    _, token = arrive(sqlite_db)
    for _ in range(50):
        arrive(sqlite_db, token)
    with sqlite_db.reading() as tx:
        assert tx.execute(select(func.count()).select_from(table)).scalar_one() == 1
