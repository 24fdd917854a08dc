"""kill -9 in the middle of a chat and in the middle of bookings: nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from itertools import pairwise
from typing import Any

import pytest

from tests.journeys.conftest import Town
from tests.journeys.visitor import Visitor
from tests.processes import wait_until

CHAT_KILLS = 20 if os.environ.get("USHER_SOAK") else 2
BOOKING_KILLS = 50 if os.environ.get("USHER_SOAK") else 2


pytestmark = pytest.mark.long


def test_a_chat_goes_on_through_kills_without_a_lost_or_doubled_message(town: Town):
    visitor = Visitor(town.usher_url, town.site_url)
    visitor.connect()
    said, before = [], len(town.servers)
    for n in range(CHAT_KILLS):
        threading.Timer(random.uniform(0, 0.05), town.kill_and_restart).start()
        for text in (f"What does plan number {n} cost?", f"Do you integrate with Salesforce, {n}?"):
            visitor.say(text)
            said.append(text)
        wait_until(lambda started=before + n + 1: len(town.servers) == started, what="the restart")
    visitor.close()

    again = Visitor(town.usher_url, town.site_url)
    again.token = visitor.token
    again.connect()
    theirs = [one["text"] for one in again.messages() if one["author"] == "visitor"]
    assert theirs == said
    assert [one["seq"] for one in again.messages()] == list(range(1, len(again.messages()) + 1))
    whole = {one["seq"]: one["text"] for one in again.messages()}  # the last answer may still have been on its way
    assert {one["seq"]: one["text"] for one in visitor.messages()}.items() <= whole.items()
    answered = [after["author"] for before, after in pairwise(again.messages()) if before["author"] == "visitor"]
    assert answered == ["bot"] * len(said)


def test_a_booking_in_the_chat_survives_a_kill_at_every_step(town: Town):
    visitor = Visitor(town.usher_url, town.site_url)
    visitor.connect()
    for text in ("250 people", "replacing a tool", "this quarter"):
        visitor.say(text)
    slots = visitor.part("slots")
    town.kill_and_restart()
    visitor.say("that one", {"slot": slots["suggested"][0], "meeting": slots["meeting"]})
    held = visitor.part("form")["held"]["start"]
    town.kill_and_restart()
    visitor.say("Ada", {"form": {"name": "Ada Lovelace", "email": "ada@globex.example"}})
    assert visitor.part("meeting")["meeting"]["start"] == held
    town.kill_and_restart()
    (mail,) = town.postbox.wait_for("ada@globex.example", 1)
    assert "Booked" in mail["Subject"]
    visitor.close()


def test_bookings_through_kills_never_overlap_and_each_has_its_mails(town: Town):
    stop, done = threading.Event(), []

    def book(n: int) -> None:
        mine = 0
        while not stop.is_set():
            mine += 1
            if meeting := book_once(town, f"visitor{n}x{mine}@globex.example"):
                done.append(meeting)

    clients = [threading.Thread(target=book, args=(n,)) for n in range(3)]
    [client.start() for client in clients]
    for kills in range(BOOKING_KILLS):
        wait_until(lambda least=kills + 1: len(done) >= least, seconds=60, what="bookings")
        town.kill_and_restart()
    stop.set()
    [client.join() for client in clients]

    wait_until(lambda: deliveries_left(town) == 0, seconds=60, what="all deliveries going out")
    with sqlite3.connect(town.data / "usher.db") as db:
        booked = db.execute("SELECT id, email FROM meetings WHERE status = 'booked'").fetchall()
        assert {meeting["id"] for meeting in done} <= {id for id, _ in booked}
        assert overlaps(db) == []
        mailed = {
            row[0] for row in db.execute("SELECT subject_id FROM deliveries WHERE kind = 'notify' AND state = 'done'")
        }
    assert {id for id, _ in booked} <= mailed
    for meeting in done:
        assert len(town.postbox.to(meeting["email"])) >= 1


def book_once(town: Town, address: str) -> dict[str, Any] | None:
    """One open time, held and confirmed with keys that make every step repeatable."""
    slots = ask(town, "GET", "/v1/slots?site=acme&meeting=intro&days=14&zone=UTC")
    starts = [start for day in slots["days"] for start in day["slots"]]
    start = random.choice(starts)
    hold = ask(town, "POST", "/v1/holds", {"site": "acme", "meeting": "intro", "start": start, "key": address})
    if "error" in hold:
        return None
    body = {"site": "acme", "hold": hold["hold"]["token"], "name": "Ada", "email": address, "key": address}
    made = ask(town, "POST", "/v1/meetings", body)
    return {**made["meeting"], "email": address} if "meeting" in made else None


def ask(town: Town, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask until there is an answer, through restarts."""
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json", "Origin": town.site_url}
    request = urllib.request.Request(town.usher_url + path, data, headers, method=method)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as refusal:
            return dict(json.load(refusal))
        except (OSError, ValueError):
            continue
    raise AssertionError("no answer in a minute")


def deliveries_left(town: Town) -> int:
    with sqlite3.connect(town.data / "usher.db") as db:
        due = "not_before <= datetime('now') OR attempts > 0"  # what was in hand at several kills rests a while
        left = f"SELECT count(*) FROM deliveries WHERE state IN ('waiting', 'leased') AND ({due})"  # noqa: S608
        return int(db.execute(left).fetchone()[0])


def overlaps(db: sqlite3.Connection) -> list[Any]:
    """Pairs of meetings of one rep whose blocked times meet."""
    pairs = """SELECT a.meeting_id, b.meeting_id FROM meeting_hosts a JOIN meeting_hosts b
               ON a.rep = b.rep AND a.meeting_id < b.meeting_id AND a.blocks AND b.blocks
               AND a.busy_from < b.busy_until AND b.busy_from < a.busy_until"""
    return db.execute(pairs).fetchall()
