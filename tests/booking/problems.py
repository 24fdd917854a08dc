"""Slot problems for the property tests: small ranges around the days on which clocks do strange things."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.booking.oracle import DAYS

# (zone, a day near which its clock changes): both hemispheres, a gap at midnight, half hours, odd offsets, date line.
CORNERS = [
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"), ("Australia/Sydney", "2026-04-05"), ("Australia/Sydney", "2026-10-04"),
    ("America/Santiago", "2026-04-05"), ("America/Santiago", "2026-09-06"), ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"), ("Asia/Kathmandu", "2026-03-01"), ("Pacific/Kiritimati", "2026-03-01"),
    ("Pacific/Pago_Pago", "2026-03-01"), ("Pacific/Chatham", "2026-04-05"), ("America/Havana", "2026-11-01"),
    ("Africa/Casablanca", "2026-02-15"), ("Europe/Dublin", "2026-10-25"), ("Asia/Beirut", "2026-03-29"),
    ("Africa/Cairo", "2026-04-24"), ("Africa/Cairo", "2026-10-30"), ("Pacific/Apia", "2011-12-30"),
    ("Europe/Berlin", "2026-02-28"), ("Asia/Kathmandu", "2026-04-01"),  # where one block of 32 days ends
]  # fmt: skip
ZONES = sorted({zone for zone, _ in CORNERS})


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def clocks(last: bool = False) -> st.SearchStrategy[str]:
    usual = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 0, 0, 15, 30, 45, 7]))
    return st.one_of(usual, st.just("24:00")) if last else usual


spans = st.fixed_dictionaries({"start": clocks(), "end": clocks(last=True)})


@st.composite
def reps(draw: st.DrawFn, rep_id: str, zone: str, middle: datetime) -> dict[str, Any]:
    dates = st.integers(-3, 3).map(lambda shift: (middle + timedelta(days=shift)).date().isoformat())
    moments = st.integers(-4 * 86_400, 4 * 86_400).map(lambda seconds: middle + timedelta(seconds=seconds))
    lengths = st.sampled_from([0, 1, 60, 600, 1800, 1801, 3600, 20_000]).map(lambda seconds: timedelta(seconds=seconds))
    busy = st.builds(lambda start, length: [iso(start), iso(start + length)], moments, lengths)
    hours = st.lists(
        st.builds(lambda days, span: {"days": days, **span}, st.lists(st.sampled_from(DAYS), unique=True), spans),
        max_size=3,
    )
    trips = st.builds(
        lambda first, zone: {"from": min(first), "to": max(first), "time_zone": zone},
        st.tuples(dates, dates), st.sampled_from(ZONES),
    )  # fmt: skip
    override = st.fixed_dictionaries({"date": dates, "hours": st.lists(spans, max_size=2)})
    all_day = st.fixed_dictionaries(
        {"date": dates, "time_zone": st.sampled_from(ZONES), "show_as": st.sampled_from(["free", "busy"])}
    )
    expiries = st.integers(-5 * 86_400, 5 * 86_400).map(lambda seconds: iso(middle + timedelta(seconds=seconds)))
    hold = st.builds(lambda span, expires: {"start": span[0], "end": span[1], "expires": expires}, busy, expiries)
    counts = st.integers(0, 2)
    rep = {
        "id": rep_id,
        "time_zone": zone,
        "working_hours": draw(hours),
        "overrides": draw(st.lists(override, max_size=2)),
        "travel": draw(st.lists(trips, max_size=1)),
        "busy": draw(st.lists(busy, max_size=4)),
        "busy_all_day": draw(st.lists(all_day, max_size=1)),
        "bookings": draw(st.lists(busy, max_size=2)),
        "holds": draw(st.lists(hold, max_size=2)),
    }
    rep |= draw(st.fixed_dictionaries({}, optional={"max_per_day": counts, "max_per_week": counts}))
    return rep


@st.composite
def windows(draw: st.DrawFn, middle: datetime) -> dict[str, Any] | None:
    zone = draw(st.sampled_from(ZONES))
    kind = draw(st.sampled_from([None, "rolling_days", "dates"]))
    if kind is None:
        return None
    if kind == "rolling_days":
        return {"kind": kind, "days": draw(st.integers(0, 4)), "time_zone": zone}
    first = middle + timedelta(days=draw(st.integers(-2, 1)))
    last = first + timedelta(days=draw(st.integers(0, 3)))
    return {"kind": kind, "from": first.date().isoformat(), "to": last.date().isoformat(), "time_zone": zone}


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    zone, day = draw(st.sampled_from(CORNERS))
    middle = datetime.fromisoformat(day).replace(tzinfo=UTC)
    start = middle + timedelta(minutes=draw(st.integers(-36 * 60, 12 * 60)))
    end = start + timedelta(minutes=draw(st.integers(0, 48 * 60)))
    zones = [zone, draw(st.sampled_from(ZONES))][: draw(st.integers(1, 2))]
    problem = {
        "now": iso(middle - timedelta(seconds=draw(st.integers(0, 3 * 86_400)))),
        "visitor_time_zone": draw(st.sampled_from(ZONES)),
        "range": {"start": iso(start), "end": iso(end)},
        "meeting": {
            "duration_min": draw(st.sampled_from([15, 30, 60, 45, 7, 90])),
            "step_min": draw(st.sampled_from([15, 30, 60, 20, 7, 50])),
            "buffer_before_min": draw(st.sampled_from([0, 10, 15])),
            "buffer_after_min": draw(st.sampled_from([0, 5, 15])),
            "min_notice_min": draw(st.sampled_from([0, 60, 1440])),
        },
        "assignment": draw(st.sampled_from(["round_robin", "collective"])),
        "reps": [draw(reps(f"rep{index}", where, middle)) for index, where in enumerate(zones)],
    }
    problem["meeting"] |= draw(st.sampled_from([{}, {}, {"max_per_day": 1}, {"max_per_week": 1}]))
    if draw(st.integers(0, 3)) == 0:
        problem["first_of_day"] = {"count": draw(st.integers(1, 3)), "time_zone": draw(st.sampled_from(ZONES))}
    window = draw(windows(middle))
    return problem if window is None else problem | {"window": window}
