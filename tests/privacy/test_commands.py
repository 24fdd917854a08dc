"""`usher erase` and `usher export-person`, as an operator gives them."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from server import cli, settings
from tests.playbooks.chat import Chat
from tests.privacy.conftest import ADA, Town


@pytest.fixture
def usher(town: Town, monkeypatch, capsys):
    """`usher("erase", …)`: exit code, what it printed, what it complained of."""
    monkeypatch.setenv("USHER_DATABASE_URL", town.db.url.render_as_string())
    monkeypatch.setenv("USHER_SECRET_KEY", "a key for tests only")
    monkeypatch.setenv("COLUMNS", "200")
    settings.get.cache_clear()

    def run(*arguments, given=""):
        monkeypatch.setattr(sys, "argv", ["usher", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    yield run
    settings.get.cache_clear()


def test_everything_about_a_person_goes_into_a_file_that_only_its_owner_reads(usher, tmp_path):
    code, said, _ = usher("export-person", ADA, "--out", tmp_path / "ada.json")
    assert (code, "rows about Ada@Wonka.example" in said) == (0, True)
    given = json.loads((tmp_path / "ada.json").read_text())
    assert "purple elephant" in json.dumps(given["sites"]["acme"]["messages"])
    assert (tmp_path / "ada.json").stat().st_mode & 0o077 == 0
    code, _, said = usher("export-person", ADA, "--out", tmp_path / "ada.json")
    assert (code, "ada.json" in said) == (1, True)
    code, said, _ = usher("export-person", ADA)
    assert json.loads(said)["sites"] == {**given["sites"], "acme": json.loads(said)["sites"]["acme"]}


def test_erasing_shows_what_goes_and_asks_for_the_address(usher, town):
    code, said, _ = usher("erase", ADA, "--cancel-meetings", given="ada\n")
    assert (code, "messages" in said, "called off" in said, "Nothing was erased." in said) == (1, True, True, True)
    assert town.found()
    code, said, _ = usher("erase", ADA, "--cancel-meetings", given="ada@wonka.example\n")
    assert (code, "is erased" in said, "1 meeting was called off" in said) == (0, True, True)
    assert "mailboxes of those who were written to" in said
    assert town.found() == []


def test_a_stranger_who_typed_the_address_is_told_of_and_stays(usher, town):
    chat = Chat(town.db, seed="third").open()
    chat.say(f"Ask {ADA} about it")
    chat.say(f"Or {ADA}, as I said")
    code, said, _ = usher("erase", ADA, "--cancel-meetings", "--yes")
    assert (code, "1 conversation of another browser in which only the address was typed stays" in said) == (0, True)
    assert [text for _, author, text in chat.thread() if author == "visitor"][-1] == "Or [erased], as I said"


def test_a_meeting_ahead_stops_it_with_one_sentence(usher, town):
    code, said, complaint = usher("erase", ADA, "--yes")
    assert (code, "see --cancel-meetings" in said) == (1, True)
    assert complaint.startswith("A meeting lies ahead")
    assert town.found()


def test_nobody_and_an_unknown_site_are_one_sentence(usher):
    assert usher("erase", "eve@example.com", "--yes")[0::2] == (1, "Nothing is held about eve@example.com.\n")
    assert usher("erase", ADA, "--site", "other", "--yes")[0::2] == (1, "There is no site other.\n")


def test_erasing_leaves_no_address_in_the_log(usher, town, caplog):
    caplog.set_level(logging.DEBUG, logger="usher")
    usher("erase", ADA, "--cancel-meetings", "--yes")
    town.work()
    assert "wonka.example" not in caplog.text.lower()
