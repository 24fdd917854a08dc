"""What is wrong with a site folder, said so that its owner can mend it: file, line, place, found, allowed."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """Printed as `team.yml:14: reps[2].zone: found "Berln", allowed an IANA zone; did you mean "Europe/Berlin"?`."""

    file: str
    line: int  # from 1; 0 when the problem is the file itself
    where: str  # "reps[2].zone", or "" for the whole file
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`; did you mean "duration"?` when something known is near, else nothing."""
    if not isinstance(word, str):
        return ""
    by_folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), by_folded, 1, 0.6)
    return f'; did you mean "{by_folded[near[0]]}"?' if near else ""


def unknown_name(word: object, known: Iterable[str], kind: str) -> str:
    """`found "enterprize", allowed a pool: "enterprise", "smb"; did you mean "enterprise"?`: for cross checks."""
    names = sorted(known)
    choice = f": {quoted(names)}" if names else ", of which there is none yet"
    return f"found {shown(word)}, allowed {kind}{choice}{did_you_mean(word, names)}"


def quoted(names: Iterable[str], last: str = ", ") -> str:
    """`"a", "b"`; with last=" or ": `"a", "b" or "c"`."""
    all_names = [f'"{name}"' for name in names]
    return last.join([", ".join(all_names[:-1]), all_names[-1]]) if len(all_names) > 1 else "".join(all_names)


def shown(value: object) -> str:
    """A value as a message quotes it: short, on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = " ".join(str(value).split())
    return f'"{text if len(text) <= 60 else text[:59] + "…"}"'
