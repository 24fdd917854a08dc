"""What `usher doctor` says about connected calendars."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins import registry
from plugins.calendar import Capability
from plugins.fields import Field
from plugins.records import MemoryRecords
from server import clock
from server.booking import service as booking
from server.cli import doctor_calendars
from server.config import folder
from server.config import service as config
from server.config.service import Version
from server.db import Database
from tests.booking.wall import Wall, WallCalendar, connected
from tests.processes import ROOT


@pytest.fixture
def wall() -> Iterator[Wall]:
    with connected() as found:
        yield found


def apply(db: Database, calendar: str) -> Version:
    files = folder.load(ROOT / "server" / "sample")
    files["site.yml"] = files["site.yml"].replace("calendar: builtin", f"calendar: {calendar}")
    return config.apply(db, files, author="tests")


def said(db: Database) -> dict[str, tuple[str, str]]:
    return {one.what: (one.mark, one.says) for one in doctor_calendars.examine(db)}


def test_it_names_who_is_out_since_when_and_why(sqlite_db: Database, wall: Wall, monday: clock.StoppedClock) -> None:
    version = apply(sqlite_db, "wall")
    assert {mark for mark, _ in said(sqlite_db).values()} == {"ok", "note"}  # nothing has been read yet
    opened = lambda _: registry.open("calendar", "wall", {}, records=MemoryRecords())  # noqa: E731
    booking.read_ahead(sqlite_db, version, opened)
    wall.down = {"grace@acme.example"}
    booking.read_ahead(sqlite_db, version, opened, only={"grace"})
    booking.follow(sqlite_db, version, opened)
    found = doctor_calendars.examine(sqlite_db)
    texts = [f"{one.mark} {one.what}: {one.says}" for one in found]
    everybody = len(found) - 3
    assert texts[0] == "ok calendar.wall: answers as Wall calendar"
    assert "the oldest reading is of 2026-03-02 08:00 UTC" in texts[1]
    assert (
        "FAULT acme grace: Grace Hopper gets no meetings: The calendar service is down "
        "(grace@acme.example, last read 2026-03-02 08:00 UTC)" in texts
    )
    assert any(text.startswith("note acme grace: changes in the calendar") for text in texts)
    assert everybody == 1


def test_a_connection_without_its_settings_is_a_fault_in_words(sqlite_db: Database, monday: clock.StoppedClock) -> None:
    class Fussy(WallCalendar):
        name = "fussy"
        capabilities = frozenset({Capability.WRITE, Capability.CHANGES})
        fields = (Field("password", "Password", required=True, secret=True),)

    registry.register(Fussy)
    apply(sqlite_db, "fussy")
    mark, says = said(sqlite_db)["calendar.fussy"]
    registry.unregister(Fussy)
    assert (mark, says) == (
        "FAULT",
        "The settings of this connection are not right. USHER_CALENDAR_FUSSY_PASSWORD is required",
    )


def test_sites_that_keep_calendars_themselves_need_no_word(sqlite_db: Database) -> None:
    apply(sqlite_db, "builtin")
    assert doctor_calendars.examine(sqlite_db) == []
