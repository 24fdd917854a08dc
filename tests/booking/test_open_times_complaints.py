"""What people complained of elsewhere: Cal.com's issues (by number) that concern open times, one named case each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.booking import service as booking
from server.booking.availability.form import solve_slots
from server.errors import SlotTaken
from server.events import Actor
from tests.booking.conftest import ADA, MEETINGS, NINE, TEAM
from tests.booking.test_slots import problem, rep, times

VISITOR, HOUR = Actor("visitor"), timedelta(hours=1)
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def at(day: str, *clock: str) -> list[list[str]]:
    return [[f"{day}T{part}:00Z" for part in span.split("-")] for span in clock]


def midnight(*hours: str) -> dict[str, Any]:
    """Works Monday into Tuesday."""
    first, second = (span.split("-") for span in hours)
    return rep() | {
        "working_hours": [
            {"days": ["mon"], "start": first[0], "end": first[1]},
            {"days": ["tue"], "start": second[0], "end": second[1]},
        ]
    }


LA, MONDAY = "America/Los_Angeles", "2026-03-02"
ALL_DAY = {"date": MONDAY, "time_zone": "UTC"}
NEVER = rep(id="away", busy=[["2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"]])
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "30021, 30022: afternoon hours stay put on the day clocks go forward": (
        problem("2026-03-08", rep(LA, "13:00-17:00", days=["sun"])), ["20:00", "21:00", "22:00", "23:00"]),
    "19589: the first hour of the day clocks go back is there": (
        problem("2026-11-01", rep("America/New_York", "00:00-03:00")), ["04:00", "05:00", "06:00", "07:00"]),
    "10517, 4702, 4753: a summer date asked for in winter has summer hours": (
        problem("2026-07-01", rep("Europe/Berlin"), now="2026-01-15T00:00:00Z"), ["07:00", "08:00"]),
    "12137: notice that ends on the day of the change": (
        problem("2026-03-29", rep("Europe/Berlin", "08:00-12:00"), meeting={"min_notice_min": 1440},
                now="2026-03-28T07:30:00Z"), ["08:00", "09:00"]),
    "10136: zones of half an hour": (
        problem(MONDAY, rep("Asia/Kolkata")), ["03:30", "04:30"]),
    "8833, 10200: an override is on its own date for a rep far away": (
        problem("2026-03-01", rep("Pacific/Auckland", overrides=[
            {"date": MONDAY, "hours": [{"start": "07:00", "end": "08:00"}]}])), ["18:00"]),
    "9964, 6136: a day off abroad is that day and no other": (
        problem(MONDAY, rep("Asia/Tokyo", overrides=[{"date": MONDAY, "hours": []}]), until="2026-03-03"),
        ["00:00", "01:00"]),
    "5587, 6323, 5929: a meeting may run across midnight": (
        problem(MONDAY, midnight("23:00-24:00", "00:00-01:00"), minutes=90, until="2026-03-03"), ["23:00"]),
    "6054, 17347, 19139: hours that end after midnight": (
        problem(MONDAY, rep(hours="22:00-01:00", days=["mon"]), until="2026-03-03"), ["22:00", "23:00", "00:00"]),
    "13311: the last meeting ends at 24:00": (
        problem(MONDAY, rep(hours="22:00-24:00")), ["22:00", "23:00"]),
    "7667: the last hour can be booked": (
        problem(MONDAY, rep(hours="16:00-19:00")), ["16:00", "17:00", "18:00"]),
    "24260, 17844: nothing outside the range that was asked for": (
        problem(MONDAY, rep(hours="09:00-17:00"), range={"start": f"{MONDAY}T10:30:00Z", "end": f"{MONDAY}T13:00:00Z"}),
        ["11:00", "12:00"]),
    "3662, 693: the buffer after one meeting keeps the next away": (
        problem(MONDAY, rep(hours="09:00-12:00", busy=at(MONDAY, "10:00-11:00")), meeting={"buffer_after_min": 15}),
        ["11:00"]),
    "2078: the buffer before counts too": (
        problem(MONDAY, rep(hours="09:00-12:00", busy=at(MONDAY, "09:00-10:00")), meeting={"buffer_before_min": 15}),
        ["11:00"]),
    "17414: a buffer is each rep's own in a round robin": (
        problem(MONDAY, rep(busy=at(MONDAY, "10:00-11:00")), rep(id="linus"), meeting={"buffer_after_min": 15}),
        ["09:00", "10:00"]),
    "24253: starts keep their step whatever the buffer": (
        problem(MONDAY, rep(hours="09:00-10:30"), minutes=30, meeting={"buffer_after_min": 20, "step_min": 15}),
        ["09:00", "09:15", "09:30", "09:45", "10:00"]),
    "3916: an all-day entry blocks the day": (
        problem(MONDAY, rep(busy_all_day=[ALL_DAY])), []),
    "6292, appointment 661: unless it is shown as free": (
        problem(MONDAY, rep(busy_all_day=[ALL_DAY | {"show_as": "free"}])), ["09:00", "10:00"]),
    "10315, 11690, 12376: a host who has only half the time is no host": (
        problem(MONDAY, rep(hours="09:00-10:30"), rep(id="linus", hours="10:30-12:00"), minutes=120), []),
    "5333: hosts with different hours each give their own": (
        problem(MONDAY, rep(hours="09:00-10:00"), rep("America/New_York", hours="09:00-10:00", id="joan")),
        ["09:00", "14:00"]),
    "8207, 22212: no meeting of all without the one who is away": (
        problem(MONDAY, rep(), NEVER, assignment="collective"), []),
    "1019: where one is busy the others are offered": (
        problem(MONDAY, NEVER, rep(id="linus")), ["09:00", "10:00"]),
    "5386: what somebody holds is not offered": (
        problem(MONDAY, rep(holds=[{"start": f"{MONDAY}T09:00:00Z", "end": f"{MONDAY}T10:00:00Z",
                                    "expires": f"{MONDAY}T08:55:00Z"}]), now=f"{MONDAY}T08:50:00Z"), ["10:00"]),
    "29473, 27401: a limit is the host's, in each zone by its own date": (
        problem(MONDAY, rep(LA, "17:00-20:00", bookings=at(MONDAY, "02:00-03:00"), max_per_day=1), until="2026-03-03"),
        ["01:00", "02:00", "03:00"]),
    "20092, 15477: one host at the limit leaves the others": (
        problem(MONDAY, rep(bookings=at(MONDAY, "06:00-07:00"), max_per_day=1), rep(id="linus", hours="10:00-11:00")),
        ["10:00"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_complaint(name):
    asked, expected = CASES[name]
    assert times(solve_slots(asked)) == expected


def test_6773_a_host_more_removes_no_slot_however_busy_he_is():
    alone = problem(MONDAY, rep(hours="09:00-17:00"), minutes=30)
    assert solve_slots(alone)["slots"] == solve_slots(alone | {"reps": [*alone["reps"], NEVER]})["slots"]


def test_19829_everybody_hears_why_a_slot_is_not_shown():
    asked = problem(MONDAY, rep(), NEVER, rep(id="late", hours="14:00-16:00"))
    told = solve_slots(asked, explain=f"{MONDAY}T09:00:00Z")
    assert {name: one["answer"] for name, one in told["explain"].items()} == {
        "grace": "free", "away": "busy", "late": "outside_hours"}  # fmt: skip


def reason_of(db, version, meeting, start, **more):
    with pytest.raises(SlotTaken) as refusal, db.transaction() as tx:
        booking.hold(tx, version, meeting=meeting, start=start, **more)
    return refusal.value.extra["reason"]


def open_times(db, version, meeting, **more):
    with db.reading() as tx:
        asked = {"meeting": meeting, "start": NINE, "end": NINE + 4 * HOUR, "zone": "UTC"}
        return booking.slots(tx, version, **asked | more).starts


@on_one_database
def test_14465_14871_notice_and_buffers_hold_when_booking_too(db, apply):
    version = apply(meetings=MEETINGS.replace("notice_minutes: 0, pool: pair}", "notice_minutes: 1530, pool: pair}"))
    assert reason_of(db, version, "deep-dive", NINE) == "notice"
    with db.transaction() as tx:
        after = NINE + HOUR / 2
        booking.add_block(tx, version.site_id, "grace", after, after + HOUR, title="Lunch", created_by="x")
    assert NINE not in open_times(db, version, "demo", reps=["grace"])
    assert reason_of(db, version, "demo", NINE, rep="grace") == "buffer"


@on_one_database
def test_2884_5964_the_past_is_neither_shown_nor_booked(db, version, monday):
    monday.advance(25 * HOUR)
    assert open_times(db, version, "intro")[0] == NINE + HOUR
    assert reason_of(db, version, "intro", NINE) == "notice"


@on_one_database
def test_21589_a_slot_freed_by_rescheduling_can_be_taken_again(db, version, book):
    first = book(meeting="deep-dive", rep="grace")
    assert reason_of(db, version, "deep-dive", NINE, rep="grace") == "busy"
    with db.transaction() as tx:
        booking.reschedule(tx, version, first.id, NINE + HOUR, by=VISITOR)
    assert NINE in open_times(db, version, "deep-dive", reps=["grace"])
    assert book(meeting="deep-dive", rep="grace", who=ADA | {"email": "eve@globex.example"}).start_at == NINE


@on_one_database
def test_17740_22674_where_the_host_is_gone_a_meeting_can_move_to_the_others(db, version, apply, book):
    meeting = book(meeting="deep-dive")
    gone = apply(team=TEAM.replace(f"{{id: {meeting.rep},", f"{{id: {meeting.rep}, active: false,"))
    with db.transaction() as tx:
        asked = booking.takers(tx, gone, booking.get(tx, meeting.id))
        assert meeting.rep not in asked.reps
        moved = booking.reschedule(tx, gone, meeting.id, NINE + HOUR, by=VISITOR)
    assert moved.rep in asked.reps


@on_one_database
def test_9509_who_was_removed_is_neither_shown_nor_booked(db, apply):
    version = apply(team=TEAM.replace("{id: linus,", "{id: linus, active: false,"))
    assert open_times(db, version, "board") == open_times(db, version, "board", reps=["grace"])
    with db.transaction() as tx:
        held = [booking.hold(tx, version, meeting="deep-dive", start=NINE + hours * HOUR) for hours in (0, 1)]
    assert [one.rep for one in held] == ["grace", "grace"]
