"""What is offered: by day, in the visitor's zone, with holidays, silent calendars and changes taken into account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server import clock
from server.booking import service as booking
from server.errors import Invalid, NotFound, SlotTaken
from tests.booking.conftest import MEETINGS, NINE, SITE, TEAM

DAY = timedelta(days=1)


def offered(db, version, meeting="demo", start=NINE, days=1, zone="Europe/Berlin", **more):
    with db.reading() as tx:
        return booking.slots(tx, version, meeting=meeting, start=start, end=start + days * DAY, zone=zone, **more)


def minutes(found):
    return [(one - NINE) // timedelta(minutes=1) for one in found.starts]


def test_times_come_by_day_of_the_visitor_and_say_where_to_go_on(db, version):
    found = offered(db, version, zone="Asia/Tokyo", limit=4).as_json()
    assert found == {
        "zone": "Asia/Tokyo",
        "meeting": "demo",
        "days": [
            {
                "date": "2026-03-03",
                "slots": [
                    "2026-03-03T08:00:00Z",
                    "2026-03-03T08:30:00Z",
                    "2026-03-03T09:00:00Z",
                    "2026-03-03T09:30:00Z",
                ],
            }
        ],
        "next_from": "2026-03-03",
    }
    friday = NINE + 3 * DAY
    assert offered(db, version, start=friday).next_from.isoformat() == "2026-03-09"
    assert offered(db, version, start=NINE + 29 * DAY, days=30).next_from is None


def test_holidays_of_the_site_are_days_off_unless_a_rep_works_then(db, apply):
    closed = SITE + 'holidays: {country: DE, dates: ["2026-03-03"]}\n'
    version = apply(
        site=closed,
        team=TEAM.replace(
            "name: Grace Hopper",
            'overrides: [{date: 2026-03-03, hours: [{start: "09:00", end: "10:00"}]}], name: Grace Hopper',
        ),
    )
    assert minutes(offered(db, version)) == [0, 30]
    good_friday = NINE + 31 * DAY
    assert offered(db, version, start=good_friday - DAY).starts == ()  # beyond the window anyway
    version = apply(
        site=closed,
        meetings=MEETINGS.replace(
            "notice_minutes: 0, pool: sales", "notice_minutes: 0, window: {kind: rolling_days, days: 60}, pool: sales"
        ),
    )
    assert len(offered(db, version, start=good_friday - DAY).starts) == 4  # from 10:00: the clocks have changed
    assert offered(db, version, start=good_friday).starts == ()
    other_country = TEAM.replace("name: Linus", "holidays: {country: US}, name: Linus")
    version = apply(site=closed, team=other_country)
    assert len(offered(db, version, reps=["linus"]).starts) == 6


def test_only_the_first_times_of_a_day_are_offered_where_the_meeting_says_so(db, apply):
    version = apply(meetings=MEETINGS.replace("{id: intro,", "{id: intro, first_of_day: 2,"))
    assert minutes(offered(db, version, "intro", days=2)) == [0, 15, 1440, 1455]


def test_a_dates_window_and_a_rep_with_own_rules(db, apply):
    dates = MEETINGS.replace("{id: intro,", "{id: intro, window: {kind: dates, from: 2026-03-04, to: 2026-03-04},")
    own = TEAM.replace("name: Joan", "buffer_before_minutes: 60, notice_minutes: 1500, name: Joan")
    version = apply(meetings=dates, team=own)
    assert {one.date().isoformat() for one in offered(db, version, "intro", days=5).starts} == {"2026-03-04"}
    assert minutes(offered(db, version, reps=["joan"])) == [60, 90, 120, 150]


def test_a_strict_pool_offers_only_the_times_of_whoever_is_next(db, apply, monday):
    strict = TEAM.replace("{id: pair, members: [grace, linus],", "{id: pair, members: [grace, linus], policy: strict,")
    version = apply(team=strict)
    with db.transaction() as tx:
        booking.add_block(tx, version.site_id, "grace", NINE, NINE + DAY / 12, title="", created_by="x")
    assert minutes(offered(db, version, "deep-dive")) == [120]
    with pytest.raises(SlotTaken), db.transaction() as tx:
        booking.hold(tx, version, meeting="deep-dive", start=NINE)


def test_wrong_questions_are_refused(db, version):
    for zone in ("../etc/passwd", "localtime", "posixrules", "Factory", "right/UTC", "europe/berlin", ""):
        with pytest.raises(Invalid, match="not a time zone"):
            offered(db, version, zone=zone)
    with pytest.raises(Invalid, match="93 days"):
        offered(db, version, days=94)
    with pytest.raises(NotFound):
        offered(db, version, "lunch")


def test_what_is_offered_follows_every_change_at_once(db, version):
    assert minutes(offered(db, version, reps=["grace"]))[0] == 0
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE, rep="grace")
    assert minutes(offered(db, version, reps=["grace"]))[0] == 60
    try:
        with db.transaction() as tx:
            booking.hold(tx, version, meeting="demo", start=NINE + DAY / 24, rep="grace")
            with db.reading() as other:
                assert booking.slots(
                    other, version, meeting="demo", reps=["grace"], start=NINE, end=NINE + DAY, zone="UTC"
                ).starts
            raise RuntimeError
    except RuntimeError:
        pass
    assert minutes(offered(db, version, reps=["grace"]))[0] == 60
    with clock.stopped_at(held.held_until):
        assert minutes(offered(db, version, reps=["grace"]))[0] == 0
