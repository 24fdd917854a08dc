"""Who has signed in on the owner's site is met as themselves in every browser, and by nobody else; whoever only says so
opens, merges and learns nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest

from server import clock, events, live
from server.booking import service as booking
from server.conversations import service as conversations
from server.db import Database
from server.errors import Forbidden, SignInNeeded
from server.events import SYSTEM, Actor
from server.leads import service as leads
from server.leads.values import FieldValue
from server.playbooks import service as playbooks
from server.playbooks.turn import Turn
from server.visitors import keys
from server.visitors import service as visitors
from tests.playbooks.chat import Chat, applied
from tests.playbooks.folder import folder

FLOW = """
nodes:
  - {id: hi, say: "Hello {{ lead.first_name | default('stranger') }}, plan {{ data.plan | default('none') }}"}
  - {id: need, ask: What brings you here?}
  - {id: mail, ask: Your e-mail?, kind: email}
  - {id: bye, say: "Thanks {{ lead.name | default('you') }} of {{ lead.company | default('nowhere') }}"}
  - {id: more, ask: Anything else?}
"""
ADA = {"sub": "ada", "email": "ada@wonka.example", "name": "Ada Lovelace", "company": "Engines"}
BOB = {"sub": "bob", "email": "bob@globex.example", "name": "Bob Babbage"}


class Site:
    """The owner's server: it signs who is signed in."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.version = applied(db, site("optional"))
        self.key, self.secret = keys.add(db, self.version.site_id, SYSTEM)

    def signs(self, person: dict[str, Any], seconds: int = 600, **more: Any) -> str:
        exp = int(clock.now().timestamp()) + seconds
        return jwt.encode({**person, "exp": exp, **more}, self.secret, algorithm="HS256")

    def browser(self, person: dict[str, Any] | None = None, **about: Any) -> Chat:
        return Chat(self.db, identity=self.signs(person) if person else None, **about).open()

    def wants(self, mode: str) -> None:
        applied(self.db, site(mode))


def site(mode: str, flow: str = FLOW) -> dict[str, str]:
    files = folder(p=flow)
    return {**files, "site.yml": files["site.yml"] + f"\nidentity: {{mode: {mode}}}\n"}


@pytest.fixture
def acme(db: Database, morning: clock.StoppedClock) -> Site:
    return Site(db)


@pytest.fixture
def one(sqlite_db: Database, morning: clock.StoppedClock) -> Site:
    """The same where the kind of database cannot matter."""
    return Site(sqlite_db)


@pytest.fixture
def overheard() -> Iterator[Callable[[str], list[Any]]]:
    """`overheard(conversation)`: the frames that whoever listens to it gets."""
    ends = []

    def listen(conversation_id: str) -> list[Any]:
        heard: list[Any] = []
        ends.append(live.subscribe(f"conversation:{conversation_id}", heard.append))
        return heard

    yield listen
    [end() for end in ends]


def visitor(chat: Chat) -> Any:
    with chat.db.reading() as tx:
        return visitors.get(tx, conversations.get(tx, chat.id).visitor_id)


def test_a_signed_in_person_goes_on_in_every_browser(acme: Site) -> None:
    laptop = acme.browser(ADA)
    laptop.say("I need help")
    phone = acme.browser(ADA, seed="phone")
    assert phone.id == laptop.id
    assert "I need help" in [message["text"] for message in phone.heard]
    assert phone.opened.verified
    assert visitor(phone).identity == "ada"
    assert acme.browser(BOB).id != laptop.id


def test_a_person_is_greeted_by_what_is_signed_and_it_stands_whatever_they_type(acme: Site) -> None:
    chat = acme.browser(ADA | {"attributes": {"plan": "pro"}})
    assert chat.texts[0] == "Hello Ada, plan pro"
    playbooks.identify(chat.db, chat.id, {"plan": "free", "name": "Eve"})
    assert chat.say("I am Eve of Evil Inc., write to eve@evil.example") == [
        "Thanks Ada Lovelace of Engines",
        "Anything else?",
    ]
    with chat.db.reading() as tx:
        lead = leads.get(tx, chat.row.lead_id)
        known = leads.known(tx, lead.id).lead
        origins = {row.field: row.origin for row in leads.field_values(tx, lead.id) if row.origin == "identity"}
    assert lead.email_key == "ada@wonka.example"
    assert (known["name"], known["company"], known["email"]) == ("Ada Lovelace", "Engines", "ada@wonka.example")
    assert known["fields"] == {"plan": "pro"}
    assert origins.keys() == {"email", "name", "company", "fields.plan"}
    assert visitor(chat).attributes["plan"] == "free"  # kept as told, and worth less
    assert Chat(chat.db, identity=chat.identity, seed="2").open().opened.verified


