"""The desk's meetings: whose, why this rep, how it ended."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from server.booking import service as booking
from server.config import service as config
from server.events import SYSTEM
from server.routing import service as routing
from tests.console.story import apply


class Undone(Exception):
    """What was only tried."""


def test_a_meeting_shows_when_for_whom_and_why_this_rep(desk, story):
    page = desk("grace").text(f"/meetings/{story.meeting}")
    assert "Product demo with Ada Lovelace" in page
    assert "Mon 2 Mar 2026, 16:00 – 16:30" in page  # in the site's zone
    assert "for the visitor Mon 2 Mar 2026, 10:00" in page
    assert "Which rep gets the meeting" in page
    assert "Chosen: <strong>Grace Hopper</strong>" in page
    assert "Linus Pauling" in page
    assert "Reports" in page


def test_todays_meetings_are_on_the_home_page_of_whom_they_concern(desk):
    assert "16:00 Product demo" in desk("grace").text("/")
    assert "16:00 Product demo" in desk("supervisor").text("/")
    assert "No meetings today" in desk("dennis").text("/")


def test_what_is_over_moves_to_the_past_and_the_list_can_be_narrowed_to_a_rep(desk, monday):
    owner = desk("owner")
    assert "Ada Lovelace" in owner.text("/meetings?rep=grace")
    assert "Ada Lovelace" not in owner.text("/meetings?rep=linus")
    assert "Ada Lovelace" not in owner.text("/meetings?show=past")
    monday.advance(timedelta(days=1))
    assert "Ada Lovelace" not in owner.text("/meetings")
    assert "Ada Lovelace" in owner.text("/meetings?show=past")


def test_a_rep_sees_their_own_meetings_whatever_the_address_says(desk):
    assert "Ada Lovelace" in desk("grace").text("/meetings")
    assert "Ada Lovelace" not in desk("dennis").text("/meetings?rep=grace")


def test_a_rep_cancels_and_the_visitor_is_told(desk, db, story):
    grace = desk("grace")
    grace.post(f"/meetings/{story.meeting}/cancel", {"reason": "<i>I am ill</i>"})
    page = grace.text(f"/meetings/{story.meeting}")
    assert "Cancelled" in page
    assert "&lt;i&gt;I am ill&lt;/i&gt;" in page
    assert "<i>I am ill" not in page
    with db.reading() as tx:
        meeting = booking.get(tx, story.meeting)
    assert (meeting.status, meeting.ended_by) == ("cancelled", "rep")
    assert "Take out of the calendar" in page


def test_the_page_says_how_the_meeting_came_to_its_rep(desk, db, story):
    owner, page = desk("owner"), f"/meetings/{story.meeting}"
    assert "picked from enterprise" in owner.text(page)
    owner.post(f"{page}/give", {"rep": "joan", "seen": "0", "leaving": "grace"})
    assert "given by Owner, instead of Grace Hopper" in owner.text(page)
    assert "picked from" not in owner.text(page)
    version, at = config.active(db, "acme"), datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, story.meeting, at, by=SYSTEM)
    assert "picked from enterprise when it was moved, instead of Joan Clarke" in owner.text(page)
    name = {"grace": "Grace Hopper", "linus": "Linus Pauling"}[moved.rep]
    owner.post(f"{page}/give", {"rep": "", "seen": "2", "leaving": moved.rep})
    assert f"given by Owner to the next in turn of enterprise, instead of {name}" in owner.text(page)


def test_the_page_says_where_the_meeting_is(desk, db, story):
    files, grace = config.active(db, "acme").files, desk("grace")
    assert '<a href="https://meet.acme.example/grace"' in grace.text(f"/meetings/{story.meeting}")
    for location, says in (
        ("{kind: in_person, address: 'Main Street 1'}", "Main Street 1"),
        ("{kind: phone}", "You call"),
        ("{kind: video}", "Video call; the link is in the calendar event"),
    ):
        meetings = files["meetings.yml"].replace("location: {kind: video}", f"location: {location}")
        team = re.sub(r"\n *location: *\{[^}]*\}", "", files["team.yml"])
        apply(db, "acme", "Elsewhere", meetings=meetings, team=team)
        assert re.search(rf"<dt>Where</dt><dd[^>]*>{says}", grace.text(f"/meetings/{story.meeting}"))


def test_every_page_of_a_meeting_is_on_the_viewers_clock_and_names_it(desk, db, story):
    team = config.active(db, "acme").files["team.yml"]
    begins = team.index("id: grace")
    moved = team[:begins] + team[begins:].replace("Europe/Berlin", "Asia/Tokyo", 1)
    apply(db, "acme", "Grace is in Tokyo", team=moved)
    pages = [f"/meetings/{story.meeting}{rest}" for rest in ("", "/move", "/give")]
    for who, clock, zone in (("grace", "Tue 3 Mar 2026, 00:00", "Asia/Tokyo"), ("owner", "16:00", "Europe/Berlin")):
        viewer = desk(who)
        for page in pages:
            assert clock in viewer.text(page)
            assert zone in viewer.text(page)
        assert clock in viewer.text("/meetings")
        assert f"Times in {zone}" in viewer.text("/meetings")


def test_a_meeting_that_took_place_can_be_told_from_a_no_show(desk, db, story, monday):
    grace = desk("grace")
    assert "It took place" not in grace.text(f"/meetings/{story.meeting}")
    grace.post(f"/meetings/{story.meeting}/end", {"result": "done"})
    assert "has not begun yet" in grace.said()
    monday.advance(timedelta(hours=8))
    assert "It took place" in grace.text(f"/meetings/{story.meeting}")
    grace.post(f"/meetings/{story.meeting}/end", {"result": "done"})
    with db.reading() as tx:
        assert booking.get(tx, story.meeting).status == "done"
    grace.post(f"/meetings/{story.meeting}/end", {"result": "no_show"})
    with db.reading() as tx:
        assert booking.get(tx, story.meeting).status == "no_show"
    assert grace.post(f"/meetings/{story.meeting}/end", {"result": "booked"}).status_code == 404


def test_too_late_to_cancel_is_said_on_the_page(desk, story, monday):
    grace = desk("grace")
    monday.advance(timedelta(hours=8))
    grace.post(f"/meetings/{story.meeting}/cancel")
    assert "has begun" in grace.said()


def test_later_meetings_follow_page_by_page(desk, db, story):
    with db.transaction() as tx:
        version, start = config.active(tx, "acme"), datetime(2026, 3, 3, tzinfo=UTC)
        look = {"meeting": "demo", "pool": "smb", "start": start, "end": start + timedelta(days=14), "zone": "UTC"}
        starts = booking.slots(tx, version, **look).starts[::3]
        for n, slot in enumerate(starts):
            held = booking.hold(tx, version, meeting="demo", start=slot, pool="smb")
            booking.confirm(tx, version, held.id, name=f"Person {n}.", email=f"person{n}@many.example")
    assert 50 < len(starts) < 99
    owner = desk("owner")
    first = owner.text("/meetings")
    more = re.search(r'href="(/meetings\?[^"]*from=[^"]*)"', first)
    assert first.count("lead-cell") == 50
    second = owner.text(more[1].replace("&amp;", "&"))
    assert [n for n in range(len(starts)) if f"Person {n}." not in first + second] == []
    assert "Show later ones" not in second


def test_an_address_with_a_moment_before_all_time_shows_the_list(desk):
    for moment in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "soon"):
        assert desk("owner").get(f"/meetings?from={moment}").status_code == 200


def test_a_supervisor_moves_a_meeting_to_an_open_time(desk, db, story):
    supervisor = desk("supervisor")
    page = supervisor.text(f"/meetings/{story.meeting}/move")
    assert "Times in Europe/Berlin; the visitor is in America/New_York," in page
    starts = re.findall(r'name="start" value="([^"]+)"', page)
    assert starts
    assert "2026-03-02T15:00:00Z" not in starts  # where it is now
    form = {"start": starts[-1], "seen": "0", "reason": "At Ada's wish"}
    supervisor.post(f"/meetings/{story.meeting}/move", form)
    with db.reading() as tx:
        moved = booking.get(tx, story.meeting)
    assert (moved.start_at.isoformat(), moved.sequence) == (starts[-1].replace("Z", "+00:00"), 1)
    assert "At Ada&#39;s wish" in supervisor.text(f"/meetings/{story.meeting}")
    supervisor.post(f"/meetings/{story.meeting}/move", {"start": starts[0], "seen": "0"})
    assert "has just changed this meeting" in supervisor.said()
    supervisor.post(f"/meetings/{story.meeting}/move", {"start": starts[0].replace("0:00Z", "7:00Z"), "seen": "1"})
    assert "not one of the times" in supervisor.said()
    supervisor.post(f"/meetings/{story.meeting}/move", {"start": "soon", "seen": "1"})
    assert "Choose one of the times shown" in supervisor.said()


def test_a_rep_gives_a_meeting_away_and_sees_why_others_cannot_have_it(desk, db, story, monday):
    grace = desk("grace")
    page = grace.text(f"/meetings/{story.meeting}/give")
    assert "Nobody of the pool is free at this time" in page  # Linus has gone home
    assert "Outside hours" in page
    assert 'name="rep" value="linus"' not in page
    assert 'name="rep" value="joan"' in page
    grace.post(f"/meetings/{story.meeting}/give", {"rep": "linus", "seen": "0", "leaving": "grace"})
    assert "Linus Pauling cannot take it" in grace.said()
    form = {"rep": "joan", "seen": "0", "leaving": "grace", "reason": "I am ill"}
    assert grace.post(f"/meetings/{story.meeting}/give", form).location == "/meetings"
    assert "The meeting is with Joan Clarke now" in grace.said()
    grace.get("/meetings")
    assert grace.get(f"/meetings/{story.meeting}").status_code == 404
    assert "I am ill" in desk("owner").text(f"/meetings/{story.meeting}")
    desk("owner").post(f"/meetings/{story.meeting}/give", form)
    with db.reading() as tx:
        assert (booking.get(tx, story.meeting).rep, booking.get(tx, story.meeting).sequence) == ("joan", 1)
    monday.advance(timedelta(hours=8))
    assert desk("owner").get(f"/meetings/{story.meeting}/give").status_code == 410


def test_another_time_says_who_takes_it_and_when_it_is_night_for_the_visitor(desk, db, story):
    page = re.sub(r"\s+", " ", desk("supervisor").text(f"/meetings/{story.meeting}/move"))
    assert "Pressing a time moves the meeting at once and mails everybody" in page
    offers = dict(re.findall(r'name="start" value="([^"]+)"[^>]*>(.*?)</button>', page))
    with db.reading() as tx:
        meeting, version = booking.get(tx, story.meeting), config.active(tx, "acme")
        start, end = (datetime(2026, 3, day, tzinfo=UTC) for day in (3, 4))
        would = booking.would_take(tx, version, meeting, start, end)
    assert {tuple(reps) for reps in would.values()} == {("grace",), ("linus",)}
    for at, reps in would.items():
        shown = offers[at.strftime("%Y-%m-%dT%H:%M:%SZ")]
        assert ("Linus Pauling" in shown) == (reps == ["linus"])
        there = at - timedelta(hours=5)  # New York, where it is night until seven
        assert (f"{there:%H:%M} for the visitor" in shown) == (there.hour < 7)
        with pytest.raises(Undone), db.transaction() as tx:
            assert booking.reschedule(tx, version, meeting.id, at, by=SYSTEM).rep == reps[0]
            raise Undone


def test_turns_are_told_alike_where_a_meeting_is_given_and_in_the_rotation(desk, db, story):
    with db.transaction() as tx:
        version = config.active(tx, "acme")
        held = booking.hold(tx, version, meeting="demo", start=datetime(2026, 3, 4, 10, tzinfo=UTC), pool="enterprise")
        meeting = booking.confirm(tx, version, held.id, name="Kim", email="kim@x.example", answers={"goal": "x"})
        other = {"grace": "linus", "linus": "grace"}[meeting.rep]
        routing.calibrate(tx, version, "enterprise", other, "-7/6", by=SYSTEM, reason="x")
    owner = desk("owner")
    (count,) = set(re.findall(r'<span title="exactly [^"]*">[^<]*</span>', owner.text(f"/meetings/{meeting.id}/give")))
    assert count in owner.text("/rotation/acme/enterprise")


def test_the_next_in_turn_gets_it_with_the_reason(desk, db):
    with db.transaction() as tx:
        version, start = config.active(tx, "acme"), datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
        held = booking.hold(tx, version, meeting="demo", start=start, pool="enterprise")
        meeting = booking.confirm(tx, version, held.id, name="Kim", email="kim@x.example", answers={"goal": "x"})
    owner = desk("owner")
    page = owner.text(f"/meetings/{meeting.id}/give")
    assert re.search(r"Next in turn.*?<p>(Grace Hopper|Linus Pauling): [a-z]", page, re.DOTALL)
    owner.post(f"/meetings/{meeting.id}/give", {"rep": "", "seen": "0", "leaving": meeting.rep})
    with db.reading() as tx:
        assert {meeting.rep, booking.get(tx, meeting.id).rep} == {"grace", "linus"}
