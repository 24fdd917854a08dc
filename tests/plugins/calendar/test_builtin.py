"""The built-in calendar keeps the contract and can show what stands in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from plugins.calendar import Window
from plugins.calendar.builtin import BuiltinCalendar
from plugins.fields import validate
from plugins.records import MemoryRecords, Record
from plugins.testing import CalendarConformance
from plugins.testing.calendar import DAY, DEMO, at


class Overtaken(MemoryRecords):
    """Lets `meanwhile` happen once, just before the next record of a month is read."""

    meanwhile: Callable[[], object] | None = None

    def get(self, kind: str, id: str) -> Record | None:
        if self.meanwhile and kind.endswith(".2026-03"):
            happens, self.meanwhile = self.meanwhile, None
            happens()
        return super().get(kind, id)


class TestBuiltinCalendar(CalendarConformance):
    adapter = BuiltinCalendar
    no_http = "keeps everything in Usher's own database"

    @pytest.fixture
    def calendar(self) -> str:
        return "grace@acme.example"

    def test_events_come_back_as_they_were_written_in_order(self, subject: Any, calendar: str) -> None:
        late, early = replace(at(15), blocks=False), at(9)
        refs = [subject.create(calendar, draft, key=key) for draft, key in ((late, "k1"), (early, "k2"))]
        gone = subject.create(calendar, at(11), key="k3")
        subject.cancel(gone, key="k4")
        assert subject.events(calendar, DAY) == [(refs[1], early), (refs[0], late)]
        assert subject.events("linus@acme.example", DAY) == []

    def test_a_repeat_of_create_mends_an_index_that_a_crash_left_undone(self, subject: Any, calendar: str) -> None:
        subject.create(calendar, DEMO, key="k1")
        for (kind, id), value in list(subject.records._kept.items()):
            if "blocks" in value and "uid" not in value:
                subject.records.delete(kind, id)
        assert self.times(subject, calendar) == []
        subject.create(calendar, DEMO, key="k1")
        assert self.times(subject, calendar) == [(DEMO.start, DEMO.end)]

    def test_of_two_updates_that_cross_the_later_one_is_shown(self, calendar: str) -> None:
        """The first update is held up between its event and its index while the second runs through."""
        records = Overtaken()
        subject = BuiltinCalendar(validate((), {}), records=records)
        ref = subject.create(calendar, at(9), key="k1")
        records.meanwhile = lambda: subject.update(replace(ref, version=""), at(15), key="k3")
        subject.update(ref, at(11), key="k2")
        assert self.times(subject, calendar) == [(at(15).start, at(15).end)]

    def test_calendars_are_those_with_something_in_them(self, subject: Any, calendar: str) -> None:
        assert subject.calendars() == []
        subject.create(calendar, DEMO, key="k1")
        assert [info.id for info in subject.calendars()] == [calendar]

    def test_an_event_of_three_months_is_busy_in_the_middle_one(self, subject: Any, calendar: str) -> None:
        start, end = DAY.start.replace(month=1, day=31), DAY.start.replace(month=5, day=1)
        subject.create(calendar, replace(DEMO, start=start, end=end), key="k1")
        assert self.times(subject, calendar) == [(DAY.start, DAY.end)]
        april = Window(DAY.start.replace(month=4), DAY.end.replace(month=4))
        assert self.times(subject, calendar, april) == [(april.start, april.end)]

    def test_an_erased_event_says_nothing_of_people_but_keeps_its_time(self, subject: Any, calendar: str) -> None:
        mine, other = replace(at(9), uid="mine@usher", title="Demo with Ada"), replace(at(15), uid="other@usher")
        for key, draft in (("k1", mine), ("k2", other)):
            subject.create(calendar, draft, key=key)
        subject.erase({"mine@usher"})
        (_, blank), (_, whole) = subject.events(calendar, DAY)
        assert (blank.title, blank.description, blank.guests, blank.start) == ("", "", (), mine.start)
        assert whole == other
        assert len(subject.busy([calendar], DAY)[calendar].times) == 2