def test_logging_in_takes_the_present_conversation_along_and_its_secret_opens_nothing_any_more(
    acme: Site, overheard: Callable[[str], list[Any]]
) -> None:
    chat = acme.browser()
    chat.say("Something private")
    secret, before = chat.token, chat.id
    heard = overheard(before)
    chat.identity = acme.signs(ADA)
    chat.open()
    assert chat.id == before
    assert "Something private" in [text for _, _, text in chat.thread()]
    assert {"t": "owner", "visitor": visitor(chat).id} in heard  # sockets that are not hers are cut
    other = Chat(acme.db, token=secret, seed="other").open()
    assert other.id != before
    assert "Something private" not in str(other.heard)


def test_a_socket_from_before_somebody_signed_in_writes_nothing_into_what_is_theirs_now(acme: Site) -> None:
    """It may not have heard of it yet: its process had lost the connection that carries such news."""
    acme.browser(ADA)
    chat = acme.browser()
    chat.say("Hello")
    stranger = visitor(chat).id
    chat.identity = acme.signs(ADA)
    chat.open()
    before = chat.thread()
    with pytest.raises(SignInNeeded):
        playbooks.hear(acme.db, chat.id, "late", "It is me", visitor_id=stranger)
    assert chat.thread() == before
    assert playbooks.hear(acme.db, chat.id, "mine", "It is me", visitor_id=visitor(chat).id).seq == len(before) + 1


def test_of_two_open_conversations_the_one_in_which_they_speak_goes_on(acme: Site) -> None:
    old = acme.browser(ADA)
    old.say("Last week")
    chat = acme.browser(seed="new")
    chat.say("Today")
    chat.identity = acme.signs(ADA)
    present = chat.id
    chat.open()
    assert chat.id == present
    assert old.row.state == "closed"
    assert old.row.visitor_id == chat.row.visitor_id == visitor(chat).id


@pytest.mark.parametrize("reason", ["nothing was said", "a person is in it"])
def test_the_older_conversation_goes_on_when_the_present_one_is_empty_or_a_person_is_in_it(
    one: Site, reason: str
) -> None:
    old = one.browser(ADA)
    old.say("Last week")
    chat = one.browser(seed="new")
    if reason == "a person is in it":
        conversations.take_over(one.db, old.id, "grace", Actor("rep", "usr_1", "Grace"))
        chat.say("Today")
    anonymous = chat.id
    chat.identity = one.signs(ADA)
    chat.open()
    assert chat.id == old.id
    with one.db.reading() as tx:
        left = conversations.get(tx, anonymous)
    assert (left.state, left.visitor_id) == ("closed", chat.row.visitor_id)


def test_all_browsers_of_a_person_that_sign_in_at_once_are_in_one_conversation(acme: Site) -> None:
    chats = [acme.browser(seed=str(number)) for number in range(4)]
    start, faults = threading.Barrier(4), []

    def sign_in(chat: Chat) -> None:
        chat.identity = acme.signs(ADA)
        start.wait()
        try:
            chat.open()
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong in a thread is a fault
            faults.append(fault)

    for chat in chats:
        chat.say("Growth")
    threads = [threading.Thread(target=sign_in, args=(chat,)) for chat in chats]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert faults == []
    assert len({chat.row.visitor_id for chat in chats}) == 1
    assert sorted(chat.row.state for chat in chats) == ["bot", "closed", "closed", "closed"]


