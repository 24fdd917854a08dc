"""A rep's own times: out of office, blocked or open, on the wall clock, once or by a rule; bounded and explained."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from sqlalchemy import text

from server.booking import own_times
from server.booking import service as booking
from server.booking.recurrence import MONTH, WEEK, Pattern, Repeat
from server.db import Database, migrate
from server.errors import Invalid, NotFound
from server.events import Actor
from tests.booking.conftest import ADA, GOAL, MEETINGS, NINE

BERLIN = ZoneInfo("Europe/Berlin")
BOSS = Actor("user", "usr_1", "Boss")
FOREVER = Repeat(WEEK, (1,))
FAR = MEETINGS.replace(
    "notice_minutes: 0, pool: sales,\n", "notice_minutes: 0, pool: sales, window: {kind: rolling_days, days: 730},\n"
)


def at(text):
    """Wall clock."""
    return datetime.fromisoformat(text)


def utc(spans):
    return [tuple(datetime.fromtimestamp(one, UTC).strftime("%d.%m. %H:%M") for one in span) for span in spans]


def span(text):
    """UTC seconds of a wall clock reading in Berlin."""
    return int(at(text).replace(tzinfo=BERLIN).timestamp())


def add(db, version, kind, start, end, repeat=None, rep="grace", zone="Europe/Berlin", title=""):
    wanted = booking.OwnTime(kind, zone, at(start), at(end), repeat.rule() if repeat else "", title)
    with db.transaction() as tx:
        return booking.add_own_time(tx, version.site_id, rep, wanted, by=BOSS)


def offered(db, version, day, *, meeting="demo", rep="grace", days=1):
    """Open starts by Berlin's clock."""
    start = at(day).replace(tzinfo=BERLIN)
    with db.reading() as tx:
        found = booking.slots(
            tx,
            version,
            meeting=meeting,
            reps=[rep],
            start=start,
            end=start + timedelta(days=days),
            zone="Europe/Berlin",
        )
    return [one.astimezone(BERLIN).strftime("%H:%M") for one in found.starts]


@pytest.mark.parametrize(
    ("zone", "start", "end", "rule", "first", "last", "expected"),
    [
        # Berlin, spring: nine o'clock stays nine o'clock.
        ("Europe/Berlin", "2026-03-23T09:00", "2026-03-23T10:00", Repeat(WEEK, (0,)), "2026-03-20", "2026-04-05",
         [("23.03. 08:00", "23.03. 09:00"), ("30.03. 07:00", "30.03. 08:00")]),
        # Berlin, autumn, over midnight and over the change.
        ("Europe/Berlin", "2026-10-17T22:00", "2026-10-18T04:00", Repeat(WEEK, (5,)), "2026-10-16", "2026-11-02",
         [("17.10. 20:00", "18.10. 02:00"), ("24.10. 20:00", "25.10. 03:00"), ("31.10. 21:00", "01.11. 03:00")]),
        # Sydney and Lord Howe (half an hour), southern autumn.
        ("Australia/Sydney", "2026-03-29T09:00", "2026-03-29T10:00", Repeat(WEEK, (6,)), "2026-03-27", "2026-04-06",
         [("28.03. 22:00", "28.03. 23:00"), ("04.04. 23:00", "05.04. 00:00")]),
        ("Australia/Lord_Howe", "2026-03-29T09:00", "2026-03-29T10:00", Repeat(WEEK, (6,)), "2026-03-27", "2026-04-06",
         [("28.03. 22:00", "28.03. 23:00"), ("04.04. 22:30", "04.04. 23:30")]),
        # A midnight that is skipped (Santiago): the whole day is 23 hours.
        ("America/Santiago", "2026-09-06T00:00", "2026-09-07T00:00", None, "2026-09-05", "2026-09-08",
         [("06.09. 04:00", "07.09. 03:00")]),
        # A time that the clocks skip is no time; one they repeat is there twice.
        ("Europe/Berlin", "2026-03-22T02:15", "2026-03-22T02:45", Repeat(WEEK, (6,)), "2026-03-20", "2026-03-31",
         [("22.03. 01:15", "22.03. 01:45")]),
        ("Europe/Berlin", "2026-10-25T02:15", "2026-10-25T02:45", None, "2026-10-24", "2026-10-27",
         [("25.10. 00:15", "25.10. 00:45"), ("25.10. 01:15", "25.10. 01:45")]),
        # Every second week counts weeks from the start; two days a week; the last date counts.
        ("UTC", "2026-03-04T09:00", "2026-03-04T10:00", Repeat(WEEK, (0, 2), 2, until=date(2026, 3, 18)), "2026-03-01",
         "2026-04-30",
         [("04.03. 09:00", "04.03. 10:00"), ("16.03. 09:00", "16.03. 10:00"), ("18.03. 09:00", "18.03. 10:00")]),
        # The last Friday of the month, and the second Tuesday.
        ("UTC", "2026-01-01T09:00", "2026-01-01T10:00", Repeat(MONTH, (4,), nth=-1), "2026-02-01", "2026-03-31",
         [("27.02. 09:00", "27.02. 10:00"), ("27.03. 09:00", "27.03. 10:00")]),
        ("UTC", "2026-02-11T09:00", "2026-02-11T10:00", Repeat(MONTH, (1,), nth=2), "2026-02-01", "2026-03-31",
         [("10.03. 09:00", "10.03. 10:00")]),
    ],
)  # fmt: skip
def test_times_are_what_the_clock_on_the_wall_shows(zone, start, end, rule, first, last, expected):
    pattern = Pattern(zone, at(start), at(end), rule.rule() if rule else "")
    edge = [int(at(day).replace(tzinfo=UTC).timestamp()) for day in (first, last)]
    assert utc(pattern.spans(*edge)) == expected
    if rule:
        assert Repeat.read(rule.rule()) == rule


