"""What calendar adapters must pass beyond events: calendars that cannot be read, long windows, watches, video links."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from plugins.calendar import Capability, EventRef, Watch, Window
from plugins.errors import PluginError, Transient
from plugins.hooks import HookCall
from plugins.testing.calendar_samples import DAY, DEMO, at, on_day
from plugins.testing.conformance import requires
from plugins.testing.errors import ErrorTable
from plugins.testing.fakes import Fake, Fault
from plugins.testing.foreign_events import event
from plugins.testing.guard import exempt
from plugins.testing.hooks import HookCalls, HookConformance

CALLBACK = "https://chat.acme.example/v1/hooks/con_1"
MOMENTS = rb"\d{4}-?\d\d-?\d\dT\d\d:?\d\d(:?\d\d)?"
"""Times of an event, as JSON and iCalendar have them."""
PENDING = 20
"""How often a video link that is being made is asked for."""


class CalendarSides(HookConformance, ErrorTable):
    """`strange` is an id that is nobody's calendar. For WATCH the author gives `notification`: what the service sends
    for a watch, `notification(watch, secret=…, at=…, event=n)`."""

    hears = Capability.WATCH
    strange: ClassVar[str] = "nobody@acme.example"

    @pytest.fixture
    def calendar(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def notification(self) -> Callable[..., HookCall]:
        pytest.fail("give a fixture `notification`: what the service sends when a watched calendar has changed")

    @pytest.fixture
    def hook_call(self, calendar: str, notification: Callable[..., HookCall]) -> HookCalls:
        watches: list[Watch] = []

        def call(subject: Any, **how: Any) -> HookCall:
            if not watches:
                watches.append(subject.watch(calendar, CALLBACK, self.hook_secret))
            return notification(watches[0], **how)

        return call

    def test_a_calendar_that_cannot_be_read_is_an_error_of_that_calendar_and_never_free(
        self, subject: Any, calendar: str
    ) -> None:
        if self.no_http:
            exempt(f"no HTTP: {self.no_http}")
        found = subject.busy([self.strange, calendar], DAY)
        assert found[self.strange].error is not None
        assert found[self.strange].times == ()
        assert found[calendar].error is None

    def test_a_calendar_of_whose_events_the_times_are_garbage_is_an_error_and_never_free(
        self, failing: Fake, subject: Any, calendar: str, request: pytest.FixtureRequest
    ) -> None:
        if Capability.WRITE in self.adapter.capabilities:
            subject.create(calendar, DEMO, key="k1")
        else:
            request.getfixturevalue("put")(event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z"))
        failing.faults.add(Fault(garble=MOMENTS))
        with suppress(PluginError):
            assert subject.busy([calendar], DAY)[calendar].error is not None, "told as free, or as busy at some time"

    def test_more_calendars_than_fit_into_one_question_each_have_their_result(
        self, subject: Any, calendar: str
    ) -> None:
        asked = [*(f"{n}.{self.strange}" for n in range(subject.at_once + 2)), calendar]
        found = subject.busy(asked, DAY)
        assert set(found) == set(asked)
        assert found[calendar].error is None

    @requires(Capability.WRITE)
    def test_a_long_window_is_read_whole(self, subject: Any, calendar: str) -> None:
        days = (0, 29, 45, 61, 89)
        for n in days:
            subject.create(calendar, on_day(n), key=f"k{n}")
        found = subject.busy([calendar], Window(DAY.start, DAY.start + timedelta(days=90)))[calendar]
        assert found.error is None
        assert [time.start for time in found.times] == [on_day(n).start for n in days]

    @requires(Capability.VIDEO)
    def test_a_video_link_comes_with_the_event_and_stays_the_same(self, subject: Any, calendar: str) -> None:
        draft = replace(DEMO, video=True)
        ref = subject.create(calendar, draft, key="k1")
        link = self._link(subject, ref)
        assert link.startswith("https://")
        assert self._link(subject, subject.create(calendar, draft, key="k1")) == link
        moved = subject.update(ref, replace(at(15), uid=draft.uid, video=True), key="k2")
        assert self._link(subject, moved) == link

    @requires(Capability.VIDEO)
    def test_an_event_without_video_has_no_link(self, subject: Any, calendar: str) -> None:
        assert subject.create(calendar, DEMO, key="k1").video_url == ""

    @requires(Capability.WATCH)
    def test_a_watch_has_a_name_and_an_end_and_ending_it_twice_is_fine(self, subject: Any, calendar: str) -> None:
        watch = subject.watch(calendar, CALLBACK, self.hook_secret)
        assert watch.id
        assert watch.expires_at > datetime.now(UTC)
        other = subject.watch(calendar, CALLBACK, self.hook_secret)
        assert other.expires_at >= watch.expires_at
        subject.unwatch(watch)
        subject.unwatch(watch)
        subject.unwatch(other)

    @requires(Capability.WATCH)
    def test_a_call_of_the_service_tells_which_watch_it_is_about(
        self, subject: Any, calendar: str, notification: Callable[..., HookCall]
    ) -> None:
        watch = subject.watch(calendar, CALLBACK, self.hook_secret)
        call = notification(watch, secret=self.hook_secret, at=DEMO.start, event=1)
        heard = subject.hear(replace(call, secret=self.hook_secret))
        assert {subject.told(message.data) for message in heard.messages} == {watch.id}

    def _link(self, subject: Any, ref: EventRef) -> str:
        """The link, also where the service makes it after the event."""
        for _ in range(PENDING):
            if ref.video_url:
                return ref.video_url
            try:
                ref = subject.video(ref)
            except Transient:
                continue
        pytest.fail("the link never came")
