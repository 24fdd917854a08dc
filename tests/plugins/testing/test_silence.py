"""An adapter that is silent where it should have raised is caught: in any of its writings, and when answers are empty
or garbage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest

from plugins.adapter import CheckResult
from plugins.calendar import Busy, Calendar, CalendarInfo, Window
from plugins.calendar.times import merge
from plugins.crm import Activity, Capability, Kind, Ref
from plugins.emails import stable_id
from plugins.errors import Permanent, PluginError, Transient
from plugins.fields import Field, Type
from plugins.records import MemoryRecords
from plugins.testing import CalendarConformance
from plugins.testing.crm_samples import WRITINGS
from plugins.testing.fakes import Fake, on
from plugins.testing.foreign_events import event
from plugins.testing.table import ELSEWHERE, LACKING
from tests.plugins.testing.ledger import TOKEN, FakeLedger, Ledger, LedgerConformance

SILENCE = r"raised None|raised nothing"


class FakeDiary(FakeLedger):
    """A ledger that keeps what happened with people, too."""

    def __init__(self) -> None:
        super().__init__()
        self.log: set[str] = set()

    @on("PUT", "/people/<email>/log/<id>")
    def note(self, request: Any, email: str, id: str) -> Any:
        self.log.add(id)
        return {"id": id}


class Diary(Ledger):
    """As it should be: looks whether the person is there, then writes."""

    name = "diary"
    capabilities = frozenset({Capability.FIND, Capability.ACTIVITY})

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        id = stable_id("act", key)
        self.ask("log_activity", "GET", f"/people/{person.id}")
        self.ask("log_activity", "PUT", f"/people/{person.id}/log/{id}", json={}, repeatable=True)
        return Ref(Kind.ACTIVITY, id)


class Silent(Diary):
    """Calls it done whatever happens."""

    name = "silent"

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        try:
            return super().log_activity(person, activity, key=key)
        except PluginError:
            return Ref(Kind.ACTIVITY, stable_id("act", key))


class Hoping(Diary):
    """Calls it done when there was no answer."""

    name = "hoping"

    def log_activity(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        try:
            return super().log_activity(person, activity, key=key)
        except Transient as error:
            if error.http_status:
                raise
            return Ref(Kind.ACTIVITY, stable_id("act", key))


class Content(Ledger):
    """Takes an answer without the data for nobody."""

    name = "content"

    def find_by_email(self, email: str) -> list[Ref]:
        url = f"{self.config.text('url')}/people/{email}"
        told = self.http.call("find_by_email", "GET", url, headers={"Authorization": f"Bearer {TOKEN}"}).json()
        return [Ref(Kind.PERSON, id) for id in (told.get("found", []) if isinstance(told, dict) else told)]


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeDiary]:
    with FakeDiary() as fake:
        yield fake


def held(fake: FakeDiary, adapter: type[Ledger]) -> tuple[Any, Any]:
    """The kit, and the adapter that it holds."""

    def count(self: Any, subject: Any, kind: Kind) -> int:
        return len(fake.log if kind is Kind.ACTIVITY else fake.people)

    kit: Any = type("Kit", (LedgerConformance,), {"adapter": adapter, "count": count})()
    return kit, kit.opened({"url": fake.url, "token": TOKEN}, MemoryRecords())


@pytest.mark.parametrize("row", ELSEWHERE, ids=str)
def test_a_writing_beside_the_first_that_swallows_errors_is_caught(fake: FakeDiary, row: Any):
    rule = "test_every_other_writing_to_a_service_that_fails_says_so_and_is_done_once_when_tried_again"
    kit, good = held(fake, Diary)
    writings = kit._writings()
    assert [one.name for one in writings] == ["log_activity"]
    getattr(kit, rule)(fake, good, writings, row)
    kit, bad = held(fake, Silent)
    with pytest.raises(AssertionError, match=SILENCE):
        getattr(kit, rule)(fake, bad, writings, row)


def test_every_writing_of_the_contract_is_tried():
    assert set(WRITINGS) == {"upsert_company", "log_activity", "log_meeting", "convert", "erase"}
    assert {needs for needs, *_ in WRITINGS.values()} == {
        Capability.COMPANY, Capability.ACTIVITY, Capability.MEETING, Capability.CONVERT, Capability.ERASE,
    }  # fmt: skip


def test_silence_after_an_answer_that_was_lost_before_the_writing_is_caught(fake: FakeDiary):
    rule = "test_whichever_answer_is_lost_the_same_key_makes_one_record_of_each_kind"
    kit, good = held(fake, Diary)
    getattr(kit, rule)(fake, good, "log_activity")
    kit, bad = held(fake, Hoping)
    with pytest.raises(AssertionError, match="raised nothing, and nothing was done"):
        getattr(kit, rule)(fake, bad, "log_activity")
    fake.faults.clear()


@pytest.mark.parametrize("row", LACKING, ids=str)
def test_an_answer_without_the_data_that_is_taken_for_nothing_is_caught(fake: FakeDiary, row: Any):
    rule = "test_an_answer_without_the_data_is_an_error_and_nothing_is_made_of_it"
    for adapter in (Ledger, Content):
        kit, subject = held(fake, adapter)
        reading = LedgerConformance.reading.__wrapped__(kit)  # type: ignore[attr-defined]
        if adapter is Ledger:
            getattr(kit, rule)(fake, subject, reading, None, row)
            continue
        with pytest.raises(AssertionError, match=SILENCE):
            getattr(kit, rule)(fake, subject, reading, None, row)


class FakePlanner(Fake):
    """One calendar with one event."""

    @on("GET", "/busy")
    def busy(self, request: Any) -> Any:
        return {"busy": [["2026-03-02T12:00:00+00:00", "2026-03-02T12:30:00+00:00"]]}


class Planner(Calendar):
    """As it should be."""

    name = "planner"
    title = "Planner"
    fields = (Field("url", "Address", Type.URL),)

    def check(self) -> CheckResult:
        return CheckResult(ok=True)

    def busy(self, calendars: Sequence[str], window: Window) -> dict[str, Busy]:
        told = self.http.call("busy", "GET", f"{self.config.text('url')}/busy").told("busy")["busy"]
        try:
            return dict.fromkeys(calendars, Busy(merge(self.spans(told), window)))
        except ValueError as error:
            return dict.fromkeys(calendars, Busy(error=Permanent(f"{error}")))

    def calendars(self) -> list[CalendarInfo]:
        return [CalendarInfo("c", "The one")]

    def spans(self, told: Any) -> list[Window]:
        return [Window(*map(datetime.fromisoformat, one)) for one in told]


class Blind(Planner):
    """Leaves out what it cannot read."""

    name = "blind"

    def spans(self, told: Any) -> list[Window]:
        try:
            return super().spans(told)
        except ValueError:
            return []


def test_a_calendar_that_is_told_free_because_its_times_are_garbage_is_caught():
    rule = "test_a_calendar_of_whose_events_the_times_are_garbage_is_an_error_and_never_free"
    with FakePlanner() as fake:
        for adapter in (Planner, Blind):
            kit: Any = type("Kit", (CalendarConformance,), {"adapter": adapter})()
            subject = kit.opened({"url": fake.url}, MemoryRecords())
            arguments = (fake, subject, "c", _Putting())
            if adapter is Planner:
                getattr(kit, rule)(*arguments)
                continue
            with pytest.raises(AssertionError, match="told as free"):
                getattr(kit, rule)(*arguments)


class _Putting:
    """What a test of the kit asks for `put` where the event is there already."""

    def getfixturevalue(self, name: str) -> Any:
        assert name == "put"
        return lambda text: text == event("DTSTART:20260302T120000Z", "DTEND:20260302T123000Z")