def test_after_a_cut_the_page_goes_on_with_what_it_holds_in_memory_and_never_for_somebody_else(
    acme: Site, morning: clock.StoppedClock
) -> None:
    ada = acme.browser(ADA)
    ada.say("Mine")
    session = ada.token
    morning.advance(timedelta(hours=2))
    again = Chat(acme.db, token=session, identity=ada.identity).open()  # the token has expired meanwhile
    assert (again.id, again.opened.verified, again.opened.refusal.code) == (ada.id, True, "identity_expired")
    assert again.opened.token is None
    assert playbooks.resume(acme.db, "acme", session or "").conversation_id == ada.id
    bob = Chat(acme.db, token=session, identity=acme.signs(BOB)).open()
    assert bob.id != ada.id
    forged = Chat(acme.db, token=session, identity="a.b.c").open()
    late_bob = Chat(acme.db, token=session, identity=acme.signs(BOB, seconds=-HOUR)).open()
    for stranger in (forged, late_bob):
        assert not stranger.opened.verified
        assert stranger.id != ada.id
        assert "Mine" not in str(stranger.heard)


HOUR = 3600


@pytest.mark.parametrize("end", ["half a day", "revoked", "off"])
def test_what_the_page_holds_ends_with_the_day_the_key_and_the_mode(
    one: Site, morning: clock.StoppedClock, end: str
) -> None:
    ada = one.browser(ADA)
    if end == "half a day":
        morning.advance(timedelta(hours=12, seconds=1))
    elif end == "revoked":
        keys.revoke(one.db, one.key.id, SYSTEM)
    else:
        one.wants("off")
    again = Chat(one.db, token=ada.token).open()
    assert again.id != ada.id
    assert not again.opened.verified
    assert playbooks.resume(one.db, "acme", ada.token or "") is None


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_a_token_that_is_not_good_leaves_the_visitor_anonymous_and_is_in_the_diary(one: Site, mode: str) -> None:
    one.wants(mode)
    ada = one.browser(ADA)
    mallory = Chat(one.db, identity=jwt.encode(ADA, "x" * 43, algorithm="HS256")).open()
    assert mallory.id != ada.id
    assert not mallory.opened.verified
    assert mallory.opened.refusal.code == "identity_refused"
    with one.db.reading() as tx:
        told = [(e.name, e.reason) for e in events.of_conversation(tx, mallory.id) if e.name == "identity.refused"]
    assert told == [("identity.refused", "the signature is not of one of the site's keys")]
    assert mallory.say("Selling more") == ["Your e-mail?"]  # the chat goes on


def test_where_signatures_are_required_what_the_page_says_unsigned_is_not_kept(one: Site) -> None:
    one.wants("required")
    chat = one.browser()
    with pytest.raises(Forbidden) as refused:
        playbooks.identify(one.db, chat.id, {"email": "ada@wonka.example", "plan": "pro"})
    assert refused.value.code == "identity_required"
    assert visitor(chat).attributes == {}


def test_where_signatures_are_off_a_token_says_nothing(one: Site) -> None:
    one.wants("off")
    chat = one.browser(ADA)
    assert (chat.opened.verified, chat.opened.refusal.code) == (False, "identity_off")
    assert visitor(chat).identity is None


def test_a_signed_address_finds_its_lead_and_from_then_on_nobody_else_is_told_what_it_holds(acme: Site) -> None:
    """Somebody may have typed the address before its owner ever came."""
    squatter = acme.browser()
    squatter.say("Growth")
    squatter.say("ada@wonka.example")
    lead_id = squatter.row.lead_id
    ada = acme.browser(ADA, seed="ada")
    assert ada.row.lead_id == lead_id
    with acme.db.transaction() as tx:
        leads.learn(tx, leads.get(tx, lead_id), [FieldValue("title", "Countess", "human")])
        conversations.close(tx, conversations.lock(tx, squatter.id), "", SYSTEM)
    again = Chat(acme.db, token=squatter.token, seed="seed").open()
    assert again.texts[0] == "Hello stranger, plan none"
    with acme.db.reading() as tx:
        assert visitors.get(tx, again.row.visitor_id).knows_lead is False


def test_who_types_or_is_said_to_have_somebodys_address_learns_nothing_and_opens_nothing(one: Site) -> None:
    ada = one.browser(ADA)
    ada.say("My private matter")
    stranger = one.browser(seed="stranger")
    playbooks.identify(one.db, stranger.id, {"email": "ada@wonka.example", "user_id": "ada", "sub": "ada"})
    assert Chat(one.db, token=stranger.token).open().id == stranger.id
    stranger.say("Growth")
    said = stranger.say("ada@wonka.example")
    assert said == ["Thanks you of nowhere", "Anything else?"]
    assert stranger.id != ada.id
    assert "Lovelace" not in str(stranger.thread())
    assert visitor(stranger).lead_id is None


