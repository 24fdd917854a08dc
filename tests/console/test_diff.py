"""A unified diff is taken apart by what its hunks say of themselves."""

from __future__ import annotations

from server.config import service as config
from server.config.version import candidate
from server.console.diff import files_of


def diff(before, after):
    return files_of(config.diff(candidate(before), candidate(after)).text)


def test_files_lines_and_counts():
    found = diff({"a.md": "one\ntwo\n", "gone.md": "x\n"}, {"a.md": "one\nthree\nfour\n", "new.md": "y\n"})
    assert [(file.name, file.added, file.removed) for file in found] == [
        ("a.md", 2, 1),
        ("gone.md", 0, 1),
        ("new.md", 1, 0),
    ]
    assert ("minus", "-two") in found[0].lines
    assert found[0].lines[0][0] == "place"


def test_text_that_looks_like_a_header_is_text():
    found = diff({"a.md": "-- x\nsame\n"}, {"a.md": "++ y\nsame\n@@ -1 +1 @@\n"})
    assert [file.name for file in found] == ["a.md"]
    assert ("minus", "--- x") in found[0].lines
    assert ("plus", "+++ y") in found[0].lines
    assert (found[0].added, found[0].removed) == (2, 1)


def test_no_change_is_no_file():
    assert files_of("") == []
