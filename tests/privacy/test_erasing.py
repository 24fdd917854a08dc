"""One person is erased: nothing of theirs stays anywhere but the fact, and nobody else loses anything."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server import clock, ids
from server.booking import service as booking
from server.config import service as config
from server.conversations import service as conversations
from server.errors import Conflict, NotFound
from server.events import Actor
from server.leads import service as leads
from server.leads.values import FieldValue
from server.privacy import service as privacy
from server.privacy.service import Who
from server.sections import SECTIONS
from server.visitors import store as visitors_store
from tests.playbooks.chat import Chat
from tests.privacy.conftest import ADA, BOB, OWNER, TRACES, Town


def test_nothing_of_an_erased_person_is_found_in_any_table_or_file(fresh: Town):
    before = {name for name, _ in fresh.found()}
    assert before >= {"leads", "field_values", "messages", "meetings", "deliveries", "adapter_records", "visitors"}
    done = privacy.erase(fresh.db, fresh.who, by=OWNER, cancel_meetings=True)
    assert done.called_off == 1
    assert done.without_trace
    assert fresh.found() == []
    fresh.work()
    assert fresh.found() == []
    if fresh.db.is_sqlite:
        path = Path(str(fresh.db.url.database))
        files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-journal"))]
        kept = b"".join(file.read_bytes() for file in files if file.exists()).lower()
        assert [trace for trace in TRACES if trace.lower().encode() in kept] == []
        assert BOB.encode() in kept


def test_the_fact_stays_without_saying_who_it_was(town: Town):
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    (fact,) = [row for row in town.rows("events") if row["name"] == "person.erased"]
    assert fact["subject_id"] == ids.keyed_digest("person", "ada@wonka.example")
    assert (fact["actor_id"], fact["actor_name"]) == ("usr_1", "Olga Owner")
    rows = fact["data"]["rows"]
    assert (rows["leads"], rows["conversations"], fact["data"]["called_off"]) == (1, 1, 1)


def test_another_person_loses_nothing_but_the_erased_guest(town: Town):
    thread, (meeting,) = town.bob.thread(), [row for row in town.rows("meetings") if row["email"] == BOB]
    lead = [row for row in town.rows("leads") if row["email_key"] == BOB]
    views = [row for row in town.rows("page_views") if row["visitor_id"] == town.bob.row.visitor_id]
    account = town.rows("accounts")
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    words = [(seq, author, text.replace("ada@wonka.example", "[erased]")) for seq, author, text in thread]
    assert town.bob.thread() == words
    assert [row for row in town.rows("leads") if row["email_key"] == BOB] == lead
    assert [row for row in town.rows("page_views")] == views
    assert town.rows("accounts") == account  # the company that both are from
    (kept,) = [row for row in town.rows("meetings") if row["email"] == BOB]
    assert kept == {**meeting, "guests": []}
    assert town.bob.say("Are you still there?")


def test_the_others_reminders_still_go_out_and_name_the_erased_guest_no_more(town: Town, mails: Path):
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    before = len(list(mails.iterdir()))
    with clock.stopped_at(clock.now() + timedelta(hours=23)):
        town.work()
    to_bob = [text for text in newest(mails, before) if "To: Bob" in text]
    assert to_bob
    assert not [text for text in to_bob if "ada@" in text.lower()]


def test_hosts_are_told_without_a_name_and_the_time_is_open_again(town: Town, mails: Path):
    (mine,) = town.meetings(town.ada)
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    told = len(list(mails.iterdir()))
    town.work()
    (mail,) = newest(mails, told)
    assert "a visitor whose data was deleted" in mail
    assert "METHOD:CANCEL" in mail
    with town.db.reading() as tx:
        ahead = booking.for_rep(tx, mine.site_id, mine.rep, mine.start_at, mine.end_at)
    assert ahead == []
    events = [row for row in town.rows("adapter_records") if row["value"].get("uid") == mine.uid]
    assert [(row["value"].get("gone"), row["value"].get("title")) for row in events] == [(True, "")]


def test_a_meeting_ahead_is_not_dropped_silently(town: Town):
    before = town.everything()
    with pytest.raises(Conflict, match="A meeting lies ahead"):
        privacy.erase(town.db, town.who, by=OWNER)
    assert town.everything() == before


def test_a_past_meeting_stays_as_a_turn_that_a_rep_had(town: Town, morning: clock.StoppedClock):
    (mine,) = town.meetings(town.ada)
    turns = [(row["rep"], row["amount"], row["kind"], row["counts_at"]) for row in town.rows("credit_ledger")]
    morning.advance(timedelta(days=4))
    assert privacy.erase(town.db, town.who, by=OWNER).called_off == 0
    (kept,) = [row for row in town.rows("meetings") if row["id"] == mine.id]
    assert (kept["rep"], kept["start_at"], kept["status"]) == (mine.rep, mine.start_at, mine.status)
    assert (kept["name"], kept["email"], kept["phone"], kept["answers"], kept["lead_id"]) == ("", "", "", {}, None)
    assert [(row["rep"], row["amount"], row["kind"], row["counts_at"]) for row in town.rows("credit_ledger")] == turns
    with town.db.transaction() as tx:
        booking.mark(tx, town.version, mine.id, "done", by=OWNER)
    town.work()
    assert town.found() == []


def test_nothing_is_erased_while_the_outside_is_being_told(town: Town):
    with town.db.transaction() as tx:
        tx.exec_driver_sql("UPDATE deliveries SET state = 'leased', lease_until = '2026-03-02 09:00:30+00:00'")
    with pytest.raises(Conflict, match="at this moment"):
        privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)


def test_who_works_here_is_not_erased(town: Town):
    with pytest.raises(NotFound):
        privacy.erase(town.db, Who("nobody@wonka.example"), by=OWNER)
    rep = town.version.files["team.yml"].split("email: ")[1].split(",")[0].strip()
    talker = town.bob
    talker.say(f"I am {rep}")
    with town.db.transaction() as tx:
        conversations.keep_state(tx, talker.row, lead_id=None)
        tx.exec_driver_sql(f"UPDATE leads SET email_key = '{rep}' WHERE email_key = '{BOB}'")
    with pytest.raises(Conflict, match=r"team\.yml"):
        privacy.erase(town.db, Who(rep), by=OWNER, cancel_meetings=True)


def test_addresses_that_only_look_alike_stay(town: Town):
    town.bob.say("Write to nada@wonka.example, ada@wonka.example.org or ADA@WONKA.EXAMPLE.")
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    said = [text for _, _, text in town.bob.thread()]
    assert "Write to nada@wonka.example, ada@wonka.example.org or [erased]." in said


def test_a_browser_that_two_people_used_keeps_the_others_conversation(town: Town):
    visitor = town.bob.row.visitor_id
    with town.db.transaction() as tx:
        conversations.close(tx, town.bob.row, "none", OWNER)
        tx.exec_driver_sql(f"UPDATE conversations SET visitor_id = '{visitor}' WHERE id = '{town.ada.id}'")
    thread = [(seq, author) for seq, author, _ in town.bob.thread()]
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    assert [(seq, author) for seq, author, _ in town.bob.thread()] == thread
    assert town.found() == []
    (kept,) = [row for row in town.rows("visitors") if row["id"] == visitor]
    assert (kept["lead_id"], kept["attributes"]) == (None, {})


def test_the_browser_of_an_erased_person_is_somebody_new(town: Town):
    token, before = town.ada.token, town.ada.row.visitor_id
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    with pytest.raises(NotFound):
        town.ada.say("Hello?")
    town.ada.open()
    assert town.ada.token != token
    assert town.ada.row.visitor_id != before
    assert town.ada.texts[0] == "Hello"


def test_a_time_that_was_only_held_is_open_again(town: Town):
    start = datetime(2026, 3, 4, 10, tzinfo=UTC)
    with town.db.transaction() as tx:
        held = booking.hold(tx, town.version, meeting="demo", start=start, conversation_id=town.ada.id)
    privacy.erase(town.db, town.who, by=OWNER, cancel_meetings=True)
    assert held.id not in {row["id"] for row in town.rows("meetings")}
    assert not [row for row in town.rows("meeting_cells") if row["meeting_id"] == held.id]
    turns = [(row["kind"], row["amount"]) for row in town.rows("credit_ledger") if row["meeting_id"] == held.id]
    assert turns == [("assigned", "1"), ("released", "-1")]


def test_what_a_visitor_wrote_when_cancelling_goes_too(town: Town):
    (mine,) = town.meetings(town.ada)
    with town.db.transaction() as tx:
        by = Actor("visitor", town.ada.row.visitor_id, "Ada Lovelace")
        booking.cancel(tx, town.version, mine.id, by=by, reason="The Lovelace family is ill")
    assert ("credit_ledger", "Lovelace") in town.found()
    town.work()
    privacy.erase(town.db, town.who, by=OWNER)
    assert town.found() == []
    assert town.found(mine.conversation_id, town.ada.id) == []


def test_who_signed_in_is_found_by_what_the_site_signed(town: Town):
    stranger = Chat(town.db, seed="third").open()
    with town.db.transaction() as tx:
        signed = {"identity": "user-17", "signed": {"email": "eve@wonka.example", "name": "Eve"}}
        visitors_store.change(tx, stranger.row.visitor_id, signed)
    privacy.erase(town.db, Who("Eve@wonka.example"), by=OWNER)
    assert town.found("eve@wonka.example", "user-17") == []
    assert town.found()  # Ada is another person


def test_on_one_site_only_the_other_keeps_its_lead(town: Town):
    files = {**town.version.files}
    files["site.yml"] = files["site.yml"].replace("key: acme", "key: other")
    other = config.apply(town.db, files, author="test", sections=SECTIONS)
    with town.db.transaction() as tx:
        lead, _ = leads.meet(tx, other.site_id, email=ADA, source="form", actor=OWNER)
        leads.learn(tx, lead, [FieldValue("email", ADA, "form")])
    privacy.erase(town.db, Who(ADA, "acme"), by=OWNER, cancel_meetings=True)
    assert {row["site_id"] for row in town.rows("leads") if row["email_key"] == ADA.lower()} == {other.site_id}
    assert [row["value"] for row in town.rows("field_values") if row["subject_id"] == lead.id] == [ADA]
    privacy.erase(town.db, town.who, by=OWNER)
    assert town.found() == []


def test_what_is_said_at_the_same_moment_is_erased_too_or_refused(fresh: Town):
    def talk_on():
        for n in range(40):
            try:
                fresh.ada.send(f"purple elephant number {n}")
            except NotFound:
                return

    talker = threading.Thread(target=talk_on)
    talker.start()
    privacy.erase(fresh.db, fresh.who, by=OWNER, cancel_meetings=True)
    talker.join()
    fresh.work()
    assert fresh.found() == []


def test_erased_twice_is_nothing_left_to_erase(town: Town):
    privacy.erase(town.db, Who("ADA@wonka.EXAMPLE"), by=OWNER, cancel_meetings=True)
    with pytest.raises(NotFound, match=f"Nothing is held about {ADA}"):
        privacy.erase(town.db, town.who, by=OWNER)


def newest(mails: Path, after: int) -> list[str]:
    """What was written since there were `after` mails."""
    files = sorted(mails.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    return [file.read_text() for file in files[after:]]
