"""The chat over plain requests: the same frames, each request on its own, and one that waits is told at once."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from sqlalchemy import event, text

from server import live
from server.playbooks import service as playbooks
from tests.web.conftest import ORIGIN

PAGE = {"url": ORIGIN + "/pricing", "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}
HELLO = {"t": "hello", "site": "acme", "page": PAGE, "device": "desktop", "locale": "en", "zone": "UTC", "seed": "s"}


@pytest.fixture
def ask(app: Any) -> Any:
    """`ask(frames…, token=, wait=)`: the answer of one request."""
    client = app.test_client()

    def post(*frames: Any, token: str = "", wait: bool = False, origin: str | None = ORIGIN) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if origin:
            headers["Origin"] = origin
        return client.post("/v1/chat", json={"frames": list(frames), "wait": wait}, headers=headers)

    return post


@pytest.fixture
def met(ask: Any) -> dict[str, Any]:
    """The welcome of a visitor who has said hello."""
    (welcome,) = ask(HELLO).json["frames"]
    return dict(welcome)


def resume(met: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"conversation": met["conversation"], "after": met["seq"], "state": met["state"]}
    return {"t": "resume", "site": "acme", **known, **more}


def say(n: int, words: str) -> dict[str, Any]:
    return {"t": "say", "id": f"c{n}", "text": words}


def count(app: Any, table: str) -> int:
    with app.extensions["usher_db"].reading() as tx:
        return int(tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_message_is_answered_in_the_same_request_and_stored_once_though_sent_twice(ask: Any, met: Any) -> None:
    answers = [ask(resume(met), say(1, "250 people"), token=met["token"]).json["frames"] for _ in range(2)]
    kinds = [[frame["t"] for frame in answer] for answer in answers]
    assert kinds[0][:4] == ["welcome", "ack", "message", "message"]
    assert kinds[1] == ["welcome", "ack"]
    assert answers[0][1] == answers[1][1] == {"t": "ack", "id": "c1", "seq": met["seq"] + 1}
    assert [one["text"] for one in answers[1][0]["messages"]][0] == "250 people"
    assert answers[0][3]["message"]["author"] == "bot"


def test_resume_is_no_visit_and_no_page_view_and_writes_nothing(app: Any, ask: Any, met: Any) -> None:
    tables = ("visitors", "sessions", "page_views", "conversations", "messages", "events")
    before = [count(app, table) for table in tables]
    for _ in range(3):
        assert ask(resume(met), token=met["token"]).json["frames"][0]["t"] == "welcome"
    assert [count(app, table) for table in tables] == before


def test_who_waits_is_told_as_soon_as_there_is_something(ask: Any, met: Any) -> None:
    topic = f"conversation:{met['conversation']}"
    typing = {"t": "typing", "author": "rep"}
    with gevent.Timeout(5):
        speaker = gevent.spawn_later(0.05, live.publish, topic, typing)
        frames = ask(resume(met), token=met["token"], wait=True).json["frames"]
        speaker.join()
    assert frames[1:] == [typing]
    with gevent.Timeout(5):  # nobody waits for what is there already
        for missing in ({"after": 0}, {"state": "rep"}, {"conversation": "cnv_other"}):
            (welcome,) = ask(resume(met, **missing), token=met["token"], wait=True).json["frames"]
            assert welcome["conversation"] == met["conversation"]
        assert [m["seq"] for m in ask(resume(met, after=0), token=met["token"]).json["frames"][0]["messages"]] == [1, 2]
    assert not live._listeners.get(topic)  # who has gone listens no more


def test_nobody_is_let_in_without_their_token_and_none_is_taken_from_the_body(ask: Any, met: Any) -> None:
    for token, more in (("", {}), ("x" * 43, {}), ("", {"token": met["token"]})):
        error, refused = ask(resume(met, after=0, **more), say(1, "x"), token=token).json["frames"]
        assert (error["t"], error["code"]) == ("error", "unknown_visitor")
        assert refused["t"] == "refused"
    (other,) = ask({**HELLO, "seed": "other"}).json["frames"]
    (welcome,) = ask(resume(met, after=0), token=other["token"]).json["frames"]
    assert welcome["conversation"] == other["conversation"] != met["conversation"]


def test_what_is_wrong_with_a_request_is_said_in_its_status(client: Any, ask: Any) -> None:
    assert [ask(HELLO, origin=one).status_code for one in ("https://evil.example", "null", None)] == [403] * 3
    assert ask({**HELLO, "site": "nobody"}).status_code == 404
    assert ask(say(1, "x")).status_code == 422
    assert ask().status_code == 422
    assert ask(*[HELLO] * 31).status_code == 422
    assert ask("hello").status_code == 422
    assert client.post("/v1/chat", data="{}", headers={"Origin": ORIGIN}).status_code == 422
    deep = '{"frames": ' + "[" * 20_000 + "]" * 20_000 + "}"
    asked = client.post("/v1/chat", data=deep, content_type="application/json", headers={"Origin": ORIGIN})
    assert asked.status_code == 422
    big = {"frames": [{**HELLO, "data": {"x": "y" * 70_000}}]}
    assert client.post("/v1/chat", json=big, headers={"Origin": ORIGIN}).status_code == 413

    asked = client.options("/v1/chat", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert ask(HELLO).headers["Access-Control-Allow-Origin"] == ORIGIN
    assert ask(HELLO).headers["Cache-Control"] == "no-store"


def test_what_is_said_while_a_request_begins_is_in_its_answer(app: Any, ask: Any, met: Any) -> None:
    """Said by another tab when the request has given a connection back: before, between and after its readings."""
    db = app.extensions["usher_db"]
    for moment in range(1, 5):
        frames = spoken_into(db, met["conversation"], moment, lambda: ask(resume(met), token=met["token"]))
        told = [*frames[0]["messages"], *(frame["message"] for frame in frames if frame["t"] == "message")]
        assert f"gap {moment}" in {one["text"] for one in told}


def spoken_into(db: Any, conversation: str, moment: int, act: Any) -> Any:
    given_back = []

    def speak(*_: Any) -> None:
        given_back.append(1)
        if len(given_back) == moment:
            live.hand_out(playbooks.hear(db, conversation, f"gap{moment}", f"gap {moment}").notes)

    event.listen(db.engine, "checkin", speak)
    try:
        return act().json["frames"]
    finally:
        event.remove(db.engine, "checkin", speak)
