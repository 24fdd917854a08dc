"""Open slots by name: the example of the form, and the days on which calendars usually go wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from server.booking.availability.form import solve_slots
from server.booking.availability.openings import Window
from server.booking.availability.wallclock import DAY, day_number
from server.errors import Invalid

ALL = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def rep(zone: str = "UTC", hours: str = "09:00-11:00", days: list[str] | None = None, **more: Any) -> dict[str, Any]:
    start, end = hours.split("-")
    rule = {"days": days or ALL, "start": start, "end": end}
    return {"id": more.pop("id", "grace"), "time_zone": zone, "working_hours": [rule], **more}


def problem(day: str, *reps: dict, until: str = "", minutes: int = 60, step: int = 0, **more: Any) -> dict[str, Any]:
    meeting = {"duration_min": minutes, "step_min": step or minutes} | more.pop("meeting", {})
    end = until or day
    return {
        "now": "2020-01-01T00:00:00Z",
        "visitor_time_zone": "UTC",
        "range": {"start": f"{day}T00:00:00Z", "end": f"{end}T23:59:59Z"},
        "meeting": {"buffer_before_min": 0, "buffer_after_min": 0, "min_notice_min": 0, **meeting},
        "assignment": "round_robin",
        "reps": list(reps),
    } | more


def times(answer: dict[str, Any]) -> list[str]:
    return [slot[11:16] for slot in answer["slots"]]


def test_the_example_of_the_form_gives_its_two_slots():
    berlin = rep("Europe/Berlin", days=["mon"], busy=[["2026-03-02T09:00:00Z", "2026-03-02T09:20:00Z"]])
    meeting = {"buffer_after_min": 15, "min_notice_min": 60}
    answer = solve_slots(problem("2026-03-02", berlin, minutes=30, meeting=meeting), who=True)
    assert answer == {
        "slots": ["2026-03-02T08:00:00Z", "2026-03-02T09:30:00Z"],
        "count": 2,
        "reps": {"2026-03-02T08:00:00Z": ["grace"], "2026-03-02T09:30:00Z": ["grace"]},
    }


@pytest.mark.parametrize(
    ("zone", "hours", "day", "expected"),
    [
        ("Europe/Berlin", "01:00-05:00", "2026-03-29", ["00:00", "01:00", "02:00", "23:00"]),
        ("Europe/Berlin", "02:30-05:00", "2026-03-29", ["01:00", "02:00"]),  # 02:30 is skipped: 03:00 CEST
        ("Europe/Berlin", "01:00-04:00", "2026-10-25", ["00:00", "01:00", "02:00"]),  # 23:00Z lies on the day before
        ("America/New_York", "13:00-15:00", "2026-03-08", ["17:00", "18:00"]),  # afternoon of the spring day
        ("Australia/Sydney", "01:00-04:00", "2026-10-03", ["15:00", "16:00"]),
        ("America/Santiago", "00:00-03:00", "2026-09-06", ["04:00", "05:00"]),  # midnight is skipped
        ("Australia/Lord_Howe", "09:00-11:00", "2026-10-05", ["22:00", "23:00"]),  # half an hour later than before
        ("Asia/Kathmandu", "09:00-11:00", "2026-03-02", ["03:15", "04:15"]),
        ("Pacific/Kiritimati", "09:00-11:00", "2026-03-02", ["19:00", "20:00"]),
        ("Pacific/Pago_Pago", "09:00-11:00", "2026-03-02", ["20:00", "21:00"]),
        ("UTC", "22:00-24:00", "2026-03-02", ["22:00", "23:00"]),
    ],
)  # fmt: skip
def test_working_hours_are_read_off_the_local_clock(zone, hours, day, expected):
    assert times(solve_slots(problem(day, rep(zone, hours)))) == expected


def test_meeting_may_cross_midnight_inside_joined_hours():
    late = rep(hours="22:00-24:00", days=["mon"])
    late["working_hours"].append({"days": ["tue"], "start": "00:00", "end": "02:00"})
    found = solve_slots(problem("2026-03-02", late, until="2026-03-03", minutes=90))
    assert found["slots"] == ["2026-03-02T22:00:00Z", "2026-03-02T23:30:00Z"]


def test_overnight_hours_belong_to_their_first_day_and_an_override_cuts_them_at_its_midnight():
    night = rep(hours="22:00-02:00", days=["mon"])
    assert len(solve_slots(problem("2026-03-02", night, until="2026-03-03"))["slots"]) == 4
    night["overrides"] = [{"date": "2026-03-03", "hours": []}]
    assert times(solve_slots(problem("2026-03-02", night, until="2026-03-03"))) == ["22:00", "23:00"]


def test_override_replaces_the_hours_of_its_date_and_travel_moves_them_to_another_zone():
    away = rep("Europe/Berlin", overrides=[{"date": "2026-03-02", "hours": [{"start": "14:00", "end": "16:00"}]}])
    assert times(solve_slots(problem("2026-03-02", away))) == ["13:00", "14:00"]
    away["travel"] = [{"from": "2026-03-02", "to": "2026-03-02", "time_zone": "America/New_York"}]
    assert times(solve_slots(problem("2026-03-02", away))) == ["19:00", "20:00"]


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        (["2026-03-02T09:59:59Z", "2026-03-02T10:00:00Z"], ["10:00"]),  # one second is enough
        (["2026-03-02T10:00:00Z", "2026-03-02T10:00:01Z"], ["09:00"]),
        (["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"], ["09:00", "10:00"]),  # touching is free
        (["2026-03-02T09:30:00Z", "2026-03-02T09:30:00Z"], ["09:00", "10:00"]),  # empty blocks nothing
        (["2026-03-02T09:59:59.5Z", "2026-03-02T09:59:59.6Z"], ["10:00"]),
        (["2026-03-02T11:00:00+02:00", "2026-03-02T11:00:00.1+02:00"], ["10:00"]),
    ],
)
def test_busy_time_counts_to_the_second(busy, expected):
    assert times(solve_slots(problem("2026-03-02", rep(busy=[busy])))) == expected


def test_hold_blocks_until_it_expires():
    hold = {"start": "2026-03-02T09:00:00Z", "end": "2026-03-02T10:00:00Z", "expires": "2026-03-02T08:00:00Z"}
    held = rep(holds=[hold])
    assert times(solve_slots(problem("2026-03-02", held, now="2026-03-02T07:59:59Z"))) == ["10:00"]
    assert times(solve_slots(problem("2026-03-02", held, now="2026-03-02T08:00:00Z"))) == ["09:00", "10:00"]


def test_all_day_entry_blocks_its_local_day_unless_shown_as_free():
    entry = {"date": "2026-03-02", "time_zone": "America/New_York"}
    at_home = rep("America/New_York", "00:00-24:00", busy_all_day=[entry])
    found = solve_slots(problem("2026-03-02", at_home, until="2026-03-03", minutes=60))["slots"]
    assert found[:6][-1] == "2026-03-03T05:00:00Z"
    assert "2026-03-02T04:00:00Z" in found
    assert "2026-03-02T05:00:00Z" not in found
    entry["show_as"] = "free"
    assert len(solve_slots(problem("2026-03-02", at_home))["slots"]) == 24


def test_limits_count_bookings_by_the_local_date_and_week_of_the_rep():
    booked = [["2026-03-02T23:30:00Z", "2026-03-03T00:00:00Z"]]  # Tuesday in Berlin
    berlin = rep("Europe/Berlin", bookings=booked, max_per_day=1)
    found = solve_slots(problem("2026-03-02", berlin, until="2026-03-04"))["slots"]
    assert {slot[:10] for slot in found} == {"2026-03-02", "2026-03-04"}
    berlin |= {"max_per_day": 9, "max_per_week": 1}
    found = solve_slots(problem("2026-03-01", berlin, until="2026-03-09"))["slots"]
    assert {slot[:10] for slot in found} == {"2026-03-01", "2026-03-09"}


def test_notice_is_kept_to_the_second_and_equality_is_enough():
    meeting = {"min_notice_min": 60}
    for now, expected in (("08:00:00Z", ["09:00", "10:00"]), ("08:00:00.000001Z", ["10:00"]), ("08:00:01Z", ["10:00"])):
        assert times(solve_slots(problem("2026-03-02", rep(), meeting=meeting, now=f"2026-03-02T{now}"))) == expected


def test_rolling_window_ends_with_the_last_local_date():
    window = {"kind": "rolling_days", "days": 1, "time_zone": "Pacific/Auckland"}  # already 2 March there
    asked = problem("2026-03-01", rep(hours="09:00-12:00"), until="2026-03-05", window=window)
    found = solve_slots(asked | {"now": "2026-03-01T12:00:00Z"})["slots"]
    assert [slot[8:13] for slot in found] == ["02T09", "02T10", "02T11", "03T09", "03T10"]  # 11:00Z is the next date


def test_a_window_is_looked_through_only_near_the_range_that_is_asked_for():
    last = day_number(date(2026, 3, 9))
    start = day_number(date(1600, 1, 1)) * DAY
    assert Window("UTC", None, last).spans(start, start + DAY) == [(start - 3 * DAY, start + 5 * DAY)]


def test_collective_needs_everybody_and_round_robin_anybody():
    early, late = rep(hours="09:00-11:00"), rep(hours="10:00-12:00", id="linus")
    assert times(solve_slots(problem("2026-03-02", early, late))) == ["09:00", "10:00", "11:00"]
    assert times(solve_slots(problem("2026-03-02", early, late, assignment="collective"))) == ["10:00"]
    assert solve_slots(problem("2026-03-02", assignment="collective"))["slots"] == []


def test_grid_starts_with_the_working_block_and_nothing_shifts_it():
    odd = rep(hours="09:10-11:00", busy=[["2026-03-02T09:00:00Z", "2026-03-02T09:15:00Z"]])
    asked = problem("2026-03-02", odd, minutes=20, step=25)
    assert times(solve_slots(asked)) == ["09:35", "10:00", "10:25"]
    asked["range"]["start"] = "2026-03-02T09:50:00Z"
    assert times(solve_slots(asked)) == ["10:00", "10:25"]


def test_rep_who_always_works_keeps_one_grid_whatever_the_range():
    always = rep("Asia/Kathmandu", "00:00-24:00")
    wide = set(solve_slots(problem("2026-02-20", always, until="2026-03-20", minutes=50))["slots"])
    narrow = set(solve_slots(problem("2026-03-02", always, minutes=50))["slots"])
    assert narrow
    assert narrow == {slot for slot in wide if slot.startswith("2026-03-02")}


def test_long_block_without_a_break_keeps_the_grid_of_its_true_start():
    always = rep(hours="00:00-24:00", overrides=[{"date": "2026-01-11", "hours": []}])
    found = solve_slots(problem("2026-03-02", always, minutes=70))["slots"]
    minutes_since_it_began = 49 * 1440  # at midnight of 12 January
    assert found[0] == f"2026-03-02T00:{-minutes_since_it_began % 70:02d}:00Z"


@pytest.mark.parametrize(
    ("start", "answer"),
    [
        ("2026-03-02T09:00:00Z", "busy"),
        ("2026-03-02T09:30:00Z", "buffer"),
        ("2026-03-02T10:00:00Z", "hold"),
        ("2026-03-02T11:00:00Z", "free"),
        ("2026-03-02T11:10:00Z", "off_grid"),
        ("2026-03-02T20:00:00Z", "outside_hours"),
        ("2026-03-03T11:00:00Z", "limit"),
        ("2026-03-02T08:00:00Z", "notice"),
        ("2026-03-20T11:00:00Z", "window"),
        ("2026-03-02T12:00:00+01:00", "free"),
    ],
)
def test_a_rep_hears_why_he_cannot_take_a_start(start, answer):
    grace = rep(
        hours="08:00-13:00",
        busy=[["2026-03-02T09:10:00Z", "2026-03-02T09:25:00Z"]],
        holds=[{"start": "2026-03-02T10:10:00Z", "end": "2026-03-02T10:20:00Z", "expires": "2027-01-01T00:00:00Z"}],
        bookings=[["2026-03-03T08:00:00Z", "2026-03-03T08:30:00Z"]],
        max_per_day=1,
    )
    meeting = {"buffer_before_min": 10, "buffer_after_min": 10, "min_notice_min": 60}
    window = {"kind": "rolling_days", "days": 7, "time_zone": "UTC"}
    asked = problem("2026-03-02", grace, minutes=30, meeting=meeting, window=window, now="2026-03-02T07:30:00Z")
    told = solve_slots(asked, explain=start)["explain"]["grace"]
    assert told["answer"] == answer
    assert told["because"]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"now": "2026-03-02T09:00:00"}, "now is '2026-03-02T09:00:00': add Z or an offset, so that it is one instant."),  # noqa: E501
        ({"now": 5}, "now must be a text."),
        ({"now": None}, "The problem needs the key 'now'."),
        ({"visitor_time_zone": "Mars/Base"}, "visitor_time_zone is 'Mars/Base', not an IANA time zone such as Europe/Berlin."),  # noqa: E501
        ({"range": {"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}}, "range ends before it starts."),
        ({"range": {"start": "2026-03-02T00:00:00Z", "end": "2066-03-01T00:00:00Z"}}, "range is longer than 3660 days."),  # noqa: E501
        ({"range": []}, "range must be an object."),
        ({"meeting": {"duration_min": 0, "step_min": 5}}, "meeting.duration_min must be 1 to 527040."),
        ({"meeting": {"duration_min": 5.5, "step_min": 5}}, "meeting.duration_min must be a whole number."),
        ({"meeting": {"duration_min": True, "step_min": 5}}, "meeting.duration_min must be a number."),
        ({"meeting": {"duration_min": 5}}, "meeting needs the key 'step_min'."),
        (
            {"meeting": {"duration_min": 5, "step_min": 5, "bufer_after_min": 5}},
            "meeting has the unknown key 'bufer_after_min'; did you mean 'buffer_after_min'?",
        ),
        ({"assignment": "random"}, "assignment is 'random', allowed are round_robin, collective."),
        ({"reps": {}}, "reps must be a list."),
        ({"reps": [rep(), rep()]}, "reps has two entries with the id 'grace'."),
        ({"reps": [rep(hours="9-11")]}, "reps[0].working_hours[0].start is '9', not a time such as 09:30."),
        ({"reps": [rep(hours="24:00-11:00")]}, "reps[0].working_hours[0].start is '24:00', not a time such as 09:30."),
        ({"reps": [rep(days=["day"])]}, "reps[0].working_hours[0].days[0] is 'day', allowed are mon, tue, wed, thu, fri, sat, sun."),  # noqa: E501
        (
            {"reps": [rep(busy=[["2026-03-02T12:00:00+02:00", "2026-03-02T09:59:59Z"]])]},
            "reps[0].busy[0] ends before it starts.",
        ),
        ({"reps": [rep(busy=[["2026-03-02T00:00:00Z"]])]}, "reps[0].busy[0] must be a pair of start and end."),
        ({"reps": [rep(busy=[["2026-03-02T00:00:00Z", "later"]])]}, "reps[0].busy[0][1] is 'later', not an instant such as 2026-03-02T09:00:00Z."),  # noqa: E501
        ({"reps": [rep(overrides=[{"date": "2026-02-30", "hours": []}])]}, "reps[0].overrides[0].date is '2026-02-30', not a date such as 2026-03-02."),  # noqa: E501
        ({"window": {"kind": "weeks", "time_zone": "UTC"}}, "window.kind is 'weeks', allowed are rolling_days, dates."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_sentence_that_names_the_key(broken, sentence):
    asked = {key: value for key, value in (problem("2026-03-02", rep()) | broken).items() if value is not None}
    with pytest.raises(Invalid) as refusal:
        solve_slots(asked)
    assert str(refusal.value) == sentence


def test_a_list_of_problems_gives_a_list_and_names_the_broken_one():
    good = problem("2026-03-02", rep())
    assert solve_slots([good, good]) == [solve_slots(good)] * 2
    with pytest.raises(Invalid, match=r"^\[1\]\.reps must be a list\.$"):
        solve_slots([good, good | {"reps": 1}])