def test_a_rule_is_over_at_the_end_of_its_last_time_or_never():
    until = Pattern(
        "Europe/Berlin",
        at("2026-03-03T09:00"),
        at("2026-03-03T10:00"),
        Repeat(WEEK, (1,), until=date(2026, 4, 7)).rule(),
    )
    assert until.ends_at() == span("2026-04-07T10:00")
    assert Pattern("UTC", at("2026-03-03T09:00"), at("2026-03-03T10:00"), FOREVER.rule()).ends_at() is None
    none = Repeat(WEEK, (6,), until=date(2026, 3, 5))
    with pytest.raises(Invalid, match="no such day"):
        Pattern("UTC", at("2026-03-03T09:00"), at("2026-03-03T10:00"), none.rule()).ends_at()


def test_a_weekly_block_keeps_its_time_free_on_both_sides_of_a_change(db, version):
    add(db, version, "blocked", "2026-03-24T09:00", "2026-03-24T10:00", FOREVER, title="Team round")
    for day in ("2026-03-24", "2026-03-31"):
        assert offered(db, version, day) == ["10:00", "10:30", "11:00", "11:30"], day
    assert offered(db, version, "2026-03-25")[0] == "09:00"
    with db.reading() as tx:
        start = at("2026-03-31T09:00").replace(tzinfo=BERLIN)
        told = booking.why_not(tx, version, booking.ask(tx, version, "demo", None, ["grace"]), start)["grace"]
    assert (told.answer, "Team round" in told.because) == ("busy", True)


def test_out_of_office_is_whole_days_and_the_reason_says_so(db, version):
    block = add(db, version, "away", "2026-03-04T00:00", "2026-03-06T00:00", title="Skiing")
    assert [bool(offered(db, version, f"2026-03-0{day}")) for day in (3, 4, 5, 6)] == [True, False, False, True]
    with db.reading() as tx:
        start = at("2026-03-04T09:00").replace(tzinfo=BERLIN)
        told = booking.why_not(tx, version, booking.ask(tx, version, "demo", None, ["grace"]), start)["grace"]
    assert (told.answer, told.because.startswith("out of office (Skiing)")) == ("busy", True)
    with pytest.raises(NotFound), db.transaction() as tx:
        booking.remove_own_time(tx, version.site_id, "linus", block, by=BOSS)
    with db.transaction() as tx:
        booking.remove_own_time(tx, version.site_id, "grace", block, by=BOSS)
    assert offered(db, version, "2026-03-04")


