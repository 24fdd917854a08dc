"""The page of enrichment: who is asked, what it cost, how right it is; and a visitor's company on the conversation."""

from __future__ import annotations

from collections.abc import Callable

from server.conversations import service as conversations
from server.playbooks.memory import Memory
from tests.console.conftest import Desk
from tests.console.story import Story

SAMPLES = "domain,name\nglobex.example,Globex\nmegacorp.example,Mega Corp\n"


def test_owners_see_who_is_asked_and_check_samples_on_the_page_and_as_a_file(desk: Callable[..., Desk], story: Story):
    owner = desk("owner")
    page = owner.get("/enrichment/acme").get_data(as_text=True)
    assert "Built-in enrichment" in page
    assert "on this machine" in page
    told = owner.post("/enrichment/acme/report", {"samples": SAMPLES}).get_data(as_text=True)
    assert "2 samples; nothing was written" in told
    assert "50 %" in told
    file = owner.post("/enrichment/acme/report", {"samples": SAMPLES, "as": "csv"})
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "megacorp.example,name,Mega Corp,Megacorp,0.4,wrong" in file.get_data(as_text=True)
    refused = owner.post("/enrichment/acme/report", {"samples": "shoe\n1"})
    assert refused.status_code == 422
    assert "There is no column shoe" in refused.get_data(as_text=True)


def test_the_conversation_shows_whose_network_it_is_with_source_and_confidence(desk: Callable[..., Desk], story: Story):
    owner = desk("owner")
    with owner.app.extensions["usher_db"].transaction() as tx:
        row = conversations.lock(tx, story.waiting)
        memory = Memory.of(row.engine)
        memory.company = {"facts": {"name": ["<b>Globex</b>", "MaxMind", 60], "city": ["Bonn", "MaxMind", 30]}}
        conversations.keep_state(tx, row, engine=memory.as_json())
    page = owner.get(f"/conversations/{story.waiting}").get_data(as_text=True)
    assert "&lt;b&gt;Globex" in page
    assert "MaxMind, 60 % sure" in page
    assert "30 % sure: a guess, used nowhere" in page
