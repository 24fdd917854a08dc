"""Signing in over the socket: the conversation follows the person, and no other socket hears it any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from server import clock, settings
from server.config import folder
from server.config import service as config
from server.db import Database
from server.events import SYSTEM
from server.sections import SECTIONS
from server.visitors import keys
from server.web import limits
from server.web.chat import SIGNED_IN, Talk
from tests.processes import ROOT
from tests.web.test_protocol import ORIGIN, check, hello, say

ADA = {"sub": "ada", "email": "ada@wonka.example", "name": "Ada"}
BOB = {"sub": "bob", "name": "Bob"}


class Tab:
    """A page with a socket: gives frames, keeps what comes and the code with which it was closed."""

    def __init__(self, db: Database, *frames: dict[str, Any], address: str = "127.0.0.1") -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed = 0
        self.talk = Talk(self, db, ORIGIN, address)
        self.talk.begin(json.dumps(frames[0]))
        self.tell(*frames[1:])

    def tell(self, *frames: dict[str, Any]) -> Tab:
        for frame in frames:
            self.talk.answer(json.dumps(frame))
        return self

    def send_frame(self, frame: Any) -> None:
        self.sent.append(json.loads(json.dumps(frame)))

    def end(self, code: int, reason: str = "") -> None:
        self.closed = code

    @property
    def welcome(self) -> dict[str, Any]:
        return [frame for frame in self.sent if frame["t"] == "welcome"][-1]


class Acme:
    """The owner's server and its visitors' tabs."""

    def __init__(self, db: Database) -> None:
        self.db = db
        files = folder.load(ROOT / "server" / "sample")
        files = {**files, "site.yml": files["site.yml"] + "\nidentity: {mode: optional}\n"}
        self.site_id = config.apply(db, files, author="tests", sections=SECTIONS).site_id
        self.secret = keys.add(db, self.site_id, SYSTEM)[1]

    def signs(self, person: dict[str, Any], seconds: int = 600) -> str:
        return jwt.encode({**person, "exp": int(clock.now().timestamp()) + seconds}, self.secret, algorithm="HS256")

    def tab(self, *frames: dict[str, Any], address: str = "127.0.0.1", **first: Any) -> Tab:
        return Tab(self.db, hello(**first), *frames, address=address)


@pytest.fixture
def acme(sqlite_db: Database, monday: clock.StoppedClock) -> Acme:
    return Acme(sqlite_db)


def test_signing_in_during_a_chat_takes_it_along_and_cuts_every_socket_that_has_only_the_browsers_secret(acme: Acme):
    mine = acme.tab(say(1, "250"))
    secret = mine.welcome["token"]
    thief = acme.tab(token=secret)  # copied from this computer
    mine.tell({"t": "identify", "token": acme.signs(ADA)}, say(2, "For my eyes only"))
    assert mine.closed == 0
    assert mine.welcome["verified"] is True
    assert mine.welcome["conversation"] == thief.welcome["conversation"]
    assert thief.closed == SIGNED_IN
    thief.tell(say(3, "I am Ada"))
    assert "For my eyes only" not in str(thief.sent)
    assert "I am Ada" not in str(mine.sent)
    again = acme.tab(token=secret)
    assert again.welcome["conversation"] != mine.welcome["conversation"]
    check(mine.sent)


def test_a_socket_that_becomes_anothers_hears_nothing_more_of_the_first(acme: Acme):
    phone, laptop = (acme.tab(identity=acme.signs(ADA)) for _ in range(2))
    before = laptop.welcome["conversation"]
    assert phone.welcome["conversation"] == before
    laptop.tell({"t": "identify", "token": acme.signs(BOB)})
    assert laptop.welcome["conversation"] != before
    told = len(laptop.sent)
    phone.tell(say(1, "For my eyes only"))
    assert laptop.sent[told:] == []
    laptop.tell(say(2, "It is Bob"))
    assert "It is Bob" not in str(phone.sent)
    assert "For my eyes only" not in str(laptop.sent)


@pytest.mark.parametrize("token", ["forged", "somebody else's, expired"])
def test_a_page_that_cannot_prove_who_is_there_now_does_not_stay_with_whom_it_was(acme: Acme, token: str):
    tab = acme.tab(say(1, "For my eyes only"), identity=acme.signs(ADA))
    bad = "a.b.c" if token == "forged" else acme.signs(BOB, seconds=-100)
    told = len(tab.sent)
    tab.tell({"t": "identify", "token": bad})
    assert "verified" not in tab.welcome
    assert "For my eyes only" not in str(tab.sent[told:])
    code = "identity_refused" if token == "forged" else "identity_expired"
    assert tab.sent[-1] == {
        "t": "error",
        "code": code,
        "message": "What this page says about who is signed in could not be verified.",
    }


def test_the_person_who_is_there_stays_when_their_own_token_is_only_too_old(acme: Acme):
    tab = acme.tab(identity=acme.signs(ADA))
    before = tab.welcome["conversation"]
    tab.tell({"t": "identify", "token": acme.signs(ADA, seconds=-100)})
    assert tab.sent[-1]["code"] == "identity_expired"
    assert (tab.welcome["conversation"], tab.welcome["verified"]) == (before, True)


def test_after_a_cut_a_page_goes_on_and_can_still_sign_in(acme: Acme):
    first = acme.tab(identity=acme.signs(ADA))
    again = Tab(acme.db, {"t": "resume", "site": "acme", "token": first.welcome["token"]})
    assert (again.welcome["conversation"], again.welcome["verified"]) == (first.welcome["conversation"], True)
    again.tell({"t": "identify", "token": acme.signs(BOB)})
    assert again.welcome["conversation"] != first.welcome["conversation"]
    anonymous = acme.tab()
    resumed = Tab(acme.db, {"t": "resume", "site": "acme", "token": anonymous.welcome["token"]})
    resumed.tell({"t": "identify", "token": acme.signs({"sub": "carl"})})
    assert (resumed.welcome["conversation"], resumed.welcome["verified"]) == (anonymous.welcome["conversation"], True)


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("USHER_RATE_LIMITS", "true")
    settings.get.cache_clear()
    yield
    settings.get.cache_clear()


def test_guessing_is_slow(acme: Acme, limited: None):
    for _ in range(int(limits.BAD_TOKENS.burst) + 1):
        tab = acme.tab(identity="a.b.c", address="192.0.2.1")
    assert tab.closed == 4429
    assert acme.tab(identity=acme.signs(ADA), address="192.0.2.1").closed == 4429
    assert acme.tab(address="192.0.2.1").closed == 0


def test_an_office_whose_people_are_signed_in_comes_as_often_as_it_likes(acme: Acme, limited: None):
    for number in range(int(limits.STARTS.burst)):
        limits.started("192.0.2.2", f"site {number}")
    assert acme.tab(address="192.0.2.2").closed == 4429
    for number in range(5):
        tab = acme.tab(identity=acme.signs({"sub": f"colleague {number}"}), address="192.0.2.2")
        assert (tab.closed, tab.welcome["verified"]) == (0, True)