def test_extra_hours_join_those_of_their_date_also_on_a_day_off_and_stay_on_the_wall_clock(db, version):
    add(db, version, "open", "2026-03-03T12:00", "2026-03-03T13:00")  # right after 09:00 to 12:00
    assert offered(db, version, "2026-03-03", meeting="deep-dive")[-1] == "12:00"
    assert "11:30" in offered(db, version, "2026-03-03", meeting="deep-dive")
    add(db, version, "open", "2026-03-21T10:00", "2026-03-21T11:00", Repeat(WEEK, (5,)))  # Saturdays
    for day in ("2026-03-21", "2026-03-28"):
        assert offered(db, version, day) == ["10:00", "10:30"], day
    assert offered(db, version, "2026-03-22") == []
    add(db, version, "away", "2026-03-28T00:00", "2026-03-29T00:00")
    assert offered(db, version, "2026-03-28") == []
    with db.transaction() as tx:
        start = at("2026-03-21T10:00").replace(tzinfo=BERLIN)
        held = booking.hold(tx, version, meeting="demo", start=start, rep="grace")
        assert booking.confirm(tx, version, held.id, **ADA, **GOAL).rep == "grace"


def test_extra_hours_over_midnight_make_one_stretch_with_the_next_morning(db, version):
    add(db, version, "open", "2026-03-03T22:00", "2026-03-04T09:00")
    starts = offered(db, version, "2026-03-03", meeting="deep-dive", days=2)
    assert "23:30" in starts
    assert "08:30" in starts  # over into the weekly hours


def test_a_rule_for_ever_holds_far_ahead_whoever_asked_before(db, apply):
    far = apply(meetings=FAR)
    add(db, far, "blocked", "2026-03-03T09:00", "2026-03-03T10:00", FOREVER)
    expected = ["10:00", "10:30", "11:00", "11:30"]
    for day in ("2026-03-10", "2028-01-04", "2026-12-29", "2027-06-29", "2026-03-17"):
        assert offered(db, far, day) == expected, day


def test_years_of_a_rule_cost_no_more_than_what_is_asked_about(db, version):
    add(db, version, "blocked", "2026-03-03T09:00", "2026-03-03T09:30", Repeat(WEEK, (0, 1, 2, 3, 4, 5, 6)))
    with db.reading() as tx:
        found = own_times.known(tx, version.site_id, ["grace", "linus"], span("2026-03-02T00:00"))
    assert set(found) == {"grace"}
    assert 400 < len(found["grace"].busy) < 600
    tracemalloc.start()
    with db.reading() as tx:
        again = own_times.known(tx, version.site_id, ["grace"], span("2026-03-05T00:00"))
    spent = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert again["grace"].busy[0] is found["grace"].busy[0]  # worked out once
    assert spent < 300_000


