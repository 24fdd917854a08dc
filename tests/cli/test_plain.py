"""What others wrote is shown by the commands as it is: no markup, and nothing that a terminal obeys."""

from __future__ import annotations

import json
import sys

import pytest
from rich.table import Table

from server import cli
from server.cli.plain import as_json, plain
from server.cli.terminal import Terminal
from server.errors import Invalid

RED = "\x1b[31mCTO\x1b[0m [/red] [bold]\x9b2J\u202e\ud800 :smile:"


@pytest.fixture
def shown(capsys):
    """What the terminal gets to see of something printed."""
    out = Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False, width=200)

    def show(what):
        out.print(what)
        return capsys.readouterr().out

    return show


def test_a_line_and_a_cell_are_shown_as_they_are_without_what_a_terminal_obeys(shown):
    table = Table("theirs", "[/heading]", box=None)
    table.add_row(RED, "x")
    for what in (RED, table):
        seen = shown(what)
        assert "[31mCTO[0m [/red] [bold]2J :smile:" in seen
        assert not {"\x1b", "\x9b", "\u202e", "\ud800"} & set(seen)
    assert "[/heading]" in shown(table)


def test_json_keeps_them_by_their_numbers():
    assert json.loads(as_json({RED: [RED]})) == {RED: [RED]}
    assert plain(as_json({RED: [RED]})) == as_json({RED: [RED]})


def test_an_error_with_a_stranger_s_words_orders_nothing(monkeypatch, capsys):
    def fails(**_):
        raise Invalid(f"The CRM says {RED}")

    monkeypatch.setattr(cli, "usher", fails)
    monkeypatch.setattr(sys, "argv", ["usher"])
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == "The CRM says [31mCTO[0m [/red] [bold]2J :smile:\n"
