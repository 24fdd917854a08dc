"""One file of the site folder as plain data, and where each piece of it stands. YAML 1.2, no tags, no key twice."""
from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from server.config.problems import Problem, shown

MAX_PIECES = 100_000  # values in one file, those that aliases repeat included
MAX_DEPTH = 50

Loc = Sequence[int | str]
_YAML = "tag:yaml.org,2002:"
_PLAIN_TAGS = {f"{_YAML}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge")}
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Document:
    """`data` is what pydantic validates; `place` finds where a piece of it was written."""

    file: str
    data: Any
    problems: tuple[Problem, ...] = ()
    root: Node | None = field(default=None, repr=False)
    first_line: int = 1
    body_line: int = 1

    def place(self, loc: Loc) -> tuple[str, int]:
        """("reps[2].zone", 14). Parts of `loc` that are not in the file (names of alternatives) are passed over."""
        if self.root is None or loc == ("body",):
            return _dotted(loc), self.body_line
        path, line = _best(self.root, tuple(loc), self.root.start_mark.line)
        return _dotted(path), line + self.first_line

    def problem(self, loc: Loc, message: str) -> Problem:
        where, line = self.place(loc)
        return Problem(self.file, line, where, message)


def read_yaml(file: str, text: str, first_line: int = 1) -> Document:
    """The document, with `problems` instead of data when it cannot be read. Never raises."""
    try:
        root = _composed(text)
    except MarkedYAMLError as error:
        return _unreadable(file, _line_of(error) + first_line, _reason(error))
    except YAMLError as error:  # the reader's: characters that YAML does not have
        return _unreadable(file, 0, f"found a character that YAML does not allow ({str(error).splitlines()[0]})")
    except RecursionError:
        return _unreadable(file, 0, f"found values nested too deeply, allowed {MAX_DEPTH} levels")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, NotImplementedError):
        return _unreadable(file, 0, "found something that is not YAML")
    if root is None:
        return Document(file, {}, first_line=first_line)
    reader = _Reader(file, first_line)
    data = reader.value(root, 1)
    return Document(file, data, tuple(reader.problems), root, first_line)


@lru_cache(maxsize=256)
def _composed(text: str) -> Node | None:
    """Reading the text is most of the work, and of a new version nearly all files are those of the one before."""
    return YAML(typ="safe", pure=True).compose(text)


def read_markdown(file: str, text: str) -> Document:
    """Front matter between two lines of `---`, the rest under the key `body`."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return Document(file, {"body": text})
    front = read_yaml(file, found.group(1), first_line=2)
    body_line = text.count("\n", 0, found.end()) + 1
    data, problems = front.data, list(front.problems)
    if not problems and not isinstance(data, dict):
        problems.append(Problem(file, 2, "", f"found {shown(data)}, allowed keys such as title: Prices"))
    if not problems and "body" in data:
        problems.append(front.problem(("body",), "found the key body, allowed: the text goes below the second ---"))
    if problems:
        return Document(file, {}, tuple(problems))
    return Document(file, {**data, "body": text[found.end() :]}, (), front.root, 2, body_line)


class _Reader:
    """Nodes to plain data. Dates stay text: pydantic reads them where a date is wanted."""

    def __init__(self, file: str, first_line: int) -> None:
        self.file = file
        self.first_line = first_line
        self.problems: list[Problem] = []
        self.pieces = 0
        self.stopped = False

    def value(self, node: Node, depth: int) -> Any:
        self.pieces += 1
        if depth > MAX_DEPTH or self.pieces > MAX_PIECES:
            return self._stop(node)
        if str(node.tag) not in _PLAIN_TAGS:
            tag = str(node.tag).replace(_YAML, "!!")
            return self._wrong(node, f'found the tag "{tag}", allowed plain values without tags')
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, depth + 1) for item in self._while_small(node.value)]
        return self._scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in self._while_small(node.value):
            if str(key.tag) == f"{_YAML}merge":
                merged |= self._merged(value, depth)
                continue
            name = self._key(key)
            if name is None:
                continue
            if name in data:
                self._wrong(key, f'found the key "{name}" twice, allowed once')
            data[name] = self.value(value, depth + 1)
        return merged | data

    def _while_small(self, items: list[Any]) -> Iterator[Any]:
        """Stops walking once the file is known to be too much: aliases of aliases grow without end."""
        for item in items:
            if self.stopped:
                return
            yield item

    def _merged(self, node: Node, depth: int) -> dict[str, Any]:
        value = self.value(node, depth + 1)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            self._wrong(node, f"found {shown(value)} after <<, allowed a mapping")
            return {}
        return {key: one for part in reversed(parts) for key, one in part.items()}

    def _key(self, node: Node) -> str | None:
        if isinstance(node, ScalarNode) and str(node.tag) in _PLAIN_TAGS and node.value != "":
            return str(node.value)
        self._wrong(node, "found a key that is not text, allowed keys such as name")
        return None

    def _scalar(self, node: ScalarNode) -> Any:
        kind, text = str(node.tag).removeprefix(_YAML), str(node.value)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "int":
                return int(text, 0) if text.lower().lstrip("+-").startswith(("0x", "0o", "0b")) else int(text)
            if kind == "float":
                return self._float(node, text)
        except ValueError:
            return text
        return text

    def _float(self, node: ScalarNode, text: str) -> Any:
        number = float(text.replace(".inf", "inf").replace(".nan", "nan").replace(".Inf", "inf").replace(".NaN", "nan"))
        return number if math.isfinite(number) else self._wrong(node, f"found {text}, allowed a number")

    def _stop(self, node: Node) -> None:
        if not self.stopped:
            self._wrong(node, f"found too much, allowed {MAX_PIECES} values nested {MAX_DEPTH} deep")
        self.stopped = True

    def _wrong(self, node: Node, message: str) -> None:
        problem = Problem(self.file, node.start_mark.line + self.first_line, "", message)
        if len(self.problems) < 50 and problem not in self.problems:
            self.problems.append(problem)


def _best(node: Node, loc: tuple[int | str, ...], line: int) -> tuple[tuple[int | str, ...], int]:
    """The longest part of `loc` that can be followed from `node`; a step that leads nowhere may be passed over."""
    if not loc:
        return (), line
    step = _child(node, loc[0])
    taken: tuple[tuple[int | str, ...], int] = ((), line)
    if step is not None:
        path, found = _best(step[0], loc[1:], step[1])
        taken = ((loc[0], *path), found)
        if len(path) == len(loc) - 1:
            return taken
    passed = _best(node, loc[1:], line)
    return passed if len(passed[0]) >= len(taken[0]) and passed[0] else taken


def _child(node: Node, key: int | str) -> tuple[Node, int] | None:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name, ScalarNode) and str(name.value) == str(key):
                return value, name.start_mark.line
    if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key].start_mark.line
    return None


def _dotted(path: Loc) -> str:
    """("reps", 2, "zone") as reps[2].zone."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _unreadable(file: str, line: int, message: str) -> Document:
    return Document(file, {}, (Problem(file, line, "", message),))


def _line_of(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line if mark is not None else 0


def _reason(error: MarkedYAMLError) -> str:
    problem = " ".join((error.problem or "something else").replace("\\t", "a tab").split())
    context = " ".join((error.context or "").split())
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = " (a text with a colon needs quotes; or the line is indented wrongly)"
    if "cannot start any token" in problem:
        hint = " (indent with spaces; a text that starts with @, %, ` or & needs quotes)"
    return f"cannot be read as YAML{': ' + context if context else ''}: {problem}{hint}"