def test_what_makes_no_sense_is_refused_in_a_sentence(db, version):
    for kind, start, end, repeat, says in (
        ("away", "2026-03-05T00:00", "2026-03-05T00:00", None, "end must lie after"),
        ("away", "2026-02-05T00:00", "2026-02-06T00:00", None, "in the past"),
        ("away", "2026-03-05T00:00", "2027-05-05T00:00", None, "400 days"),
        ("blocked", "2026-03-05T00:00", "2026-03-15T00:00", FOREVER, "7 days"),
        ("blocked", "2036-03-05T00:00", "2036-03-05T01:00", None, "too far"),
        ("open", "2026-03-05T18:03", "2026-03-05T19:00", None, "multiple of 5"),
        ("blocked", "2026-03-29T02:15", "2026-03-29T02:45", None, "clocks skip"),
        ("blocked", "2026-03-05T09:00", "2026-03-05T10:00", Repeat(WEEK, (1,), until=date(2037, 1, 1)), "ten years"),
        ("blocked", "2026-03-05T09:00", "2026-03-05T10:00", Repeat(WEEK, (1,), interval=99), "1 to 52 weeks"),
        ("lunch", "2026-03-05T12:00", "2026-03-05T13:00", None, "away, blocked, open"),
    ):
        with pytest.raises(Invalid, match=says):
            add(db, version, kind, start, end, repeat)
    for rule in (
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;COUNT=3",
        "FREQ=SECONDLY",
        "x",
    ):
        wanted = booking.OwnTime("blocked", "UTC", at("2026-03-05T09:00"), at("2026-03-05T10:00"), rule)
        with pytest.raises(Invalid, match="not a rule"), db.transaction() as tx:
            booking.add_own_time(tx, version.site_id, "grace", wanted, by=BOSS)
    with db.reading() as tx:
        assert booking.own_times_of(tx, version.site_id, "grace", NINE - timedelta(days=400)) == []


@pytest.mark.parametrize(
    "repeat", [Repeat(WEEK, ()), Repeat(WEEK, (7,)), Repeat(WEEK, (1,), 0), Repeat(MONTH, (1,), nth=5)]
)
def test_repeats_that_make_no_sense_are_refused(repeat):
    with pytest.raises(Invalid):
        repeat.check()


def test_meetings_booked_inside_a_new_absence_are_listed_and_stay(db, version, book):
    inside, beside = book(rep="grace"), book(NINE + timedelta(days=2), rep="grace", who=ADA | {"email": "b@x.example"})
    block = add(db, version, "away", "2026-03-03T00:00", "2026-03-04T00:00")
    add(db, version, "open", "2026-03-05T06:00", "2026-03-05T20:00")
    with db.reading() as tx:
        rows = booking.own_times_of(tx, version.site_id, "grace", NINE - timedelta(days=1))
        found = booking.meetings_in(tx, rows)
    assert [(meeting.id, row.id) for meeting, row in found] == [(inside.id, block)]
    assert beside.status == inside.status == "booked"


KIND = {"sqlite": "TEXT", "postgresql": "TIMESTAMPTZ"}


def test_what_was_blocked_before_the_change_is_blocked_to_the_second(database_url):
    db = Database(database_url)
    config = migrate._config()  # noqa: SLF001 - the migration before ours
    with db.transaction() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0004")
        kept = {"site_id": "sit_1", "rep": "grace", "created_by": "x", "created_at": "2026-01-01 00:00:00"}
        rows = [
            {
                **kept,
                "id": "1",
                "title": "Old",
                "start_at": "2026-03-29 00:59:30.250",
                "end_at": "2026-03-29 02:00:00.750",
            },
            {**kept, "id": "2", "title": "", "start_at": "2026-03-03 08:00:00", "end_at": "2026-03-03 09:30:00"},
        ]
        names = ", ".join(rows[0])
        given = ", ".join(
            f":{name}" if not name.endswith("_at") else f"CAST(:{name} AS {KIND[tx.dialect.name]})" for name in rows[0]
        )
        tx.execute(text(f"INSERT INTO time_blocks ({names}) VALUES ({given})"), rows)  # noqa: S608 - names of ours
        command.upgrade(config, "head")
    with db.reading() as tx:
        found = own_times.known(tx, "sit_1", ["grace"], span("2026-03-01T00:00"))["grace"]
        rows = own_times.of_rep(tx, "sit_1", "grace", NINE - timedelta(days=9))
    assert utc(found.busy) == [("03.03. 08:00", "03.03. 09:30"), ("29.03. 00:59", "29.03. 02:00")]
    assert [one % 60 for one in found.busy[1]] == [30, 1]
    assert sorted(found.labels.values()) == ["Old", "own time"]
    assert {row.kind for row in rows} == {"blocked"}
    db.close()