def test_two_strangers_with_one_address_learn_nothing_of_each_other(one: Site) -> None:
    one.wants("off")
    first = one.browser()
    first.say("Growth")
    first.say("ida@wonka.example")
    second = one.browser(seed="second")
    second.say("I am Ida Wells from Wonka")
    second.say("ida@wonka.example")
    with one.db.transaction() as tx:
        conversations.close(tx, conversations.lock(tx, first.id), "", SYSTEM)
    assert Chat(one.db, token=first.token).open().texts[0] == "Hello stranger, plan none"


def test_signing_in_as_oneself_does_not_open_a_lead_that_was_somebody_elses(one: Site) -> None:
    known = one.browser({"sub": "mallory"}, seed="her own")
    known.say("Growth")
    squatter = one.browser()
    squatter.say("Growth")
    squatter.say("ada@wonka.example")
    ada = one.browser(ADA, seed="ada")
    with one.db.transaction() as tx:
        leads.learn(tx, leads.get(tx, ada.row.lead_id), [FieldValue("title", "Countess", "human")])
    squatter.identity = one.signs({"sub": "mallory"})
    squatter.open()
    assert squatter.row.lead_id == ada.row.lead_id
    with one.db.reading() as tx:
        turn = Turn(tx, one.version, squatter.row, squatter.memory)
        assert turn.known("lead.title") is None
        assert Turn(tx, one.version, ada.row, ada.memory).known("lead.title") == "Countess"


def test_booking_with_somebodys_address_shows_nothing_of_them_and_leaves_their_meeting(one: Site) -> None:
    applied(one.db, site("optional", "\nnodes: [{id: book-it, book: demo}]\n"))
    ada = one.browser(ADA)
    ada.choose()
    start = ada.part("meeting")["meeting"]["start"]
    stranger = one.browser(seed="stranger")
    stranger.choose(2)
    assert "Lovelace" not in str(stranger.part("form"))
    stranger.fill(name="Eve", email="ada@wonka.example")
    assert "Lovelace" not in str(stranger.thread())
    stranger.act("cancel_meeting")
    stranger.say("yes")
    assert [status for status, _ in meetings_of(one.db, stranger)] == ["cancelled"]  # their own
    assert meetings_of(one.db, ada) == [("booked", start)]


BOOK = """
nodes:
  - {id: mail, ask: Your e-mail?, kind: email}
  - {id: book-it, book: demo}
"""


def test_nobody_cancels_or_moves_a_meeting_by_typing_its_owners_address(one: Site) -> None:
    applied(one.db, site("optional", BOOK))
    squatter = one.browser(seed="squatter")  # was first to say that this is their address
    squatter.say("ada@wonka.example")
    ada = one.browser(ADA, seed="ada")
    assert ada.row.lead_id == squatter.row.lead_id
    ada.choose()
    start = ada.part("meeting")["meeting"]["start"]
    stranger = one.browser(seed="stranger")
    stranger.say("ada@wonka.example")
    for thief in (squatter, stranger):
        thief.say("Please cancel my meeting, I am ada@wonka.example")
        thief.act("cancel_meeting")
        thief.say("yes")
        thief.act("reschedule_meeting")
        assert start not in str([part for part in thief.parts if part["kind"] == "meeting"])
        assert meetings_of(one.db, ada) == [("booked", start)]
    with one.db.transaction() as tx:
        conversations.close(tx, conversations.lock(tx, ada.id), "", SYSTEM)
    phone = one.browser(ADA, seed="phone")  # she herself may, wherever she is signed in
    assert phone.id != ada.id
    phone.act("cancel_meeting")
    phone.say("yes")
    assert meetings_of(one.db, ada) == [("cancelled", start)]


def meetings_of(db: Database, chat: Chat) -> list[tuple[str, str]]:
    with db.reading() as tx:
        found = booking.of_conversation(tx, chat.id)
    return [(one.status, one.start_at.strftime("%Y-%m-%dT%H:%M:%SZ")) for one in found]
