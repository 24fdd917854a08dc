"""Meetings in Outlook: one event whatever gets lost, Teams links that stay, and what people made of it respected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from plugins.calendar import Guest
from plugins.errors import AmbiguousOutcome, Conflict, Duplicate, InvalidInput, NotFound, PluginError, Transient
from plugins.testing.calendar import DEMO, at
from plugins.testing.fakes import Fault
from plugins.testing.fakes.graph import GraphFake
from tests.plugins.calendar import graph
from tests.plugins.calendar.graph import GRACE

ONLINE = replace(DEMO, video=True)


@pytest.fixture(scope="module")
def service() -> Iterator[GraphFake]:
    with GraphFake() as fake:
        yield fake


@pytest.fixture
def fake(service: GraphFake) -> GraphFake:
    service.reset()
    return service


def only_event(fake: GraphFake) -> dict:
    [event] = fake.store.events.values()
    return event.data


def test_a_lost_answer_makes_no_second_event_long_after_the_transaction_is_forgotten(fake: GraphFake):
    fake.remembers_transactions = False
    subject = graph.opened(fake)
    with graph.lost_answer(fake), pytest.raises(AmbiguousOutcome):
        subject.create(GRACE, DEMO, key="k1")
    assert subject.create(GRACE, DEMO, key="k1").id in fake.store.events
    assert len(fake.store.events) == 1
    subject.create(GRACE, DEMO, key="k2")
    assert len(fake.store.events) == 2


@pytest.mark.parametrize("status", [400, 409])
def test_a_transaction_that_was_used_leads_to_its_event(fake: GraphFake, status: int):
    """So it answers while the first call is not to be found by its mark yet."""
    there = fake.put(GRACE, "2026-03-02T12:00:00", "2026-03-02T12:30:00")
    body = (
        f'{{"error": {{"code": "ErrorDuplicateTransactionId", "message": "", "@event.existingEventId": "{there.id}"}}}}'
    )
    fake.faults.add(Fault(status, body.encode()), on="POST .*/events$")
    assert graph.opened(fake).create(GRACE, DEMO, key="k1").id == there.id


def test_a_transaction_whose_event_is_gone_is_a_duplicate(fake: GraphFake):
    body = b'{"error": {"code": "ErrorDuplicateTransactionId", "message": "", "@event.existingEventId": "AAk9"}}'
    fake.faults.add(Fault(400, body), on="POST .*/events$")
    with pytest.raises(Duplicate) as caught:
        graph.opened(fake).create(GRACE, DEMO, key="k1")
    assert caught.value.existing == "AAk9"


def test_a_teams_link_comes_with_the_event_and_stays_when_the_text_changes(fake: GraphFake):
    subject = graph.opened(fake)
    ref = subject.create(GRACE, ONLINE, key="k1")
    link = subject.video(ref).video_url
    assert "teams.microsoft.example" in link
    for n, text in enumerate(["Another <b>text</b>\nof two lines", "", "A third & last"]):
        ref = subject.update(ref, replace(ONLINE, description=text), key=f"u{n}")
        assert ref.video_url == link
        assert link in only_event(fake)["body"]["content"]
    shown = only_event(fake)["body"]["content"]
    assert "A third &amp; last" in shown
    assert "Another" not in shown
    assert shown.count("usher-text") == 1


def test_a_text_that_exchange_wrapped_is_found_again_and_one_that_is_gone_is_put_first(fake: GraphFake):
    subject = graph.opened(fake)
    ref = subject.create(GRACE, ONLINE, key="k1")
    event = fake.store.events[ref.id]
    blob = event.data["body"]["content"].split("</div>", 1)[1]
    inside = (
        f'<html><head></head>\n<body>\n<div class="x_usher-text">Gr\n<div>old</div> text</div>\n{blob}</body></html>'
    )
    event.data["body"]["content"] = inside
    ref = subject.update(ref, replace(ONLINE, description="new"), key="k2")
    expected = f'<html><head></head>\n<body>\n<div class="usher-text">new</div>\n{blob}</body></html>'
    assert event.data["body"]["content"] == expected
    event.data["body"]["content"] = f"<html><body>mine{blob}</body></html>"
    subject.update(ref, replace(ONLINE, description="newer"), key="k3")
    kept = f'<html><body><div class="usher-text">newer</div>mine{blob}</body></html>'
    assert event.data["body"]["content"] == kept


def test_a_link_that_teams_makes_later_is_awaited_and_none_without_teams_is_said(fake: GraphFake):
    subject = graph.opened(fake)
    fake.teams = "later"
    ref = subject.create(GRACE, ONLINE, key="k1")
    assert ref.video_url == ""
    with pytest.raises(Transient):
        subject.video(ref)
    fake.make_links()
    assert subject.video(ref).video_url
    fake.teams = ""
    with pytest.raises(NotFound):
        subject.video(subject.create(GRACE, ONLINE, key="k2"))


def test_a_meeting_turns_into_one_with_video_and_never_back(fake: GraphFake):
    subject = graph.opened(fake)
    ref = subject.update(subject.create(GRACE, DEMO, key="k1"), ONLINE, key="k2")
    assert ref.video_url
    assert subject.update(ref, replace(at(15), video=False), key="k3").video_url == ref.video_url


def test_the_answer_of_a_guest_does_not_stand_in_the_way_of_a_move(fake: GraphFake):
    subject = graph.opened(fake, guests="yes")
    ref = subject.create(GRACE, DEMO, key="k1")
    answered = {**only_event(fake)["attendees"][0], "status": {"response": "accepted"}}
    fake.change(ref.id, attendees=[answered])
    moved = subject.update(ref, replace(at(15), guests=DEMO.guests), key="k2")
    assert only_event(fake)["start"]["dateTime"].startswith("2026-03-02T15:00:00")
    assert only_event(fake)["attendees"] == [answered]
    with pytest.raises(Conflict):
        subject.update(ref, at(16), key="k3")
    assert subject.update(moved, at(16), key="k4").id == ref.id


def test_a_meeting_that_its_rep_moved_is_not_moved_back_by_an_old_wish(fake: GraphFake):
    subject = graph.opened(fake)
    ref = subject.create(GRACE, DEMO, key="k1")
    later = {"dateTime": "2026-03-02T17:00:00", "timeZone": "UTC"}
    fake.change(ref.id, start=later, end={**later, "dateTime": "2026-03-02T17:30:00"})
    with pytest.raises(Conflict):
        subject.update(ref, at(15), key="k2")
    assert only_event(fake)["start"]["dateTime"].startswith("2026-03-02T17")
    subject.update(replace(ref, version=""), at(15), key="k3")
    assert only_event(fake)["start"]["dateTime"].startswith("2026-03-02T15")


def test_what_the_rep_wrote_into_the_event_stays_until_ours_changes(fake: GraphFake):
    subject = graph.opened(fake, guests="yes")
    ref = subject.create(GRACE, DEMO, key="k1")
    colleague = {"emailAddress": {"address": "Boss@acme.example", "name": "Boss"}, "type": "optional"}
    mine = {"subject": "Demo for Ada!", "location": {"displayName": "Room 1"}, "showAs": "tentative"}
    fake.change(ref.id, **mine, attendees=[*only_event(fake)["attendees"], colleague])
    ref = subject.update(replace(ref, version=""), replace(at(15), guests=(Guest("eve@globex.example"),)), key="k2")
    event = only_event(fake)
    assert (event["subject"], event["location"], event["showAs"]) == tuple(mine.values())
    assert [one["emailAddress"]["address"] for one in event["attendees"]] == ["eve@globex.example", "Boss@acme.example"]
    subject.update(ref, replace(at(15), title="Demo for two"), key="k3")
    assert only_event(fake)["subject"] == "Demo for two"


def test_guests_are_written_only_where_the_owner_wants_exchange_to_mail_them(fake: GraphFake):
    graph.opened(fake).create(GRACE, DEMO, key="k1")
    assert only_event(fake)["attendees"] == []
    assert fake.mails == []
    fake.reset()
    subject = graph.opened(fake, guests="yes")
    ref = subject.create(GRACE, DEMO, key="k1")
    subject.cancel(ref, key="k2", reason="Grace is ill")
    assert fake.mails == [("invited", "ada@globex.example", ""), ("cancelled", "ada@globex.example", "Grace is ill")]
    assert fake.store.events == {}


def test_an_invitation_of_somebody_else_is_taken_out_of_the_calendar_not_cancelled(fake: GraphFake):
    boss = {"emailAddress": {"address": "boss@acme.example"}, "type": "required"}
    event = fake.put(GRACE, "2026-03-02T12:00:00", "2026-03-02T12:30:00", isOrganizer=False, attendees=[boss])
    subject = graph.opened(fake)
    ref = replace(subject.create(GRACE, at(15), key="k1"), id=event.id)
    subject.cancel(ref, key="k2")
    assert event.id not in fake.store.events
    assert fake.mails == []


def test_what_was_called_off_is_gone_although_it_can_be_read(fake: GraphFake):
    subject = graph.opened(fake)
    ref = subject.create(GRACE, DEMO, key="k1")
    fake.change(ref.id, isCancelled=True)
    with pytest.raises(NotFound):
        subject.update(ref, at(9), key="k2")
    subject.cancel(ref, key="k3")


def test_a_change_that_meets_another_is_tried_again_where_no_version_was_asked_for(fake: GraphFake):
    subject = graph.opened(fake)
    ref = subject.create(GRACE, DEMO, key="k1")
    fake.faults.add(Fault(412, b'{"error": {"code": "ErrorIrresolvableConflict", "message": ""}}'), on="PATCH", times=2)
    with pytest.raises(Conflict):
        subject.update(ref, at(9), key="k2")
    with pytest.raises(Transient):
        subject.update(replace(ref, version=""), at(9), key="k2")
    assert subject.update(ref, at(9), key="k2").id == ref.id


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ErrorInvalidIdMalformed", NotFound),
        (404, "MailboxNotEnabledForRESTAPI", NotFound),
        (400, "ErrorInvalidRecipients", InvalidInput),
        (409, "ErrorIrresolvableConflict", Conflict),
        (503, "ErrorServerBusy", Transient),
        (500, "ErrorAccessDenied", Transient),
    ],
)
def test_graphs_own_words_say_what_to_do(fake: GraphFake, status: int, code: str, kind: type[PluginError]):
    subject = graph.opened(fake)
    ref = subject.create(GRACE, DEMO, key="k1")
    body = f'{{"error": {{"code": "{code}", "message": "No.", "innerError": {{"request-id": "r-17"}}}}}}'
    fake.faults.add(Fault(status, body.encode()), on="PATCH")
    with pytest.raises(PluginError) as caught:
        subject.update(ref, at(9), key="k2")
    assert type(caught.value) is kind
    assert (caught.value.vendor_code, caught.value.request_id) == (code, "r-17")
    if kind is InvalidInput:
        assert caught.value.field == "guests"


def test_texts_are_sent_as_text(fake: GraphFake):
    odd = replace(DEMO, title="A\x00B\r\nC", description='<script>alert("x")</script>\r\n2 < 3', location="Room \x07 1")
    graph.opened(fake).create(GRACE, odd, key="k1")
    event = only_event(fake)
    assert event["subject"] == "AB\nC"
    assert "<script>" not in event["body"]["content"]
    assert "&lt;script&gt;" in event["body"]["content"]
    assert "<br>2 &lt; 3" in event["body"]["content"]


def test_an_hour_long_meeting_over_midnight_keeps_its_length(fake: GraphFake):
    late = replace(
        DEMO, start=DEMO.start + timedelta(hours=11, minutes=30), end=DEMO.start + timedelta(hours=12, minutes=30)
    )
    graph.opened(fake).create(GRACE, late, key="k1")
    event = only_event(fake)
    assert (event["start"]["dateTime"][:16], event["end"]["dateTime"][:16]) == ("2026-03-02T23:30", "2026-03-03T00:30")
