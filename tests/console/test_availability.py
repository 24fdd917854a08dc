"""The page "Availability": the week as it is, own times by forms, what is in their way, and why a time is offered."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from server.booking import service as booking
from server.config import service as config
from server.console import week_grid
from server.console.why import localised
from tests.console.story import apply

GRACE = "/availability/acme/grace"
WEDNESDAY = datetime(2026, 3, 4, 13, 0, tzinfo=UTC)


def plain(html):
    """What a reader reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def week_of(desk, who="grace", address=GRACE, week="2026-03-02"):
    """The days of the week as they are read."""
    page = desk(who).text(f"{address}?week={week}")
    return [plain(day) for day in re.findall(r'<section class="week-day.*?</section>', page, re.DOTALL)]


def own_times(db, rep="grace"):
    with db.reading() as tx:
        site = config.active(tx, "acme").site_id
        return booking.own_times_of(tx, site, rep, datetime(2026, 3, 2, tzinfo=UTC))


def book(db, start=WEDNESDAY, rep="grace"):
    with db.transaction() as tx:
        version = config.active(tx, "acme")
        held = booking.hold(tx, version, meeting="demo", start=start, rep=rep)
        told = {"name": "Zoë Löwe", "email": f"zoe{start.day}@initech.example", "answers": {"goal": "x"}}
        return booking.confirm(tx, version, held.id, **told)


def test_the_week_shows_hours_meetings_and_absences_on_the_reps_clock(desk):
    days = week_of(desk)
    assert "Mon 2 Mar" in days[0]
    assert "09:00 –12:30 Hours" in days[0]
    assert "16:00 –16:30 Product demo with Ada Lovelace" in days[0]
    assert "Out of office (Skiing)" in days[3]
    assert "No hours" in days[6]
    assert "Ada" not in "".join(week_of(desk, week="2026-03-09"))


def test_a_journey_and_a_public_holiday_are_seen_in_the_week(desk):
    assert "hours of New York" in week_of(desk, week="2026-11-23")[0]
    assert "15:00 –18:30 Hours" in week_of(desk, week="2026-11-23")[0]
    assert "No hours" in week_of(desk, week="2026-12-21")[4]


def test_away_is_kept_as_whole_days_and_said_on_the_page(desk, db):
    grace = desk("grace")
    sent = grace.post(
        GRACE, {"kind": "away", "from": "2026-04-01", "to": "2026-04-03", "title": "Lisbon", "zone": "Europe/Berlin"}
    )
    assert sent.location.endswith("week=2026-04-01#main")
    kept = own_times(db)[-1]
    assert (kept.start_local, kept.end_local, kept.title, kept.created_by) == (
        "2026-04-01T00:00", "2026-04-04T00:00", "Lisbon", "Grace",
    )  # fmt: skip
    assert "Wed 1 Apr 2026 to Fri 3 Apr 2026" in plain(grace.text(GRACE))
    assert "Lisbon" in week_of(desk, week="2026-04-01")[3]


