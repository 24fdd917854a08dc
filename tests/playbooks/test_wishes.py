"""Times wished for in words: which of the open ones fit, and which are nearest when none does."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.ai import PartOfDay, TimeWish
from server.booking import service as booking
from server.playbooks import wishes
from tests.playbooks.chat import Chat
from tests.playbooks.conftest import Opener

NODES = "{id: meet, book: demo}\n{id: bye, end: See you!}"
KNOWN = {"lead.name": "Ada Byron", "lead.email": "ada@wonka.example"}
MONDAY = date(2026, 3, 2)
STARTS = [datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(hours=one) for one in range(24 * 7)]
WISHES = {
    "a day": (TimeWish(first=MONDAY, last=MONDAY), lambda at: at.date() == MONDAY),
    "from a day on": (TimeWish(first=date(2026, 3, 5)), lambda at: at.date() >= date(2026, 3, 5)),
    "a weekday": (TimeWish(weekdays=(3,)), lambda at: at.weekday() == 3),
    "mornings": (TimeWish(part=PartOfDay.MORNING), lambda at: 6 <= at.hour < 12),
    "afternoons": (TimeWish(part=PartOfDay.AFTERNOON), lambda at: 12 <= at.hour < 17),
    "at three": (TimeWish(at=time(15)), lambda at: at.hour == 15),
    "after four": (TimeWish(not_before=time(16)), lambda at: at.hour >= 16),
    "not after ten": (TimeWish(not_after=time(10)), lambda at: at.hour <= 10),
    "not on fridays": (TimeWish(weekdays=(4,), negated=True), lambda at: at.weekday() != 4),
}


def in_berlin(at: datetime) -> datetime:
    return at + timedelta(hours=1)


@pytest.mark.parametrize("name", WISHES)
def test_what_fits_is_judged_on_the_visitors_clock(name: str) -> None:
    wish, fits = WISHES[name]
    assert wishes.fitting(STARTS, [wish], "Europe/Berlin") == [at for at in STARTS if fits(in_berlin(at))]


def test_two_wishes_are_either_and_a_refusal_counts_for_both() -> None:
    either = [TimeWish(weekdays=(1,)), TimeWish(weekdays=(3,)), TimeWish(part=PartOfDay.MORNING, negated=True)]
    days = {(at.weekday(), at.hour < 12) for at in map(in_berlin, wishes.fitting(STARTS, either, "Europe/Berlin"))}
    assert {day for day, _ in days} == {1, 3}
    assert (1, False) in days


@given(st.lists(st.sampled_from(STARTS), unique=True), st.sampled_from([one for one, _ in WISHES.values()]))
def test_the_nearest_are_open_ones_in_order_and_fitting_ones_come_first(starts: list[datetime], wish: TimeWish) -> None:
    near = wishes.nearest(starts, [wish], "Europe/Berlin", 6)
    assert near == sorted(near)
    assert set(near) <= set(starts)
    assert len(near) == min(6, len(starts))
    fit = wishes.fitting(starts, [wish], "Europe/Berlin")
    if not wish.negated and len(fit) >= 6:
        assert set(near) <= set(fit)


def test_the_day_to_look_from_is_the_first_that_is_wished() -> None:
    later, sooner = TimeWish(first=date(2026, 3, 9)), TimeWish(first=date(2026, 3, 5))
    assert wishes.first_day([later, sooner]) == date(2026, 3, 5)
    assert wishes.first_day([later, TimeWish(part=PartOfDay.MORNING)]) is None
    assert wishes.first_day([]) is None


def meetings(chat: Chat) -> list[tuple[str, str]]:
    with chat.db.reading() as tx:
        return [(one.status, one.start_at.strftime("%d %H:%M")) for one in booking.of_conversation(tx, chat.id)]


def test_a_time_can_be_chosen_in_words(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    assert chat.say("tomorrow at 2pm works")[-1] == "See you!"
    assert meetings(chat) == [("booked", "03 13:00")]


def test_a_wish_in_words_shows_the_times_that_fit(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.say("Do you have anything on Thursday afternoon?") == ["These are free then:"]
    part = chat.part("slots")
    assert [day["date"] for day in part["days"]][0] == "2026-03-05"
    starts = [datetime.fromisoformat(one) for day in part["days"] for one in day["slots"]]
    assert all(one.weekday() == 3 and 11 <= one.hour < 16 for one in starts)


def test_a_wish_that_nothing_fits_shows_the_nearest_times(opened: Opener) -> None:
    chat = opened(NODES)
    assert chat.say("how about sunday evening") == ["Nothing is free then. These are the nearest times:"]
    assert chat.part("slots")["days"]


def test_the_second_one_is_the_second_of_the_times_shown_last(opened: Opener) -> None:
    chat = opened(NODES, known=KNOWN)
    chat.say("Thursday afternoon")
    second = datetime.fromisoformat(chat.part("slots")["suggested"][1])
    chat.say("the second one")
    assert meetings(chat) == [("booked", second.strftime("%d %H:%M"))]


def test_more_days_are_shown_each_time_they_are_asked_for(opened: Opener) -> None:
    chat = opened(NODES)
    first = chat.part("slots")["days"][0]["date"]
    chat.act("other_times")
    second = chat.part("slots")["days"][0]["date"]
    chat.act("other_times")
    assert first < second < chat.part("slots")["days"][0]["date"]


@pytest.mark.parametrize("text", ["another time please", "do you have other times?", "none of these", "later"])
def test_who_wants_another_time_and_has_no_meeting_is_shown_more(opened: Opener, text: str) -> None:
    chat = opened(NODES)
    first = chat.part("slots")["days"][0]["date"]
    assert chat.say(text) == ["Here are more times."]
    assert chat.part("slots")["days"][0]["date"] > first


def test_the_first_three_times_lie_apart_and_one_is_of_another_day(opened: Opener) -> None:
    near = [datetime.fromisoformat(one) for one in opened(NODES).part("slots")["suggested"]]
    assert near == sorted(near)
    assert near[1] - near[0] >= timedelta(hours=2)
    assert len({one.date() for one in near}) == 2


def test_of_one_day_three_times_are_suggested_in_order(opened: Opener) -> None:
    chat = opened(NODES)
    chat.say("Thursday afternoon")
    near = chat.part("slots")["suggested"]
    assert near == sorted(near)
    assert len(near) == 3


def test_nobody_is_suggested_a_time_in_the_middle_of_the_night_while_there_are_others(opened: Opener) -> None:
    chat = opened(NODES, zone="America/New_York")  # reps work from 3 to 11 there
    near = [datetime.fromisoformat(one) for one in chat.part("slots")["suggested"]]
    assert [one.astimezone(ZoneInfo("America/New_York")).hour for one in near] == [7, 9, 7]
    assert {one.date() for one in near} == {date(2026, 3, 2), date(2026, 3, 3)}
    assert chat.part("slots")["days"][0]["slots"][0] == "2026-03-02T10:00:00Z"  # five in the morning can be had


def test_who_is_up_at_none_of_the_times_is_offered_them_all_the_same(opened: Opener) -> None:
    chat = opened(NODES, zone="Pacific/Auckland")  # 21:00 to 5:00 there
    assert len(chat.part("slots")["suggested"]) == 3
