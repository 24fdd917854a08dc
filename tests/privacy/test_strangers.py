"""Whoever types somebody's address into their own browser is not that person: their conversation is theirs."""

from __future__ import annotations

import json

import pytest

from server.conversations import service as conversations
from server.privacy import service as privacy
from tests.playbooks.chat import Chat
from tests.privacy.conftest import ADA, BOB, OWNER, Town

SECRET = "I am Bob, ask ada@wonka.example about my secret disease"


@pytest.fixture
def stranger(fresh: Town) -> Chat:
    """Somebody in a browser of their own who typed Ada's address, on each kind of database."""
    chat = Chat(fresh.db, seed="third").open()
    chat.say("A stranger's thing")
    chat.say(SECRET)
    assert chat.row.lead_id == town_lead(fresh)
    assert chat.memory.values["lead.email"]
    return chat


def town_lead(town: Town) -> str:
    (lead,) = [row["id"] for row in town.rows("leads") if row["email_key"] == ADA.lower()]
    return str(lead)


def test_it_is_not_given_out_with_the_persons_data(fresh: Town, stranger: Chat):
    given = privacy.export(fresh.db, fresh.who, by=OWNER)["sites"]["acme"]
    assert [row["id"] for row in given["conversations"]] == [fresh.ada.id]
    assert [row["id"] for row in given["visitors"]] == [fresh.ada.row.visitor_id]
    whole = json.dumps(given)
    assert "secret disease" not in whole
    assert "stranger's thing" not in whole
    assert "purple elephant" in whole


def test_it_stays_without_the_address_and_goes_on(fresh: Town, stranger: Chat):
    thread, lead, visitor = stranger.thread(), town_lead(fresh), stranger.row.visitor_id
    account = stranger.memory.account
    done = privacy.erase(fresh.db, fresh.who, by=OWNER, cancel_meetings=True)
    assert done.conversations == [fresh.ada.id]
    assert done.of_others == "1 conversation of another browser in which only the address was typed stays, without it."
    assert stranger.thread() == [
        (seq, author, text.replace("ada@wonka.example", "[erased]")) for seq, author, text in thread
    ]
    assert (stranger.row.lead_id, stranger.row.visitor_id) == (None, visitor)
    assert "lead.email" not in stranger.memory.values
    assert (account is None, stranger.memory.account) == (False, None)
    assert fresh.found() == fresh.found(lead) == []
    heard = len(stranger.thread())
    stranger.say("carol@elsewhere.example")
    assert len(stranger.thread()) > heard
    fresh.work()
    assert fresh.found() == fresh.found(lead) == []


def test_what_the_stranger_books_for_themselves_stays_theirs(fresh: Town, stranger: Chat):
    lead = town_lead(fresh)
    with fresh.db.transaction() as tx:
        linked = f"lead_id = '{lead}', conversation_id = '{stranger.id}'"
        tx.exec_driver_sql(f"UPDATE meetings SET {linked} WHERE email = '{BOB}'")
    (before,) = [row for row in fresh.rows("meetings") if row["email"] == BOB]
    privacy.erase(fresh.db, fresh.who, by=OWNER, cancel_meetings=True)
    (kept,) = [row for row in fresh.rows("meetings") if row["id"] == before["id"]]
    assert kept == {**before, "lead_id": None, "guests": []}


def test_the_persons_next_conversation_in_their_own_browser_is_theirs(fresh: Town, stranger: Chat):
    with fresh.db.transaction() as tx:
        conversations.close(tx, fresh.ada.row, "none", OWNER)
    again = Chat(fresh.db, token=fresh.ada.token).open()
    again.say("A purple elephant again")
    given = privacy.export(fresh.db, fresh.who, by=OWNER)["sites"]["acme"]
    assert {row["id"] for row in given["conversations"]} == {fresh.ada.id, again.id}
    privacy.erase(fresh.db, fresh.who, by=OWNER, cancel_meetings=True)
    assert fresh.found() == []
