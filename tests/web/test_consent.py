"""What is kept of a visitor under each consent mode, and that a browser which asks not to be tracked is not."""

from __future__ import annotations

import contextlib
import json

import pytest
from simple_websocket import ConnectionClosed
from sqlalchemy import select
from werkzeug.datastructures import Headers

from server.config import service as config
from server.db import metadata
from server.web.callers import Caller
from server.web.chat import Talk
from tests.playbooks.conftest import FLOW
from tests.playbooks.folder import folder
from tests.web.conftest import ORIGIN

PAGES = [{"path": "/", "seconds": 9, "scroll": 50, "words": 100}, {"path": "/pricing", "seconds": 2}]
REFERRER = "https://search.example/?q=secret"
PAGE = {
    "url": f"{ORIGIN}/pricing",
    "path": "/pricing",
    "title": "Pricing",
    "referrer": REFERRER,
    "query": {},
    "utm": {"source": "newsletter-42"},
}


class Link:
    """Carries frames as a socket does."""

    def __init__(self, frames):
        self.waiting = [json.dumps(frame) for frame in frames]
        self.sent = []

    def receive(self):
        if not self.waiting:
            raise ConnectionClosed(1000, "")
        return self.waiting.pop(0)

    def send_frame(self, frame):
        self.sent.append(frame)

    def end(self, code, reason=""):
        raise AssertionError((code, reason))


@pytest.fixture
def mode(sqlite_db, monday):
    """`mode("external")`: the site asks for consent so."""

    def change(name):
        files = folder(pricing=FLOW)
        return config.apply(sqlite_db, {**files, "site.yml": f"{files['site.yml']}consent: {name}\n"}, author="tests")

    change("on-open")
    return change


@pytest.fixture
def rows(sqlite_db):
    def of(name):
        with sqlite_db.reading() as tx:
            return [dict(row._mapping) for row in tx.execute(select(metadata.tables[name]))]

    return of


@pytest.fixture
def hello(sqlite_db, mode):
    """Says hello as the widget does; the token is remembered."""
    known = {}

    def say(consent=None, *, headers=None, then=(), **more):
        frame = {"t": "hello", "site": "acme", "seed": "s", "page": PAGE, "device": "desktop", "locale": "en",
                 "zone": "UTC", "visit": {"count": 3, "pages": PAGES}, "consent": consent, **known, **more}  # fmt: skip
        link = Link([frame, *then])
        with contextlib.suppress(ConnectionClosed):
            Talk(link, sqlite_db, ORIGIN, "192.0.2.7", Caller.of(Headers(headers or {}))).run()
        known["token"] = link.sent[0].get("token") or known.get("token")
        return link.sent

    return say


MOVED = {"t": "page", "page": {**PAGE, "path": "/security", "url": f"{ORIGIN}/security"}}
TRACKED = {"t": "track", "name": "video watched", "data": {"seconds": 40}}
SAID = {"t": "say", "id": "1", "text": "Hello there"}


def everything(rows):
    """All tables as text."""
    return json.dumps([rows(name) for name in metadata.tables if name != "config_versions"], default=str)


def is_recorded(rows):
    """Whether anything beyond the conversation was kept: all of it, or nothing at all."""
    (visitor,) = rows("visitors")
    kept = [len(rows("sessions")), len(rows("page_views")), visitor["visits"] > 1]
    tracked = [row for row in rows("events") if row["name"] == "visitor.tracked"]
    hints = [REFERRER in everything(rows), "newsletter-42" in everything(rows)]
    if any([*kept, tracked, *hints]):
        assert all(kept)
        assert tracked
        assert all(hints)
        return True
    return False


@pytest.mark.parametrize(
    ("name", "consent", "recorded"),
    [("none", None, True), ("on-open", None, True), ("external", False, False), ("external", True, True)],
)
def test_each_mode_records_what_was_agreed_to_and_the_chat_works_all_the_same(
    mode, hello, rows, name, consent, recorded
):
    version = mode(name)
    hello(consent)
    assert (REFERRER in everything(rows), "newsletter-42" in everything(rows)) == (recorded, recorded)
    frames = hello(consent, then=[MOVED, TRACKED, SAID])
    assert [frame["t"] for frame in frames if frame["t"] in ("ack", "refused")] == ["ack"]
    assert is_recorded(rows) is recorded
    (visitor,) = rows("visitors")
    proof = (visitor["consented"], visitor["consent_mode"], visitor["consent_version_id"])
    assert proof == ((True, name, version.id) if recorded else (False, "", None))
    assert (visitor["consented_at"] is not None) is recorded


@pytest.mark.parametrize("signal", [{"Sec-GPC": "1"}, {"DNT": "1"}, {"field": True}])
def test_a_browser_that_asks_not_to_be_tracked_is_not(mode, hello, rows, signal):
    mode("none")
    field = {"discreet": True} if "field" in signal else {}
    headers = {} if field else signal
    frames = hello(True, headers=headers, then=[MOVED, TRACKED, SAID], **field)
    assert any(frame["t"] == "ack" for frame in frames)
    assert is_recorded(rows) is False
    assert rows("visitors")[0]["discreet"] is True


@pytest.mark.parametrize(
    ("headers", "discreet"),
    [({"Sec-GPC": "1"}, True), ({"DNT": "1"}, True), ({"Sec-GPC": "0"}, False), ({"DNT": "0"}, False), ({}, False)],
)
def test_the_signals_are_read_as_their_standards_say(headers, discreet):
    assert Caller.of(Headers(headers)).discreet is discreet


def test_consent_given_after_opening_counts_from_then_on_and_is_noted(mode, hello, rows, monday):
    version = mode("external")
    hello(False, then=[SAID])
    hello(True, then=[TRACKED])
    assert is_recorded(rows)
    (line,) = [row for row in rows("events") if row["name"] == "visitor.consented"]
    assert (line["version_id"], line["data"]) == (version.id, {"mode": "external"})
    assert rows("visitors")[0]["consented_at"] is not None


def test_consent_taken_back_takes_along_what_was_recorded_but_not_the_chat(mode, hello, rows):
    mode("external")
    hello(True, then=[MOVED, TRACKED, SAID])
    messages = rows("messages")
    assert is_recorded(rows)
    hello(False, then=[MOVED, TRACKED])
    assert (rows("sessions"), rows("page_views")) == ([], [])
    (visitor,) = rows("visitors")
    assert (visitor["visits"], visitor["consented"], visitor["consented_at"]) == (1, False, None)
    names = [row["name"] for row in rows("events")]
    assert "visitor.tracked" not in names
    assert "visitor.withdrew" in names
    assert rows("messages") == messages


def test_a_site_that_begins_to_ask_forgets_those_who_were_not_asked(mode, hello, rows):
    hello(then=[TRACKED])
    assert is_recorded(rows)
    mode("external")
    hello(False)
    assert (rows("sessions"), rows("page_views")) == ([], [])


def test_signals_that_come_later_stop_the_recording(hello, rows):
    hello(then=[MOVED])
    views = rows("page_views")
    hello(headers={"Sec-GPC": "1"}, then=[{**MOVED, "page": {**PAGE, "path": "/blog"}}, TRACKED])
    assert rows("page_views") == views
    assert "/blog" not in json.dumps(rows("page_views"), default=str)