def test_time_is_blocked_again_and_again_and_extra_hours_are_given(desk, db):
    grace = desk("grace")
    form = {"kind": "blocked", "zone": "Europe/Berlin", "date": "2026-03-10", "start": "22:00", "end": "01:30"}
    grace.post(GRACE, {**form, "repeat": "week", "days": ["1", "3"], "interval": "2", "until": "2026-06-30"})
    grace.post(
        GRACE,
        {**form, "kind": "open", "start": "18:00", "end": "20:00", "repeat": "month", "nth": "-1", "weekday": "4"},
    )
    grace.post(GRACE, {**form, "whole_day": "1", "date": "2026-03-20", "title": "Moving <b>house</b>"})
    page = plain(grace.text(GRACE))
    assert "Every 2 weeks on Tuesday and Thursday, 22:00–01:30 from Tue 10 Mar 2026 until Tue 30 Jun 2026" in page
    assert "Every month on the last Friday, 18:00–20:00 from Tue 10 Mar 2026" in page
    assert "Moving &lt;b&gt;house&lt;/b&gt;" in page
    rules = {row.rule for row in own_times(db)}
    assert rules == {"", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20260630T235959", "FREQ=MONTHLY;BYDAY=-1FR"}
    assert "Extra hours" in week_of(desk, week="2026-03-27")[4]


def test_a_form_that_makes_no_sense_comes_back_with_a_sentence_and_what_was_filled_in(desk, db):
    grace = desk("grace")
    form = {"kind": "blocked", "zone": "Europe/Berlin", "date": "2026-03-10", "start": "09:00", "end": "10:00"}
    for change, says in (
        ({"date": "soon"}, "Choose a date."),
        ({"start": "99:99"}, "Choose when it begins."),
        ({"end": ""}, "Choose when it ends."),
        ({"end": "09:00"}, "The end must lie after the start"),
        ({"date": "2025-03-10"}, "lies in the past"),
        ({"zone": "Mars"}, "is not a time zone"),
        ({"repeat": "week", "interval": "99"}, "every 1 to 52 weeks"),
        ({"repeat": "month", "nth": "7", "weekday": "1"}, "day of the month"),
        ({"repeat": "month", "nth": "x", "weekday": "1"}, "on which days"),
        ({"repeat": "year"}, "by weeks or by months"),
        ({"repeat": "week", "until": "2026-03-01"}, "would end before it begins"),
        ({"repeat": "week", "days": "6", "until": "2026-03-12"}, "no such day"),
        ({"kind": "open", "start": "09:02"}, "multiple of 5"),
        ({"kind": "lunch"}, "Choose what to add"),
        ({"title": "x" * 201}, "200 characters"),
    ):
        sent = grace.post(GRACE, {**form, "title": "Kept words", **change})
        assert sent.status_code == 422, change
        assert says in sent.text, change
        if change.get("kind") != "lunch" and "title" not in change:
            assert 'value="Kept words"' in sent.text, change
    sent = grace.post(GRACE, {"kind": "away", "zone": "UTC", "from": "2026-03-10", "to": "2026-03-09", "title": "Kept"})
    assert "The last day lies before the first." in sent.text
    assert 'name="from" type="date" required value="2026-03-10"' in sent.text
    assert len(own_times(db)) == 2


def test_what_was_kept_is_said_where_the_page_opens_and_an_error_keeps_the_week(desk):
    grace = desk("grace")
    page = grace.text(f"{GRACE}?week=2026-03-16")
    action = re.search(r'action="([^"]+#add)"', page)[1].replace("&amp;", "&")
    assert action == f"{GRACE}?week=2026-03-16#add"
    form = {"kind": "away", "zone": "Europe/Berlin", "from": "2026-03-17", "to": "2026-03-10"}
    assert "Mon 16 Mar 2026 to Sun 22 Mar 2026" in grace.post(action, form).text
    sent = grace.post(action, {**form, "to": ""})
    assert sent.location.endswith("#main")  # else the browser would carry #add over, below the notice
    assert re.search(r'<main[^>]* id="main"[^>]*>\s*<p class="notice done"', grace.text(sent.location.split("#")[0]))
    block = re.search(r"/availability/acme/grace/(\w+)/remove", grace.text(GRACE))[1]
    assert grace.post(f"{GRACE}/{block}/remove").location.endswith("#main")


def test_meetings_in_a_new_absence_wait_for_a_decision_each(desk, db, story):
    grace, meeting = desk("grace"), book(db)
    sent = grace.post(GRACE, {"kind": "away", "from": "2026-03-04", "zone": "Europe/Berlin"})
    here = sent.location.split("#")[0]
    page = grace.text(here)
    assert "Meetings that are booked in this time" in page
    assert "Product demo with Zoë Löwe" in page
    for deed in ("give", "move", "cancel"):
        assert f"/meetings/{meeting.id}/{deed}" in page
    assert "Ada Lovelace" not in page
    assert "1 meeting booked in blocked time" in grace.text(GRACE)
    with db.reading() as tx:
        assert booking.get(tx, meeting.id).status == "booked"
    done = grace.post(f"/meetings/{meeting.id}/cancel", {"seen": "0", "next": here, "reason": "ill"})
    assert done.location == here
    assert "No meeting is booked in this time" in grace.text(here)
    assert "booked in blocked time" not in grace.text(GRACE)


def test_deleted_twice_is_deleted_once(desk, db, story):
    grace = desk("grace")
    for said in ("Deleted", "deleted before"):
        grace.post(f"{GRACE}/{story.block}/remove")
        assert said in grace.said()
    assert [row.id for row in own_times(db)] == [story.second_block]


def test_a_supervisor_looks_after_everybody_and_a_rep_after_themselves(desk, db):
    supervisor = desk("supervisor")
    assert "Linus Pauling" in supervisor.text(GRACE)
    supervisor.post("/availability/acme/dennis", {"kind": "away", "from": "2026-03-04", "zone": "Europe/London"})
    assert [row.created_by for row in own_times(db, "dennis")] == ["Supervisor"]
    assert "Linus Pauling" not in desk("dennis").text("/availability")
    assert "Availability</h1>" in desk("dennis").text("/availability")
    assert supervisor.get("/availability/acme/nobody").status_code == 404
    assert supervisor.get("/availability/other/grace").status_code == 404
    assert "/availability" not in desk("marketing").text("/")


def test_a_week_that_is_odd_or_far_away_is_this_week(desk):
    for week in ("", "soon", "9999-12-31", "0001-01-01"):
        assert "Mon 2 Mar 2026 to Sun 8 Mar 2026" in desk("grace").text(f"{GRACE}?week={week}")


def test_why_a_time_is_offered_or_not_is_said_for_each_rep_on_the_viewers_clock(desk, db):
    book(db)
    supervisor = desk("supervisor")
    look = "/availability/why?site=acme&meeting=demo&pool=enterprise&date="
    page = plain(supervisor.text(look + "2026-03-04&time=14:00"))
    assert "Wed 4 Mar 2026, 14:00 is offered: 1 person is free." in page
    assert "Grace Hopper Busy Product demo with Zoë Löwe, Wed 4 Mar 2026, 14:00 to 14:45" in page
    page = plain(supervisor.text(look + "2026-03-05&time=16:30"))
    assert "not offered: nobody is free" in page
    assert "Out of office (Skiing), Thu 5 Mar 2026, 00:00 to Fri 6 Mar 2026, 00:00" in page
    assert "Linus Pauling Outside hours" in page
    assert "Too soon" in plain(supervisor.text(look + "2026-03-02&time=09:00"))
    assert "Not a starting time" in plain(supervisor.text(look + "2026-03-04&time=10:10"))
    assert "Not among the dates" in plain(supervisor.text(look + "2027-03-04&time=10:00"))
    for odd in ("soon&time=10:00", "2026-03-04&time=x", "9999-12-31&time=10:00"):
        assert "Choose a date and a time" in supervisor.text(look + odd)
    assert "There is no meeting lunch" in supervisor.text(look.replace("demo", "lunch") + "2026-03-04&time=10:00")


def test_what_colleagues_are_busy_with_is_theirs(desk, db):
    book(db)
    page = plain(
        desk("dennis").text("/availability/why?site=acme&meeting=demo&pool=enterprise&date=2026-03-04&time=13:00")
    )
    assert "13:00 is offered" in page  # in London, where Dennis is
    assert "Grace Hopper Busy –" in page
    assert "Zoë" not in page


def test_moments_in_a_reason_are_read_on_a_clock():
    text = "the calendar, 2026-03-03T09:00:00Z to 2026-03-03T09:30:00Z"
    assert localised(text, "Asia/Kathmandu") == "the calendar, Tue 3 Mar 2026, 14:45 to 15:15"


def test_what_overlaps_lies_side_by_side_and_days_of_the_clock_change_keep_their_columns():
    def item(kind, start, hours):
        at = datetime.fromisoformat(start).replace(tzinfo=UTC)
        return booking.Item(kind, at, at + timedelta(hours=hours))

    items = [
        item("hours", "2026-03-29T07:00", 8),
        item("busy", "2026-03-29T08:00", 2),
        item("meeting", "2026-03-29T08:30", 1),
    ]
    grid = week_grid.lay_out([*items, item("meeting", "2026-03-29T12:00", 1)], date(2026, 3, 23), "Europe/Berlin")
    sunday = grid.columns[6]
    assert [(one.start, one.at, one.rows, one.lane, one.lanes) for one in sunday.pieces] == [
        ("10:00", 4, 8, 1, 2), ("10:30", 6, 4, 2, 2), ("14:00", 20, 4, 1, 1),
    ]  # fmt: skip
    assert [(one.start, one.end) for one in sunday.hours] == [("09:00", "17:00")]
    night = week_grid.lay_out([item("blocked", "2026-03-28T21:00", 6)], date(2026, 3, 23), "Europe/Berlin")
    assert [(one.start, one.end) for column in night.columns for one in column.pieces] == [
        ("22:00", "24:00"),
        ("00:00", "05:00"),
    ]


def test_a_rep_taken_off_the_team_leaves_meetings_that_owners_see_and_give_away(desk, db, story):
    files = config.active(db, "acme").files
    team = files["team.yml"].replace("    name: Grace Hopper\n", "    name: Grace Hopper\n    active: false\n")
    apply(db, "acme", "Grace has left", team=team)
    supervisor = desk("supervisor")
    assert "With people who are not on the team any more" in supervisor.text("/meetings")
    assert "Grace Hopper is not on the team any more" in plain(supervisor.text(f"/meetings/{story.meeting}"))
    assert "not on the team" not in desk("marketing").text("/account")
    supervisor.post(f"/meetings/{story.meeting}/give", {"rep": "joan", "seen": "0", "leaving": "grace"})
    assert "The meeting is with Joan Clarke now" in supervisor.said()
    assert "With people who are not on the team" not in supervisor.text("/meetings")
