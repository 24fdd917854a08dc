"""What changed from one config version to another: as text, and key by key."""
from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from server.config.problems import shown
from server.config.version import Version

_NAMES = ("id", "key", "name", "domain", "level")  # what an entry of a list is known by, first that it has
MAX_CHANGES = 500


@dataclass(frozen=True)
class Change:
    """`before` is None for what was added, `after` for what was removed; both are short texts for reading."""

    file: str
    where: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        place = f"{self.file}: {self.where}" if self.where else self.file
        if self.before is None:
            return f"{place}: added {self.after}"
        return f"{place}: removed {self.before}" if self.after is None else f"{place}: {self.before} → {self.after}"


@dataclass(frozen=True)
class Differences:
    text: str  # a unified diff, empty when nothing changed
    changes: list[Change]  # at most MAX_CHANGES


def between(before: Version, after: Version) -> Differences:
    names = sorted(set(before.files) | set(after.files))
    changed = [name for name in names if before.files.get(name) != after.files.get(name)]
    text = "".join(_unified(name, before.files.get(name), after.files.get(name)) for name in changed)
    changes = [change for name in changed for change in _changes(name, before, after)]
    return Differences(text, changes[:MAX_CHANGES])


def _unified(name: str, before: str | None, after: str | None) -> str:
    lines = difflib.unified_diff(
        (before or "").splitlines(),
        (after or "").splitlines(),
        "/dev/null" if before is None else f"a/{name}",
        "/dev/null" if after is None else f"b/{name}",
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)


def _changes(name: str, before: Version, after: Version) -> Iterator[Change]:
    if name not in before.files or name not in after.files:
        added = name in after.files
        yield Change(name, "", None if added else "the file", "the file" if added else None)
        return
    old = dict(_flat(before.document(name).data, ""))
    new = dict(_flat(after.document(name).data, ""))
    for where in [*old, *(key for key in new if key not in old)]:
        if where not in old or where not in new or old[where] != new[where]:
            yield Change(
                name,
                where,
                shown(old[where]) if where in old else None,
                shown(new[where]) if where in new else None,
            )


def _flat(data: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Every scalar with its place; entries of lists are known by their id, so that moving one is no change of all."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from _flat(value, f"{at}.{key}" if at else str(key))
    elif isinstance(data, list) and data:
        names = [_name(entry) for entry in data]
        for number, (entry, name) in enumerate(zip(data, names, strict=True)):
            yield from _flat(entry, f"{at}[{name if name and names.count(name) == 1 else number}]")
    else:
        yield at, data


def _name(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return None
    return next((str(entry[key]) for key in _NAMES if isinstance(entry.get(key), (str, int))), None)
