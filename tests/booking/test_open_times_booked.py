"""Open times and bookings tell the same story: what is listed can be booked, what is not is refused with its reason."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.booking import offers, rosters
from server.booking import service as booking
from server.booking.availability.hours import working_blocks
from server.db import metadata
from server.errors import SlotTaken
from server.events import Actor
from tests.booking.conftest import ADA, MEETINGS, NINE, TEAM

VISITOR = Actor("visitor")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MORE = """\
  - {id: early, name: Early, duration_minutes: 30, step_minutes: 15, notice_minutes: 0, pool: sales, first_of_day: 2}
  - {id: rare, name: Rare, duration_minutes: 15, notice_minutes: 0, pool: sales, limits: {per_day: 1, per_week: 2}}
"""
ALONE = MEETINGS.split("  - {id: panel")[0]  # which needs two in the pool


def listed(db, version, meeting, days=2, zone="Europe/Berlin", **more):
    with db.reading() as tx:
        asked = {"meeting": meeting, "start": NINE - HOUR, "end": NINE + days * DAY, "zone": zone}
        return booking.slots(tx, version, **asked | more).starts


def hold(db, version, meeting, start, **more):
    with db.transaction() as tx:
        return booking.hold(tx, version, meeting=meeting, start=start, **more)


def confirm(db, version, held, email="ada@globex.example", **more):
    with db.transaction() as tx:
        return booking.confirm(tx, version, held.id, **ADA | {"email": email}, **more)


def everything(db) -> dict[str, list[Any]]:
    with db.reading() as tx:
        return {table.name: sorted(map(repr, tx.execute(select(table)))) for table in metadata.sorted_tables}


class _Undo(Exception):
    pass


def holds(db, version, meeting, start) -> str:
    """Whether the time can be held ("yes", undone at once), else the reason of the refusal."""
    try:
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting=meeting, start=start)
            assert held.start_at == start
            raise _Undo
    except _Undo:
        return "yes"
    except SlotTaken as refusal:
        assert refusal.message.endswith(".")
        return str(refusal.extra["reason"])


@pytest.fixture
def busy_week(db, apply):
    """Two days on which reps are away here and there, and times are held and booked."""
    version = apply(meetings=MEETINGS + MORE)
    chance = random.Random(7)
    with db.transaction() as tx:
        for rep in ("grace", "linus", "margaret"):
            for _ in range(3):
                start = NINE + chance.randrange(0, 36) * 5 * MINUTE + chance.randrange(2) * DAY
                until = start + chance.choice((5, 20, 45)) * MINUTE
                booking.add_block(tx, version.site_id, rep, start, until, title="", created_by="x")
    for number in range(4):
        first = chance.choice(listed(db, version, "rare" if number % 2 else "intro"))
        held = hold(db, version, "rare" if number % 2 else "intro", first)
        if number != 2:
            confirm(db, version, held, email=f"v{number}@globex.example")
    return version


@pytest.mark.parametrize("meeting", ["demo", "deep-dive", "board", "panel", "early", "rare"])
def test_what_is_listed_can_be_held_and_what_is_not_is_refused_with_its_reason(db, busy_week, meeting):
    offered = set(listed(db, busy_week, meeting))
    before = everything(db)
    tried = [NINE + day * DAY + minutes * MINUTE for day in (0, 1) for minutes in range(-30, 210, 15)]
    told = {start: holds(db, busy_week, meeting, start) for start in tried}
    assert {start for start, answer in told.items() if answer == "yes"} == offered
    assert offered < set(tried)
    reasons = {answer for answer in told.values() if answer != "yes"}
    assert reasons <= {"outside_hours", "off_grid", "busy", "hold", "buffer", "limit", "later_that_day"}
    assert len(reasons) > 1
    assert everything(db) == before


on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_one_database
def test_only_the_first_times_of_a_day_can_be_held_and_the_next_moves_up_when_one_is_gone(db, apply):
    version = apply(meetings=ALONE + MORE, team=TEAM.replace("[grace, linus, margaret]", "[grace]"))
    assert listed(db, version, "early") == (NINE, NINE + 15 * MINUTE, NINE + DAY, NINE + DAY + 15 * MINUTE)
    with pytest.raises(SlotTaken) as refusal:
        hold(db, version, "early", NINE + 30 * MINUTE)
    assert refusal.value.extra["reason"] == "later_that_day"
    assert refusal.value.message == "Only the first 2 open times of a day can be booked, and this one is later."
    assert refusal.value.alternatives[:2] == [NINE, NINE + 15 * MINUTE]
    with db.reading() as tx:
        told = booking.why_not(tx, version, booking.ask(tx, version, "early"), NINE + HOUR)
    assert "the first 2 open times" in told["grace"].because
    hold(db, version, "early", NINE)
    assert listed(db, version, "early", days=1) == (NINE + 30 * MINUTE, NINE + 45 * MINUTE)
    assert hold(db, version, "early", NINE + 45 * MINUTE).rep == "grace"


@on_one_database
def test_the_first_times_of_a_day_are_the_same_for_every_visitor_and_every_range(db, apply):
    hours = TEAM.replace('start: "09:00", end: "12:00"', 'start: "00:00", end: "24:00"')
    version = apply(meetings=MEETINGS + MORE, team=hours)
    here = listed(db, version, "early")
    assert here == listed(db, version, "early", zone="Asia/Tokyo") == listed(db, version, "early", zone="Pacific/Apia")
    late = listed(db, version, "early", start=NINE + 10 * HOUR)
    assert late == tuple(one for one in here if one >= NINE + 10 * HOUR)
    window = "{kind: rolling_days, days: 9, zone: Asia/Tokyo}"
    version = apply(
        meetings=MEETINGS + MORE.replace("first_of_day: 2", f"first_of_day: 2, window: {window}"), team=hours
    )
    there = listed(db, version, "early")
    assert [one.hour for one in there] == [15] * 4  # midnight in Tokyo; the first ones of its third of March are gone
    assert there == listed(db, version, "early", zone="America/New_York")


@on_one_database
def test_several_hosts_and_all_hosts_together_keep_to_the_first_times_too(db, apply):
    one = MEETINGS.replace("hosts: 2", "hosts: 2, first_of_day: 1")
    version = apply(meetings=one.replace("collective", "collective, first_of_day: 1"))
    with db.transaction() as tx:
        for rep in ("grace", "margaret"):
            booking.add_block(tx, version.site_id, rep, NINE, NINE + HOUR, title="", created_by="x")
    for meeting in ("panel", "board"):
        assert listed(db, version, meeting, days=1) == (NINE + HOUR,)
        assert holds(db, version, meeting, NINE + HOUR) == "yes"
        assert holds(db, version, meeting, NINE + 2 * HOUR) == "later_that_day"
        assert holds(db, version, meeting, NINE) == "busy"


@on_one_database
def test_limits_of_a_kind_of_meeting_count_that_kind_and_limits_of_a_rep_count_all(db, apply):
    limited = ALONE.replace("{id: intro,", "{id: intro, limits: {per_day: 1, per_week: 2},")
    alone = TEAM.replace("[grace, linus, margaret]", "[grace]")
    version = apply(meetings=limited, team=alone.replace("name: Grace", "limits: {per_day: 3}, name: Grace"))
    hold(db, version, "deep-dive", NINE + HOUR, rep="grace")
    assert listed(db, version, "intro", days=1)  # another kind
    hold(db, version, "intro", NINE)
    assert listed(db, version, "intro", days=1) == ()
    assert holds(db, version, "intro", NINE + 30 * MINUTE) == "limit"
    with db.reading() as tx:
        told = booking.why_not(tx, version, booking.ask(tx, version, "intro"), NINE + 30 * MINUTE)
    assert told["grace"].because == "already has the most meetings allowed: 1 of this kind a day"
    assert listed(db, version, "demo", days=1)
    hold(db, version, "demo", NINE + 2 * HOUR)
    assert listed(db, version, "demo", days=1) == ()  # three of any kind
    hold(db, version, "intro", NINE + DAY)
    assert listed(db, version, "intro", start=NINE + 2 * DAY) == ()
    assert listed(db, version, "intro", start=NINE + 6 * DAY, days=7)  # the week after


@on_one_database
def test_a_meeting_that_is_moved_stands_in_its_own_way_nowhere(db, apply):
    version = apply(meetings=MEETINGS.replace("step_minutes: 30", "step_minutes: 15"))
    meeting = confirm(db, version, hold(db, version, "deep-dive", NINE, rep="joan"))  # one meeting a day at most
    mine = {"reps": ["joan"], "days": 1}
    assert listed(db, version, "deep-dive", **mine) == ()
    free = listed(db, version, "deep-dive", exclude_meeting=meeting.id, **mine)
    assert free[:3] == (NINE, NINE + 15 * MINUTE, NINE + 30 * MINUTE)
    with db.transaction() as tx:
        moved = booking.reschedule(tx, version, meeting.id, NINE + 15 * MINUTE, by=VISITOR)
    assert (moved.rep, moved.start_at) == ("joan", NINE + 15 * MINUTE)


@on_one_database
def test_what_was_promised_stays_promised_though_an_earlier_time_is_free_now_or_it_is_too_soon_for_others(
    db, apply, monday
):
    notice = "notice_minutes: 1500, pool: sales, first_of_day: 2"
    version = apply(meetings=MEETINGS + MORE.replace("notice_minutes: 0, pool: sales, first_of_day: 2", notice))
    alone = {"reps": ["grace"]}
    with db.transaction() as tx:
        block = booking.add_block(tx, version.site_id, "grace", NINE + HOUR, NINE + 2 * HOUR, title="", created_by="x")
    assert listed(db, version, "early", days=1, **alone) == (NINE + 2 * HOUR, NINE + 2 * HOUR + 15 * MINUTE)
    held = hold(db, version, "early", NINE + 2 * HOUR + 15 * MINUTE, rep="grace")
    monday.advance(2 * MINUTE)
    with db.transaction() as tx:
        booking.remove_own_time(tx, version.site_id, "grace", block)
    with db.reading() as tx:
        mine = booking.ask(tx, version, "early", None, ["grace"])
        assert offers.able(tx, version, mine, held.start_at, held.id) == ["grace"]
        assert offers.able(tx, version, mine, held.start_at + 15 * MINUTE, held.id) == []
    assert listed(db, version, "early", days=1, exclude_meeting=held.id, **alone)[0] == NINE + HOUR + 15 * MINUTE
    monday.advance(3 * HOUR)
    with db.reading() as tx:
        assert offers.able(tx, version, mine, held.start_at, held.id) == ["grace"]


@on_one_database
def test_a_change_touches_the_calendar_of_its_rep_and_no_other(db, version):
    def crew(reps, **more):
        with db.reading() as tx:
            return rosters.load(tx, version, reps, NINE, **more).crew

    before, joan = crew(["grace", "linus", "margaret"]), crew(["joan"])
    assert crew(["grace", "linus", "margaret"]) is before
    meeting = confirm(db, version, hold(db, version, "deep-dive", NINE, rep="linus"))
    after = crew(["grace", "linus", "margaret"])
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]
    assert crew(["joan"]) is joan
    moving = crew(["grace", "linus", "margaret"], without=meeting.id)
    assert [one is other for one, other in zip(after, moving, strict=True)] == [True, False, True]
    assert moving[1].busy == []
    with db.transaction() as tx:
        block = booking.add_block(tx, version.site_id, "grace", NINE, NINE + HOUR, title="", created_by="x")
        booking.remove_own_time(tx, version.site_id, "grace", block)
    assert crew(["grace", "linus", "margaret"])[0] is before[0]  # says what it said before: its masks stay


def test_hundreds_of_reps_with_five_kinds_of_hours_share_five_schedules(db, apply):
    zones = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Asia/Kathmandu")
    entry = '  - {{id: r{n}, name: R, email: r@a.example, zone: {zone}, hours: [{{days: [mon, tue], start: "09:00", end: "17:00"}}]}}\n'  # noqa: E501
    names = [f"r{number}" for number in range(300)]
    rows = "".join(entry.format(n=number, zone=zones[number % 5]) for number in range(300))
    version = apply(team=f"reps:\n{rows}pools:\n  - {{id: sales, members: {names}}}\n  - {{id: pair, members: [r0]}}\n")
    with db.reading() as tx:
        crew = rosters.load(tx, version, names, NINE).crew
    assert len(crew) == 300
    assert len(crew.schedules) == 5
    worked_out = working_blocks.cache_info().misses
    assert listed(db, version, "demo", days=7)
    assert working_blocks.cache_info().misses - worked_out <= 5 * 2 * 2  # five schedules, two blocks, starts and hours
    with db.transaction() as tx:
        booking.add_block(tx, version.site_id, "r7", NINE, NINE + DAY, title="", created_by="x")
        after = rosters.load(tx, version, names, NINE).crew
    assert [rep.id for rep, before in zip(after, crew, strict=True) if rep is not before] == ["r7"]
    with db.reading() as tx:
        assert rosters.load(tx, version, names, NINE).crew is after
