"""Whatever a browser sends: an answer or one of our errors, and never a message lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server import clock
from server.db import Database, metadata
from server.errors import UsherError
from server.playbooks import service as playbooks
from server.web.frames import read
from tests.conftest import import_all_tables
from tests.playbooks.chat import Chat, applied
from tests.playbooks.conftest import MORNING

FLOW = """
nodes:
  - {id: o, objection: {price: {says: [expensive], reply: It pays.}}}
  - {id: hi, say: "Hello {{ lead.first_name }}"}
  - {id: size, ask: How many?, kind: number, save: account.employees, criterion: size}
  - {id: jobs, ask: Which?, kind: multi, options: [{id: a, label: Apples}, {id: b, label: Pears, says: [pear]}]}
  - {id: need, ask: What?, kind: choice, criterion: need, options: [{id: a, label: A, next: mail}, {id: buy, label: B}]}
  - {id: day, ask: When?, kind: date, required: false}
  - {id: mail, ask: Mail?, kind: email}
  - {id: meet, book: demo, choices: [intro], otherwise: person}
  - {id: done, end: "Done {{ lead.name }}", outcome: booked}
  - {id: person, handoff: routed, next: phone}
  - {id: phone, ask: Phone?, kind: phone}
"""
WORDS = [
    "40", "yes", "no", "1 and 2", "skip", "too expensive", "What does the starter plan cost?", "ada@wonka.example",
    "tomorrow at 2pm", "next week mornings", "cancel my meeting", "reschedule", "I want a human", "book a demo", "hi",
    "thanks", "+49 30 901820", "Ada Byron, ada@wonka.example", "{{ lead.email }}", "\u202e\u0000x", "24 March",
]  # fmt: skip
starts = st.sampled_from(
    ["2026-03-02T10:00:00Z", "2026-03-03T13:00:00+02:00", "2026-03-02T10:00:00", "soon", "9999-12-31T23:59:59Z"]
)
things = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
values = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"option": st.sampled_from(["a", "b", "buy", "yes", "no", "~person", "~leave_email", "2026-03-05", "x"])}
    ),
    st.fixed_dictionaries({"options": st.lists(st.sampled_from(["a", "b", "z"]) | things, max_size=3)}),
    st.fixed_dictionaries({"slot": starts}, optional={"meeting": st.sampled_from(["demo", "intro", "none"])}),
    st.fixed_dictionaries({"meeting": st.sampled_from(["demo", "intro", "none"])}),
    st.fixed_dictionaries(
        {"form": st.dictionaries(st.sampled_from(["name", "email", "phone", "x"]), st.sampled_from(WORDS) | things)}
    ),
    st.fixed_dictionaries(
        {
            "action": st.sampled_from(
                ["other_times", "cancel_meeting", "reschedule_meeting", "person", "leave_email", "restart", "?"]
            )
        }
    ),
    st.dictionaries(st.sampled_from(["option", "options", "slot", "form", "action", "meeting"]), things, max_size=3),
)
frames = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", "e", "f"]), st.sampled_from(WORDS) | st.text(max_size=60), values),
    max_size=10,
)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    import_all_tables()
    path: Path = tmp_path_factory.mktemp("frames")
    database = Database(f"sqlite:///{path}/frames.db")
    metadata.create_all(database.engine)
    applied(database, p=FLOW)
    yield database
    database.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=frames)
def test_any_frames_get_an_answer_or_an_error_of_ours_and_no_message_is_lost(db: Database, sent: Any) -> None:
    with clock.stopped_at(MORNING):
        chat = Chat(db).open()
        stored: dict[str, int] = {}
        for client_id, text, value in sent:
            try:
                frame = read(json.dumps({"t": "say", "id": client_id, "text": text, "value": value}))
                outcome = playbooks.hear(db, chat.id, frame["id"], frame["text"], frame.get("value"))
            except UsherError:
                continue
            assert stored.setdefault(client_id, outcome.seq) == outcome.seq
        thread = chat.thread()
        assert [seq for seq, _, _ in thread] == list(range(1, len(thread) + 1))
        assert sorted(stored.values()) == [seq for seq, author, _ in thread if author == "visitor"]
        json.dumps(chat.row.engine)


hellos = st.fixed_dictionaries(
    {
        "t": st.just("hello"),
        "site": st.sampled_from(["acme", "acme", "none"]),
        "page": st.dictionaries(st.sampled_from(["url", "path", "title", "referrer", "query", "utm"]), things),
        "device": st.sampled_from(["desktop", "mobile"]) | st.text(max_size=20),
        "locale": st.sampled_from(["en", "de-AT", "fr_FR"]) | st.text(max_size=30),
        "zone": st.sampled_from(["Europe/Berlin", "UTC"]) | st.text(max_size=30),
        "seed": st.text(max_size=80),
    },
    optional={
        "token": st.text(max_size=60),
        "after": st.integers(),
        "visit": st.dictionaries(st.sampled_from(["count", "pages"]), things),
        "data": st.dictionaries(st.text(max_size=8), things, max_size=4),
        "playbook": st.sampled_from(["p", "q"]),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hello=hellos, page=st.dictionaries(st.sampled_from(["url", "path", "query", "utm"]), things), data=things)
def test_any_hello_is_met_or_refused_with_a_reason(db: Database, hello: dict[str, Any], page: Any, data: Any) -> None:
    with clock.stopped_at(MORNING):
        try:
            opened = playbooks.open(db, playbooks.Hello.from_frame(read(json.dumps(hello))))
            playbooks.see_page(db, opened.conversation_id, page, data if isinstance(data, dict) else {})
        except UsherError:
            return
        assert opened.welcome()["messages"][0]["text"].startswith("Hello")
        assert opened.token
