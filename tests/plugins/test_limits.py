"""When a connection may be called: by its rate, after a refusal, and after it was unwell; nobody waits here."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins import limits
from plugins.errors import AmbiguousOutcome, AuthError, NotFound, PluginError, QuotaExhausted, RateLimited, Transient
from plugins.limits import FIRST_OPEN, LONGEST_OPEN, OPENS_AFTER, PROBE, Limits, Rate

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def call(of: Limits, clock: Clock, problem: BaseException | None = None, **how: object) -> PluginError | None:
    """What held the call back; None when it went out, though `problem` came of it."""
    try:
        with of.passing(clock, **how):  # type: ignore[arg-type]
            if problem is not None:
                raise problem
    except PluginError as error:
        return error if error.held else None
    return None


def held(of: Limits, clock: Clock, **how: object) -> PluginError:
    error = call(of, clock, **how)
    assert error is not None, "the call went out"
    return error


def unwell(of: Limits, clock: Clock, times: int = OPENS_AFTER) -> None:
    for _ in range(times):
        assert call(of, clock, Transient("down")) is None


def test_calls_beyond_the_rate_are_told_the_moment_at_which_there_is_room(clock: Clock) -> None:
    of = Limits(Rate(4, 10))
    for _ in range(4):
        assert call(of, clock) is None
        clock.advance(1)
    error = held(of, clock)
    assert (type(error), error.held, error.retry_after) == (RateLimited, limits.GATE, NOON + timedelta(seconds=10))
    clock.at = NOON + timedelta(seconds=10)
    assert call(of, clock) is None
    assert held(of, clock).retry_after == NOON + timedelta(seconds=11)


def test_who_has_begun_comes_to_an_end_though_newcomers_wait(clock: Clock) -> None:
    of = Limits(Rate(10, 60))
    assert [call(of, clock) for _ in range(8)] == [None] * 8
    assert held(of, clock).held == limits.GATE
    assert [call(of, clock, begun=True) for _ in range(2)] == [None] * 2
    assert held(of, clock, begun=True).retry_after == NOON + timedelta(minutes=1)


def test_an_operation_of_several_calls_is_possible_at_one_call_a_second(clock: Clock) -> None:
    of = Limits(Rate(1, 1))
    assert call(of, clock) is None
    assert [call(of, clock, begun=True) for _ in range(4)] == [None] * 4
    assert held(of, clock).held == limits.GATE


def test_a_bucket_has_its_rate_beside_that_of_the_connection(clock: Clock) -> None:
    of = Limits(Rate(100, 10), {"search": Rate(2, 1)})
    assert [call(of, clock, bucket="search") for _ in range(2)] == [None] * 2
    assert held(of, clock, bucket="search").retry_after == NOON + timedelta(seconds=1)
    assert call(of, clock) is None


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 6), st.floats(0.5, 5))
def test_no_window_ever_holds_more_calls_than_it_may(gaps: list[float], calls: int, seconds: float) -> None:
    clock, of, went = Clock(), Limits(Rate(calls, seconds)), []
    for gap in gaps:
        clock.advance(gap)
        error = call(of, clock)
        if error is None:
            went.append(clock.at)
        else:
            assert error.retry_after is not None
            assert error.retry_after > clock.at
    length = timedelta(seconds=seconds)
    assert all(sum(at - length < other <= at for other in went) <= calls for at in went)


def test_threads_at_once_share_one_rate(clock: Clock) -> None:
    of, start, went = Limits(Rate(16, 60)), threading.Barrier(8), []

    def work() -> None:
        start.wait()
        went.extend(call(of, clock) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert went.count(None) == 13  # a fifth is kept for those in the middle


def test_a_moment_that_the_service_names_holds_its_bucket_and_no_other(clock: Clock) -> None:
    of, until = Limits(), NOON + timedelta(minutes=7)
    call(of, clock, RateLimited("429", retry_after=until), bucket="search")
    error = held(of, clock, bucket="search")
    assert (type(error), error.held, error.retry_after) == (RateLimited, limits.PAUSE, until)
    assert call(of, clock) is None
    clock.at = until
    assert call(of, clock, bucket="search") is None


def test_a_moment_for_the_whole_connection_holds_every_bucket(clock: Clock) -> None:
    of, until = Limits(), NOON + timedelta(minutes=7)
    call(of, clock, QuotaExhausted("403", retry_after=until))
    assert held(of, clock, bucket="search").retry_after == until
    of.reset()
    assert call(of, clock, bucket="search") is None


def test_a_refusal_without_a_moment_is_a_short_pause(clock: Clock) -> None:
    of = Limits()
    call(of, clock, RateLimited("429"))
    assert held(of, clock).retry_after == NOON + limits.UNNAMED


def test_a_service_that_is_unwell_several_times_in_a_row_is_left_alone_then_tried_once(clock: Clock) -> None:
    of = Limits()
    unwell(of, clock, OPENS_AFTER - 1)
    call(of, clock, NotFound("404"))  # an answer: it is well
    unwell(of, clock)
    error = held(of, clock)
    assert (type(error), error.held, error.retry_after) == (Transient, limits.BREAKER, NOON + FIRST_OPEN)
    assert of.state(clock()) == "open"
    clock.at += FIRST_OPEN
    assert of.state(clock()) == "probing"
    with of.passing(clock):
        assert held(of, clock).held == limits.BREAKER, "a second one while the first still probes"
    assert (of.state(clock()), call(of, clock)) == ("closed", None)


def test_it_is_left_alone_longer_each_time_up_to_two_minutes(clock: Clock) -> None:
    waits, opened = [], []
    of = Limits(opens=lambda: opened.append(1))
    unwell(of, clock)
    for _ in range(7):
        until = held(of, clock).retry_after
        assert until is not None
        waits.append((until - clock()).total_seconds())
        clock.at = until
        assert call(of, clock, AmbiguousOutcome("no answer")) is None
    assert waits == [30, 60, 120, 120, 120, 120, LONGEST_OPEN.total_seconds()]
    assert len(opened) == 8


@pytest.mark.parametrize("answer", [AuthError("401"), RateLimited("429"), NotFound("404")])
def test_whatever_the_service_answers_it_is_there(clock: Clock, answer: PluginError) -> None:
    of = Limits()
    unwell(of, clock)
    clock.at += FIRST_OPEN
    call(of, clock, answer)
    assert of.state(clock()) == "closed"


def test_a_probe_that_is_ended_from_outside_leaves_its_place_to_another(clock: Clock) -> None:
    of = Limits()
    unwell(of, clock)
    clock.at += FIRST_OPEN
    with pytest.raises(KeyboardInterrupt):
        call(of, clock, KeyboardInterrupt())
    assert call(of, clock) is None


def test_a_probe_that_never_comes_back_is_waited_for_a_minute(clock: Clock) -> None:
    of = Limits()
    unwell(of, clock)
    clock.at += FIRST_OPEN
    with of.passing(clock):
        clock.at += PROBE
        assert call(of, clock) is None


def test_late_failures_of_calls_that_began_before_do_not_lengthen_the_rest(clock: Clock) -> None:
    of = Limits()
    with pytest.raises(Transient), of.passing(clock):
        unwell(of, clock)
        raise Transient("late")
    assert held(of, clock).retry_after == NOON + FIRST_OPEN


def test_a_clock_that_is_set_back_holds_nobody_back_for_ever(clock: Clock) -> None:
    of = Limits(Rate(1, 60))
    call(of, clock, RateLimited("429", retry_after=NOON + timedelta(days=3)))
    clock.advance(-3600)
    assert call(of, clock) is None


def test_a_connection_has_one_gate_however_often_it_is_opened() -> None:
    assert limits.of("con_1", Rate(1, 1)) is limits.of("con_1")
    assert limits.of("con_2") is not limits.of("con_1")
    assert set(limits.known()) >= {"con_1", "con_2"}
    call(limits.of("con_1"), Clock())
    held(limits.of("con_1"), Clock())
    limits.reset("con_1")
    limits.reset("con_never")
    assert call(limits.of("con_1"), Clock()) is None
    limits.forget()
    assert not limits.known()
