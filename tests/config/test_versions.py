"""Versions: applied whole or not at all, never changed, compared and gone back to."""
from __future__ import annotations

import threading
from typing import ClassVar

import pytest
from sqlalchemy import func, select

from server import clock, events
from server.config import service
from server.config.schema import FolderPart, Part
from server.config.tables import config_versions
from server.config.version import Section, candidate, hash_of
from server.db import Database
from server.errors import ConfigProblems, NotFound

SITE = "key: acme\nname: Acme\norigins: [http://localhost:8010]\n"
FILES = {"site.yml": SITE, "playbooks/pricing.yml": "title: Prices\n"}


class Playbook(FolderPart):
    FOLDER: ClassVar[str] = "playbooks"
    title: str


class Meetings(Part):
    FILE: ClassVar[str] = "meetings.yml"
    meetings: list[str] = []


class Routing(Part):
    FILE: ClassVar[str] = "routing.yml"
    rules: list[str]


SECTIONS = [Section(Playbook), Section(Meetings)]


def renamed(name: str) -> dict[str, str]:
    return {**FILES, "site.yml": SITE.replace("Acme", name)}


def apply(db: Database, files: dict[str, str]) -> service.Version:
    return service.apply(db, files, author="ada", note="because", sections=SECTIONS)


def test_owner_applies_a_folder_and_it_is_active(db: Database, monday: clock.StoppedClock) -> None:
    applied = apply(db, FILES)
    active = service.active(db, "acme")
    assert (active.id, active.number, active.site_key, active.author) == (applied.id, 1, "acme", "ada")
    assert active.hash == hash_of(FILES)
    assert active.created_at == monday.at
    assert active.part(Playbook)["pricing"].title == "Prices"
    assert active.part(Meetings).meetings == []
    assert service.export(active) == FILES


def test_owner_applies_the_same_content_twice_and_nothing_happens(db: Database) -> None:
    first, second = apply(db, FILES), apply(db, FILES)
    assert first.id == second.id
    with db.reading() as tx:
        names = [event.name for event in events.of_subject(tx, "version", first.id)]
    assert names == [events.CONFIG_APPLIED]


def test_a_broken_folder_changes_nothing(db: Database) -> None:
    before = apply(db, FILES)
    with pytest.raises(ConfigProblems, match=r'playbooks/pricing\.yml:1: titel: unknown key "titel"'):
        apply(db, {**FILES, "playbooks/pricing.yml": "titel: Prices\n"})
    assert service.active(db, "acme").id == before.id


def test_a_crash_in_the_middle_of_applying_leaves_the_old_version_active(db: Database) -> None:
    before = apply(db, FILES)
    with pytest.raises(ValueError, match="nobody"):
        service.apply(db, renamed("New"), author=_Breaks("ada"), sections=SECTIONS)
    assert service.active(db, "acme").id == before.id
    assert [one.number for one in service.versions(db, before.site_id)] == [1]


class _Breaks(str):
    """An author whose name can be stored with the version but fails when the diary line is written, after it."""

    def __getitem__(self, key: object) -> str:
        raise ValueError("nobody")


def test_owner_goes_back_to_an_earlier_version(db: Database) -> None:
    first = apply(db, FILES)
    apply(db, renamed("New"))
    service.rollback(db, "acme", 1, "grace")
    active = service.active(db, "acme")
    assert (active.id, active.number, active.site.name) == (first.id, 1, "Acme")
    with db.reading() as tx:
        last = events.of_subject(tx, "version", first.id)[-1]
    assert (last.name, last.actor_name) == (events.CONFIG_ROLLED_BACK, "grace")


def test_applying_earlier_content_again_brings_its_number_back(db: Database) -> None:
    apply(db, FILES)
    second = apply(db, renamed("New"))
    again = apply(db, FILES)
    assert again.number == 1
    listed = service.versions(db, second.site_id)
    assert [(one.number, one.is_active) for one in listed] == [(2, False), (1, True)]


def test_a_running_chat_keeps_the_version_it_started_with(db: Database) -> None:
    old = apply(db, FILES)
    apply(db, renamed("New"))
    assert service.version(db, old.id).site.name == "Acme"


def test_two_sites_live_beside_each_other(db: Database) -> None:
    apply(db, FILES)
    other = apply(db, {"site.yml": SITE.replace("acme", "globex")})
    assert other.number == 1
    assert [site.key for site in service.sites(db)] == ["acme", "globex"]
    assert service.active_of(db, other.site_id).site_key == "globex"


def test_versions_are_read_inside_the_callers_transaction(db: Database) -> None:
    applied = apply(db, FILES)
    with db.transaction() as tx:
        assert service.active(tx, "acme").id == applied.id
        assert service.numbered(tx, applied.site_id, 1).id == applied.id


def test_unknown_sites_and_numbers_are_not_found(db: Database) -> None:
    apply(db, FILES)
    for ask in (
        lambda: service.active(db, "nobody"),
        lambda: service.active_of(db, "sit_x"),
        lambda: service.version(db, "ver_x"),
        lambda: service.rollback(db, "acme", 9, "ada"),
        lambda: service.rollback(db, "nobody", 1, "ada"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_ten_owners_apply_at_once_and_every_content_gets_one_number(db: Database) -> None:
    apply(db, FILES)
    failed: list[Exception] = []

    def deed(number: int) -> None:
        try:
            apply(db, renamed(f"Acme {number % 5}"))
        except Exception as error:  # noqa: BLE001 - any failure of a thread is the test's failure
            failed.append(error)

    threads = [threading.Thread(target=deed, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with db.reading() as tx:
        numbers = tx.execute(select(config_versions.c.number).order_by(config_versions.c.number)).scalars().all()
        assert tx.execute(select(func.count()).select_from(config_versions)).scalar() == 6
    assert list(numbers) == [1, 2, 3, 4, 5, 6]


def test_owner_sees_what_changed_as_text_and_by_key() -> None:
    demo, intro = "  - {id: demo, minutes: 30}\n", "  - {id: intro, minutes: 15}\n"
    before = candidate({**FILES, "meetings.yml": f"meetings:\n{demo}{intro}"})
    after = candidate({"site.yml": SITE, "meetings.yml": f"meetings:\n{intro}{demo.replace('30', '45')}"})
    found = service.diff(before, after)
    assert [str(change) for change in found.changes] == [
        "meetings.yml: meetings[demo].minutes: 30 → 45",
        "playbooks/pricing.yml: removed the file",
    ]
    assert found.text.splitlines()[:5] == [
        "--- a/meetings.yml",
        "+++ b/meetings.yml",
        "@@ -1,3 +1,3 @@",
        " meetings:",
        "-  - {id: demo, minutes: 30}",
    ]
    assert service.diff(before, before).text == ""


def test_a_part_that_is_needed_and_missing_is_named() -> None:
    assert [str(one) for one in service.check(FILES, [*SECTIONS, Section(Routing)])] == ["routing.yml: missing file"]
