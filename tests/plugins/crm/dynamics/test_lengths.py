"""Dynamics 365 takes texts only so long: what visitors typed is cut, and a long chat arrives whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugins.crm import Activity, ActivityKind, Company, Person
from plugins.errors import InvalidInput, PermissionDenied
from plugins.testing.crm import ADA, CHAT, DEMO
from plugins.testing.fakes import Fault
from plugins.testing.fakes.dataverse import DataverseFake
from tests.plugins.crm.dataverse import only, opened

LINK = "https://chat.acme.example/c/1"


def talk(of: int) -> str:
    """A transcript of so many lines."""
    return "\n".join(f"{n}: How much is it? 🙂" for n in range(of))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(("kind", "table"), [(ActivityKind.CHAT, "task"), (ActivityKind.CALL, "phonecall")])
def test_a_long_chat_is_cut_with_its_link_and_stands_whole_in_a_note(
    fake: DataverseFake, kind: ActivityKind, table: str
):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    chat = Activity(kind, CHAT.at, "x" * 201, body=talk(400), url=LINK)
    ref = crm.log_activity(ada, chat, key="a1")
    assert crm.log_activity(ada, chat, key="a1") == ref
    row, note = only(fake, table), only(fake, "annotation")
    assert row["description"].endswith(f"…\n\n{LINK}")
    assert units(row["description"]) in (1999, 2000)
    assert talk(400).startswith(row["description"].removesuffix(f"…\n\n{LINK}"))
    assert (row["subject"], row["statecode"]) == ("x" * 199 + "…", 1)
    assert (note["notetext"], note["subject"]) == (talk(400), "x" * 201)
    assert note["_objectid_value"] == row["activityid"]


def test_a_chat_that_just_fits_has_no_note_and_one_letter_more_has(fake: DataverseFake):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    fits = "x" * (2000 - len(LINK) - 2)
    crm.log_activity(ada, replace(CHAT, body=fits, url=LINK), key="a1")
    assert only(fake, "task")["description"] == f"{fits}\n\n{LINK}"
    assert fake.all_of("annotation") == []
    crm.log_activity(ada, replace(CHAT, body=f"{fits}y", url=LINK), key="a2")
    assert only(fake, "annotation")["notetext"] == f"{fits}y"


def test_a_chat_that_no_note_takes_stands_in_several(fake: DataverseFake):
    crm = opened(fake)
    crm.log_activity(crm.upsert_person(ADA, key="k1"), replace(CHAT, body=talk(9000), subject="Chat"), key="a1")
    notes = sorted(fake.all_of("annotation"), key=lambda one: one["subject"])
    assert [one["subject"] for one in notes] == ["Chat (1/3)", "Chat (2/3)", "Chat (3/3)"]
    assert "".join(one["notetext"] for one in notes) == talk(9000)


def test_an_activity_whose_note_was_refused_gets_it_with_the_next_try(fake: DataverseFake):
    """A role without a right to notes: nothing is done until it has it, and then there is one of each."""
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    chat = replace(CHAT, body=talk(400))
    fake.faults.add(Fault(403, b'{"error": {"code": "0x80040220", "message": "No."}}'), on="/annotations", times=1)
    with pytest.raises(PermissionDenied):
        crm.log_activity(ada, chat, key="a1")
    crm.log_activity(ada, chat, key="a1")
    assert (only(fake, "task")["statecode"], only(fake, "annotation")["notetext"]) == (1, chat.body)


def test_an_erased_person_takes_the_notes_of_their_chats_along(fake: DataverseFake):
    crm = opened(fake)
    ada = crm.upsert_person(ADA, key="k1")
    crm.log_activity(ada, replace(CHAT, body=talk(400)), key="a1")
    crm.erase(ada, key="e1")
    assert fake.all_of("lead", "task", "annotation") == []


def test_a_meeting_with_a_long_title_is_written(fake: DataverseFake):
    crm = opened(fake)
    told = replace(DEMO, title="🙂" * 150, location="y" * 300, description="z" * 5000, url=LINK)
    ref = crm.log_meeting(crm.upsert_person(ADA, key="k1"), told, key="m1")
    found = crm.meetings([ref])[ref.id]
    assert (found.title, found.location) == ("🙂" * 99 + "…", "y" * 199 + "…")
    assert found.description == f"{'z' * 5000}\n\n{LINK}"


@pytest.mark.parametrize("table", ["lead", "contact"])
def test_what_a_visitor_typed_is_cut_to_what_the_columns_take(fake: DataverseFake, table: str):
    typed = Person(
        ADA.email, first_name="a" * 51, last_name="b" * 51, phone="1" * 51, title="c" * 101, company="d" * 101,
        country="e" * 81, source="f" * 300,
    )  # fmt: skip
    crm = opened(fake, new_people=table)
    crm.upsert_person(typed, key="k1")
    crm.upsert_person(typed, key="k2")
    row = only(fake, table)
    assert (row["firstname"], row["lastname"], row["telephone1"]) == tuple(f"{one * 49}…" for one in "ab1")
    assert (row["jobtitle"], row["address1_country"]) == (f"{'c' * 99}…", f"{'e' * 79}…")
    assert row.get("companyname") == (f"{'d' * 99}…" if table == "lead" else None)


def test_a_long_name_of_a_company_is_cut_and_of_its_opportunity_too(fake: DataverseFake):
    crm = opened(fake)
    crm.upsert_company(Company("globex.example", name="a" * 161, phone="1" * 51, country="b" * 81), key="k1")
    account = only(fake, "account")
    found = account["name"], account["telephone1"], account["address1_country"]
    assert found == tuple(f"{one * (most - 1)}…" for one, most in (("a", 160), ("1", 50), ("b", 80)))
    crm.convert(crm.upsert_person(ADA, key="k2"), key="c1", opportunity="🙂" * 151)
    assert only(fake, "opportunity")["name"] == "🙂" * 150


def test_an_address_is_never_cut(fake: DataverseFake):
    """Half of it is somebody else's."""
    domain = ".".join(["d" * 50, "e" * 30, "example"])
    with pytest.raises(InvalidInput) as caught:
        opened(fake).upsert_person(Person(f"{'a' * 60}@{domain}"), key="k1")
    assert caught.value.field == "email"
    assert fake.all_of("lead") == []
