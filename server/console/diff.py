"""A unified diff, file by file and line by line, for templates to colour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_TONES = {"+": "plus", "-": "minus", "@": "place"}
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


@dataclass
class FileDiff:
    """One file: its lines as (tone, text), and how many came and went."""

    name: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def added(self) -> int:
        return sum(tone == "plus" for tone, _ in self.lines)

    @property
    def removed(self) -> int:
        return sum(tone == "minus" for tone, _ in self.lines)


def files_of(text: str) -> Sequence[FileDiff]:
    """The files of a unified diff. What a hunk says of its length tells its lines from the header of the next file:
    a removed line `-- x` looks like one."""
    files: list[FileDiff] = []
    before = ""
    old = new = 0
    for line in text.split("\n")[:-1]:
        if old > 0 or new > 0:
            old, new = old - (line[:1] != "+"), new - (line[:1] != "-")
        elif line.startswith("--- "):
            before = line[4:]
            continue
        elif line.startswith("+++ "):
            files.append(FileDiff(_name(before, line[4:])))
            continue
        elif hunk := _HUNK.match(line):
            old, new = (1 if count is None else int(count) for count in hunk.groups())
        files[-1].lines.append((_TONES.get(line[:1], ""), line))
    return files


def _name(before: str, after: str) -> str:
    return after[2:] if after.startswith("b/") else before[2:]
