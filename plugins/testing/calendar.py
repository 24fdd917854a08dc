"""What every calendar adapter must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest

from plugins.calendar import Capability, Change, EventRef, Window
from plugins.errors import Conflict, CursorExpired, InvalidInput, NotFound, Transient
from plugins.testing.calendar_samples import DAY, DEMO, NOON, at, on_day
from plugins.testing.calendar_sides import CalendarSides
from plugins.testing.conformance import at_once, requires
from plugins.testing.deeds import Reading, Writing
from plugins.testing.fakes import Fault
from plugins.testing.foreign_events import ForeignEvents
from plugins.testing.guard import exempt
from plugins.testing.table import UNSURE

BERLIN = ZoneInfo("Europe/Berlin")
__all__ = ["BERLIN", "DAY", "DEMO", "NOON", "CalendarConformance", "at"]


class CalendarConformance(ForeignEvents, CalendarSides):
    """The author gives `fake` and `calendar`, the id of an empty calendar in it. Without WRITE most tests are skipped.

    `many` events are more than one page of the service's changes. `writes`: an expression for "METHOD /path" of the
    calls that change something; the answer to the first is lost in some tests.
    """

    many: ClassVar[int] = 230
    writes: ClassVar[str] = r"^(PUT|PATCH|DELETE|POST (?!.*(/token$|/freeBusy$|/getSchedule$)))"

    @pytest.fixture
    def lost_answer(self, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[Any]]:
        """Inside it the service does what it is asked, and its answer to the first write is lost on the way."""
        if self.no_http:
            exempt(f"no HTTP: {self.no_http}")
        fake = request.getfixturevalue("fake")

        @contextmanager
        def lost() -> Iterator[None]:
            fake.faults.add(Fault(done=True, drop=True), on=self.writes, times=1)
            yield
            fake.faults.clear()

        return lost

    @pytest.fixture
    def reading(self, calendar: str) -> Reading | None:
        def busy(subject: Any) -> Any:
            found = subject.busy([calendar], DAY)[calendar]
            if found.error:
                raise found.error.at(f"calendar.{subject.name}", "busy")
            return found

        return Reading("busy", busy, may_be_nothing=False)

    @pytest.fixture
    def writing(self, calendar: str) -> Writing | None:
        if Capability.WRITE not in self.adapter.capabilities:
            return None

        def count(subject: Any, n: int) -> int:
            return len(self.times(subject, calendar, Window(on_day(n).start, on_day(n).end)))

        def create(subject: Any, n: int, key: str) -> EventRef:
            ref: EventRef = subject.create(calendar, on_day(n), key=key)
            return ref

        return Writing("create", create, count, lambda subject, ref, key: subject.cancel(ref, key=key))

    def times(self, subject: Any, calendar: str, window: Window = DAY) -> list[tuple[datetime, datetime]]:
        found = subject.busy([calendar], window)[calendar]
        assert found.error is None
        return [(time.start, time.end) for time in found.times]

    def test_every_calendar_asked_for_has_a_result(self, subject: Any, calendar: str) -> None:
        assert self.times(subject, calendar) == []
        assert set(subject.busy([calendar, "nobody@acme.example"], DAY)) == {calendar, "nobody@acme.example"}

    @requires(Capability.WRITE)
    def test_an_event_is_busy_until_cancelled_and_cancelling_twice_is_fine(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, DEMO, key="k1")
        assert self.times(subject, calendar) == [(DEMO.start, DEMO.end)]
        subject.cancel(ref, key="k2")
        assert self.times(subject, calendar) == []
        subject.cancel(ref, key="k2")
        subject.cancel(ref, key="k3")

    @requires(Capability.WRITE)
    def test_cancelling_what_never_was_is_fine(self, subject: Any, calendar: str) -> None:
        subject.cancel(EventRef(calendar, "999999", "1"), key="k1")

    @requires(Capability.WRITE)
    def test_the_same_key_creates_one_event_also_eight_at_once(self, subject: Any, calendar: str) -> None:
        refs = at_once(lambda n: subject.create(calendar, DEMO, key="k1"))
        assert len({ref.id for ref in refs}) == 1
        assert subject.create(calendar, DEMO, key="k1").id == refs[0].id
        assert self.times(subject, calendar) == [(DEMO.start, DEMO.end)]

    @requires(Capability.WRITE)
    def test_a_late_repeat_of_create_does_not_bring_back_what_was_moved(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        subject.update(ref, at(15), key="k2")
        assert subject.create(calendar, at(9), key="k1").id == ref.id
        assert self.times(subject, calendar) == [(at(15).start, at(15).end)]

    @requires(Capability.WRITE)
    def test_a_create_whose_answer_was_lost_is_one_event_when_tried_again(
        self, subject: Any, calendar: str, lost_answer: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        with lost_answer(), pytest.raises(UNSURE):
            subject.create(calendar, DEMO, key="k1")
        ref = subject.create(calendar, DEMO, key="k1")
        assert self.times(subject, calendar) == [(DEMO.start, DEMO.end)]
        subject.cancel(ref, key="k2")
        assert self.times(subject, calendar) == []

    @requires(Capability.WRITE)
    def test_an_update_whose_answer_was_lost_succeeds_when_tried_again(
        self, subject: Any, calendar: str, lost_answer: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        with lost_answer(), pytest.raises(UNSURE):
            subject.update(ref, at(10), key="k2")
        again = subject.update(ref, at(10), key="k2")
        assert (again.id, self.times(subject, calendar)) == (ref.id, [(at(10).start, at(10).end)])
        assert subject.update(again, at(11), key="k3").id == ref.id

    @requires(Capability.WRITE)
    def test_a_cancel_whose_answer_was_lost_succeeds_when_tried_again(
        self, subject: Any, calendar: str, lost_answer: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        ref = subject.create(calendar, DEMO, key="k1")
        with lost_answer(), pytest.raises(UNSURE):
            subject.cancel(ref, key="k2")
        subject.cancel(ref, key="k2")
        assert self.times(subject, calendar) == []

    @requires(Capability.WRITE)
    def test_of_updates_from_one_version_at_once_a_single_one_is_done(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, at(9), key="k1")

        def move(n: int) -> int | None:
            try:
                subject.update(ref, at(10 + n), key=f"move {n}")
            except (Conflict, Transient):  # of those that meet, a service may turn one away for now
                return None
            return n

        [done] = [n for n in at_once(move) if n is not None]
        assert self.times(subject, calendar) == [(at(10 + done).start, at(10 + done).end)]

    @requires(Capability.WRITE)
    @pytest.mark.parametrize("hour", [0, 1])
    def test_a_time_that_the_clock_shows_twice_is_the_one_that_was_meant(
        self, subject: Any, calendar: str, hour: int
    ) -> None:
        """02:30 in Berlin on 25 October 2026 is 00:30 and 01:30 UTC."""
        start = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        subject.create(calendar, replace(DEMO, start=start, end=start + timedelta(minutes=30)), key="k1")
        window = Window(start - timedelta(days=1), start + timedelta(days=1))
        assert self.times(subject, calendar, window) == [(start, start + timedelta(minutes=30))]

    @requires(Capability.WRITE)
    def test_moving_frees_the_old_time_and_takes_the_new(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        moved = subject.update(ref, at(15), key="k2")
        assert moved.id == ref.id
        assert moved.version != ref.version
        assert self.times(subject, calendar) == [(at(15).start, at(15).end)]

    @requires(Capability.WRITE)
    def test_moving_to_another_month_frees_the_old_one(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, DEMO, key="k1")
        april = replace(DEMO, start=DEMO.start + timedelta(days=31), end=DEMO.end + timedelta(days=31))
        subject.update(ref, april, key="k2")
        assert self.times(subject, calendar) == []
        assert self.times(subject, calendar, Window(april.start, april.end)) == [(april.start, april.end)]

    @requires(Capability.WRITE)
    def test_a_stale_version_is_a_conflict_and_changes_nothing(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        subject.update(ref, at(10), key="k2")
        with pytest.raises(Conflict):
            subject.update(ref, at(11), key="k3")
        assert self.times(subject, calendar) == [(at(10).start, at(10).end)]

    @requires(Capability.WRITE)
    def test_the_same_update_again_answers_as_before(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        assert subject.update(ref, at(10), key="k2") == subject.update(ref, at(10), key="k2")

    @requires(Capability.WRITE)
    def test_updating_what_is_gone_says_so(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, DEMO, key="k1")
        subject.cancel(ref, key="k2")
        with pytest.raises(NotFound):
            subject.update(ref, at(9), key="k3")

    @requires(Capability.WRITE)
    def test_busy_times_are_merged_clipped_and_in_order(self, subject: Any, calendar: str) -> None:
        for n, draft in enumerate([at(15), at(9), at(9.5), at(9.25), at(23.5, minutes=120), at(-1, minutes=90)]):
            subject.create(calendar, draft, key=f"k{n}")
        found = self.times(subject, calendar)
        hours = [[(moment - DAY.start) / timedelta(hours=1) for moment in time] for time in found]
        assert hours == [[0, 0.5], [9, 10], [15, 15.5], [23.5, 24]]

    @requires(Capability.WRITE)
    def test_an_event_shown_as_free_does_not_block(self, subject: Any, calendar: str) -> None:
        subject.create(calendar, at(9, blocks=False), key="k1")
        assert self.times(subject, calendar) == []

    @requires(Capability.WRITE)
    @pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)])
    def test_a_whole_day_is_as_long_as_that_day_is(
        self, subject: Any, calendar: str, day: tuple[int, int, int], hours: int
    ) -> None:
        start = datetime(*day, tzinfo=BERLIN)
        end = start + timedelta(days=1)
        subject.create(calendar, replace(DEMO, start=start, end=end), key="k1")
        window = Window(start - timedelta(days=2), end + timedelta(days=2))
        [(busy_from, busy_to)] = self.times(subject, calendar, window)
        assert (busy_from, busy_to) == (start, end)
        assert busy_to.astimezone(UTC) - busy_from.astimezone(UTC) == timedelta(hours=hours)

    @requires(Capability.WRITE)
    def test_an_event_over_a_change_of_month_is_seen_from_both(self, subject: Any, calendar: str) -> None:
        start = datetime(2026, 3, 31, 23, tzinfo=UTC)
        night = replace(DEMO, start=start, end=start + timedelta(hours=2))
        subject.create(calendar, night, key="k1")
        april = datetime(2026, 4, 1, tzinfo=UTC)
        assert self.times(subject, calendar, Window(start, april)) == [(start, april)]
        assert self.times(subject, calendar, Window(april, april + timedelta(days=1))) == [(april, night.end)]

    @requires(Capability.WRITE)
    def test_times_without_zone_or_backwards_are_refused(self, subject: Any, calendar: str) -> None:
        with pytest.raises(InvalidInput):
            subject.create(calendar, replace(DEMO, start=datetime(2026, 3, 2, 12)), key="k1")
        with pytest.raises(InvalidInput):
            subject.create(calendar, replace(DEMO, end=DEMO.start), key="k2")

    @requires(Capability.CHANGES)
    def test_changes_tell_of_new_moved_and_cancelled_events_once(self, subject: Any, calendar: str) -> None:
        ref = subject.create(calendar, at(9), key="k1")
        first = subject.changes(calendar)
        assert [(item.ref.id, item.start) for item in first.items] == [(ref.id, at(9).start)]
        moved = subject.update(ref, at(10), key="k2")
        second = subject.changes(calendar, first.cursor)
        assert [(item.what, item.start) for item in second.items] == [(Change.CHANGED, at(10).start)]
        subject.cancel(moved, key="k3")
        third = subject.changes(calendar, second.cursor)
        assert [(item.what, item.ref.id) for item in third.items] == [(Change.DELETED, ref.id)]
        assert subject.changes(calendar, third.cursor).items == ()

    @requires(Capability.CHANGES)
    def test_many_changes_come_page_by_page_without_loss(self, subject: Any, calendar: str) -> None:
        made = {subject.create(calendar, at(n / 10), key=f"k{n}").id for n in range(self.many)}
        seen, cursor, more = set(), "", True
        while more:
            page = subject.changes(calendar, cursor)
            seen |= {item.ref.id for item in page.items}
            cursor, more = page.cursor, page.more
        assert seen == made
        assert self.times(subject, calendar, Window(DAY.start, DAY.end + timedelta(days=1))) == [
            (at(0).start, at((self.many - 1) / 10).end)
        ]

    @requires(Capability.CHANGES)
    def test_a_cursor_nobody_gave_asks_for_a_new_start(self, subject: Any, calendar: str) -> None:
        with pytest.raises(CursorExpired):
            subject.changes(calendar, "no such place")
