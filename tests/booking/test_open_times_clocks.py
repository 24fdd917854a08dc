"""Open times on the days on which clocks do strange things, and on machines whose own clock is set elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.booking.availability.form import solve_slots
from server.errors import Invalid
from tests.booking.oracle import slots
from tests.booking.problems import CORNERS
from tests.booking.test_slots import problem, rep

ROOT = Path(__file__).parents[2]
SOLVE = """
import json, pathlib, sys
from server.booking.availability.form import solve_slots
print(json.dumps(solve_slots(json.loads(pathlib.Path(sys.argv[1]).read_text()), who=True, explain=sys.argv[2])))
"""


def read(answer: dict[str, Any]) -> list[str]:
    """Day of the month, hour and minute."""
    return [slot[8:16] for slot in answer["slots"]]


# zone, local hours, from and until which UTC dates, the starts of one-hour meetings
STRANGE_DAYS = {
    "north, forward": ("Europe/Berlin", "00:00-04:00", "2026-03-28", "2026-03-29", ["28T00", "28T01", "28T02", "28T23", "29T00", "29T01", "29T22", "29T23"]),  # noqa: E501
    "north, back": ("America/New_York", "00:00-03:00", "2026-11-01", "2026-11-01", ["01T04", "01T05", "01T06", "01T07"]),  # noqa: E501
    "south, forward": ("Australia/Sydney", "01:00-04:00", "2026-10-03", "2026-10-03", ["03T15", "03T16"]),
    "south, back": ("Australia/Sydney", "01:00-04:00", "2026-04-04", "2026-04-04", ["04T14", "04T15", "04T16", "04T17"]),  # noqa: E501
    "gap at midnight, Santiago": ("America/Santiago", "00:00-02:00", "2026-09-06", "2026-09-06", ["06T04"]),
    "gap at midnight, Beirut": ("Asia/Beirut", "00:00-02:00", "2026-03-28", "2026-03-28", ["28T22"]),
    "gap at midnight, Cairo": ("Africa/Cairo", "00:00-02:00", "2026-04-23", "2026-04-23", ["23T22"]),
    "midnight twice, Cairo": ("Africa/Cairo", "23:00-24:00", "2026-10-29", "2026-10-29", ["29T20", "29T21"]),
    "midnight twice, Santiago": ("America/Santiago", "23:00-24:00", "2026-04-05", "2026-04-05", ["05T02", "05T03"]),
    "half an hour, forward": ("Australia/Lord_Howe", "01:00-04:00", "2026-10-03", "2026-10-03", ["03T14:30", "03T15:30"]),  # noqa: E501
    "half an hour, back": ("Australia/Lord_Howe", "01:00-04:00", "2026-04-04", "2026-04-04", ["04T14", "04T15", "04T16"]),  # noqa: E501
    "+05:45": ("Asia/Kathmandu", "09:00-11:00", "2026-03-02", "2026-03-02", ["02T03:15", "02T04:15"]),
    "a date that was skipped": ("Pacific/Apia", "09:00-10:00", "2011-12-29", "2011-12-31", ["29T19", "30T19", "31T19"]),
    "far east of the date line": ("Pacific/Kiritimati", "09:00-11:00", "2026-03-02", "2026-03-02", ["02T19", "02T20"]),
    "far west of it": ("Pacific/Pago_Pago", "09:00-11:00", "2026-03-02", "2026-03-02", ["02T20", "02T21"]),
    "overnight over a gap": ("Europe/Berlin", "22:00-04:00", "2026-03-28", "2026-03-29", ["28T00", "28T01", "28T02", "28T21", "28T22", "28T23", "29T00", "29T01", "29T20", "29T21", "29T22", "29T23"]),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE_DAYS)
def test_on_strange_days_hours_are_what_the_local_clock_shows(name):
    zone, hours, first, last, expected = STRANGE_DAYS[name]
    asked = problem(first, rep(zone, hours), until=last, now="2011-01-01T00:00:00Z")
    found = solve_slots(asked, who=True)
    assert read(found) == [start if ":" in start else f"{start}:00" for start in expected]
    assert found["reps"] == slots(asked)


def test_notice_that_ends_on_the_day_of_the_change_is_counted_in_elapsed_time():
    berlin = rep("Europe/Berlin", "00:00-12:00")
    asked = problem("2026-03-29", berlin, meeting={"min_notice_min": 24 * 60}, now="2026-03-28T08:30:00Z")
    assert read(solve_slots(asked)) == ["29T09:00", "29T22:00", "29T23:00"]  # 10:30 of summer time, an hour "later"


def test_all_day_entries_end_where_the_local_day_ends_however_long_it_is():
    away = {"date": "2026-10-25", "time_zone": "Europe/Berlin"}
    berlin = rep("Europe/Berlin", "00:00-24:00", busy_all_day=[away])
    found = read(solve_slots(problem("2026-10-24", berlin, until="2026-10-25")))
    assert found[-2:] == ["24T21:00", "25T23:00"]  # 25 hours later


def test_overnight_hours_and_overrides_belong_to_their_local_date_wherever_it_lies():
    night = rep("Pacific/Kiritimati", "22:00-02:00", days=["mon"], overrides=[{"date": "2026-03-03", "hours": []}])
    monday = problem("2026-03-01", night, until="2026-03-03")
    assert read(solve_slots(monday)) == ["02T08:00", "02T09:00"]  # Monday evening there; midnight cuts the rest
    night["overrides"] = [{"date": "2026-03-02", "hours": [{"start": "23:00", "end": "01:00"}]}]
    assert read(solve_slots(monday)) == ["02T09:00", "02T10:00"]
    night["travel"] = [{"from": "2026-03-02", "to": "2026-03-02", "time_zone": "Pacific/Pago_Pago"}]
    assert read(solve_slots(monday)) == ["03T10:00", "03T11:00"]  # the same date, a day later for everybody else


def strange_problems() -> list[dict[str, Any]]:
    """Two reps around every corner, with all that has a local date."""
    return [
        {
            "now": f"{day[:8]}01T00:00:00Z", "visitor_time_zone": "Asia/Tokyo", "assignment": "round_robin",
            "range": {"start": f"{day[:8]}01T00:00:00Z", "end": f"{day[:8]}28T12:00:00Z"},
            "meeting": {"duration_min": 45, "step_min": 30, "buffer_after_min": 5, "min_notice_min": 0},
            "window": {"kind": "rolling_days", "days": 30, "time_zone": zone},
            "first_of_day": {"count": 3, "time_zone": zone},
            "reps": [
                rep(zone, "22:00-03:00", busy_all_day=[{"date": day}], overrides=[{"date": day, "hours": []}]),
                rep(zone, "00:00-05:00", id="linus", bookings=[[f"{day}T03:00Z", f"{day}T04:00Z"]], max_per_day=1),
            ],
        }
        for zone, day in CORNERS
    ]  # fmt: skip


def test_the_clock_of_the_machine_changes_not_one_byte(tmp_path):
    file = tmp_path / "problems.json"
    file.write_text(json.dumps(strange_problems()))
    day = "2026-03-29T01:00:00Z"
    command = [sys.executable, "-c", SOLVE, str(file), day]
    here = json.dumps(solve_slots(strange_problems(), who=True, explain=day))
    for zone in ("America/New_York", "Australia/Lord_Howe"):
        elsewhere = os.environ | {"TZ": zone}
        told = subprocess.run(command, cwd=ROOT, env=elsewhere, capture_output=True, check=False, timeout=120)
        assert told.stderr == b""
        assert told.stdout.decode().strip() == here
    assert all(one["count"] for one in json.loads(here))


def test_the_zone_of_the_visitor_changes_nothing():
    for asked in strange_problems()[:4]:
        assert solve_slots(asked | {"visitor_time_zone": "Pacific/Apia"}, who=True) == solve_slots(asked, who=True)


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "right/Europe/Berlin", "posix/UTC", "europe/berlin", "../UTC"]
)
def test_names_that_mean_something_else_on_every_machine_are_no_zones(name):
    sentence = f"is {name!r}, not an IANA time zone such as Europe/Berlin"
    asked = problem("2026-03-02", rep())
    broken = [
        asked | {"visitor_time_zone": name},
        asked | {"reps": [rep(name)]},
        asked | {"window": {"kind": "rolling_days", "days": 1, "time_zone": name}},
        asked | {"first_of_day": {"count": 1, "time_zone": name}},
        asked | {"reps": [rep(travel=[{"from": "2026-03-02", "to": "2026-03-02", "time_zone": name}])]},
        asked | {"reps": [rep(busy_all_day=[{"date": "2026-03-02", "time_zone": name}])]},
    ]
    for one in broken:
        with pytest.raises(Invalid, match=sentence):
            solve_slots(one)
