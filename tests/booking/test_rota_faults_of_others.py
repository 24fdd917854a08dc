"""What others' rotas were seen to do wrong, as tests (research into schedulers; the numbers are their bug reports')."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from fractions import Fraction

import pytest

from server import events
from server.booking import service as booking
from server.errors import SlotTaken
from server.routing.pick import Candidate, Policy, Tally, choose
from tests.booking.conftest import NINE, TEAM

ALL = [f"{number}" for number in range(3)]


@pytest.fixture
def hold(db, version):
    def run(start=NINE, of=None, **more):
        with db.transaction() as tx:
            return booking.hold(tx, of or version, meeting="intro", start=start, **more)

    return run


def why(db, meeting):
    """Rep by rep what the stored pick says."""
    with db.reading() as tx:
        (held,) = [one for one in events.of_subject(tx, "meeting", meeting.id) if one.name == events.MEETING_HELD]
    return {one["name"]: one["because"] for one in held.trace["looked_at"]}


def block(db, version, rep, start, minutes=30):
    with db.transaction() as tx:
        end = start + timedelta(minutes=minutes)
        booking.add_block(tx, version.site_id, rep, start, end, title="Dentist", created_by=rep)


def test_rr_all_busy_1019_the_first_host_does_not_get_everything(hold):
    given = Counter(hold(NINE + timedelta(minutes=15 * number)).rep for number in range(6))
    assert given == {"grace": 2, "linus": 2, "margaret": 2}


def test_rr_partly_available_12376_who_has_half_of_the_time_does_not_get_it_and_is_told_why(db, version, hold):
    block(db, version, "grace", NINE + timedelta(minutes=5))
    held = hold()
    told = why(db, held)
    assert (held.rep, told["linus"]) == ("linus", "furthest below the fair share")
    assert told["grace"] == "not free: time of their own, 2026-03-03T08:05:00Z to 2026-03-03T08:35:00Z"
    assert "Dentist" not in str(told)


def test_rr_10315_nobody_is_booked_outside_the_hours_however_far_behind(hold):
    with pytest.raises(SlotTaken) as refusal:
        hold(NINE - timedelta(hours=1))
    assert refusal.value.extra["reason"] == "outside_hours"


def test_rr_15871_who_is_out_of_office_gets_nothing_and_the_trace_says_so(db, hold, apply):
    away = "hours: *day, overrides: [{date: 2026-03-03, hours: []}]}"
    team = TEAM.replace("zone: Europe/Berlin, hours: *day}\n", f"zone: Europe/Berlin, {away}\n")
    held = hold(of=apply(team=team))
    assert held.rep == "grace"
    assert why(db, held)["linus"].startswith("not free: not inside one block of working hours")


def test_rr_another_meeting_is_named_as_what_makes_somebody_busy(db, hold):
    first, second = hold(), hold()
    told = why(db, second)[first.rep]
    assert told.startswith("not free: ")
    assert "2026-03-03T08:00:00Z to 2026-03-03T08:15:00Z" in told


def test_rr_16310_a_new_month_starts_from_nothing_and_goes_on_with_who_waited_longest(book, monday):
    given = []
    for number in range(8):
        month = timedelta(days=31 if number > 4 else 0)
        given.append(book(start=NINE + month + timedelta(minutes=15 * (number % 5)), meeting="intro").rep)
        monday.advance(timedelta(days=31) if number == 4 else timedelta(minutes=1))
    assert given == ["grace", "linus", "margaret", "grace", "linus", "margaret", "grace", "linus"]


def test_rr_10339_a_tie_is_broken_by_rule_and_never_by_chance():
    reps = [Candidate(name, True) for name in ALL]
    even = Tally(dict.fromkeys(ALL, Fraction(1)), {name: NINE - timedelta(days=int(name)) for name in ALL})
    assert {choose(Policy(), order, even).rep for order in (reps, reps[::-1], [reps[1], reps[0], reps[2]])} == {"2"}


@pytest.mark.parametrize("weight", [Fraction("0.1"), Fraction("33.3"), Fraction(1, 3), Fraction("0.7")])
def test_rr_an_exact_tie_of_odd_weights_is_a_tie_and_no_float_noise(weight):
    reps = [Candidate(name, True, weight * (number + 1)) for number, name in enumerate(ALL)]
    standing = Tally({name: Fraction(number + 1) for number, name in enumerate(ALL)})
    picked = choose(Policy(), reps, standing)
    assert {one.shortfall for one in picked.why} == {0}
    assert picked.rep == "2"  # the larger weight


def test_rr_9509_who_was_taken_off_the_team_is_not_booked_by_a_chat_that_began_before(db, version, hold, apply):
    apply(team=TEAM.replace("members: [grace, linus, margaret]", "members: [grace, linus]"))
    given = {hold(NINE + timedelta(minutes=15 * number), of=version).rep for number in range(4)}
    assert given == {"grace", "linus"}
    hold(NINE + timedelta(minutes=75), of=version)
    hold(NINE + timedelta(minutes=75), of=version)
    with pytest.raises(SlotTaken):
        hold(NINE + timedelta(minutes=75), of=version)


def test_rr_13606_who_is_too_far_ahead_waits_though_the_others_are_not_free(db, hold, apply):
    version = apply(team=TEAM.replace("margaret], zone", "margaret], max_lead: 2, zone", 1))
    for rep in ("linus", "margaret"):
        block(db, version, rep, NINE, minutes=60)
    assert [hold(NINE + timedelta(minutes=15 * number), of=version).rep for number in range(2)] == ["grace", "grace"]
    with pytest.raises(SlotTaken):
        hold(NINE + timedelta(minutes=30), of=version)


def test_rr_strict_only_the_next_in_turn_is_offered_and_the_next_follows_at_once(db, hold, apply):
    version = apply(team=TEAM.replace("margaret], zone", "margaret], policy: strict, zone", 1))
    with db.reading() as tx:
        first = booking.ask(tx, version, "intro").reps
    taken = [hold(NINE + timedelta(minutes=15 * number), of=version) for number in range(3)]
    assert first == ("grace",)
    assert [one.rep for one in taken] == ["grace", "linus", "margaret"]
    assert why(db, taken[0])["linus"] == "not next in turn, and only the next in turn is asked"
