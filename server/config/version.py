"""A config version: one immutable site folder, read part by part, each part once."""
from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, overload

from pydantic import ValidationError

from server.config.documents import Document, Loc, read_markdown, read_yaml
from server.config.explain import problems_of
from server.config.folder import Files, names_in
from server.config.problems import Problem
from server.config.schema import FolderPart, Part, Site
from server.errors import ConfigProblems

P = TypeVar("P", bound=Part)
F = TypeVar("F", bound=FolderPart)


@dataclass(frozen=True, eq=False)
class Version:
    """Ask `part(Model)` for a room's part. A candidate that was never stored has no id and number 0."""

    files: Files = field(repr=False)
    id: str = ""
    site_id: str = ""
    site_key: str = ""
    number: int = 0
    hash: str = ""
    author: str = ""
    note: str = ""
    created_at: datetime | None = None
    _read: dict[Any, Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @overload
    def part(self, model: type[F]) -> dict[str, F]: ...  # type: ignore[overload-overlap]
    @overload
    def part(self, model: type[P]) -> P: ...
    def part(self, model: type[Part]) -> Any:
        """The model of its file, or {name: model} for a folder. ConfigProblems for files that were never checked."""
        parsed, problems = self._parsed(model)
        if problems:
            raise ConfigProblems(problems)
        return parsed

    @property
    def site(self) -> Site:
        return self.part(Site)

    def problem(self, file: str, loc: Loc, message: str) -> Problem:
        """For cross checks: `version.problem("routing.yml", ("rules", 2, "to", "pool"), "found …, allowed …")`."""
        return self.document(file).problem(loc, message)

    def problems(self, model: type[Part]) -> list[Problem]:
        """What is wrong with this part by itself."""
        return self._parsed(model)[1]

    def document(self, file: str) -> Document:
        """A file as plain data with its lines; empty when it is not there."""
        with self._lock:
            if file not in self._read:
                read = read_markdown if file.endswith(".md") else read_yaml
                self._read[file] = read(file, self.files.get(file, ""))
            return self._read[file]

    def _parsed(self, model: type[Part]) -> tuple[Any, list[Problem]]:
        with self._lock:
            if model not in self._read:
                self._read[model] = self._parse(model)
            return self._read[model]

    def _parse(self, model: type[Part]) -> tuple[Any, list[Problem]]:
        if not model.FOLDER:
            return self._validated(model, model.FILE)
        parts: dict[str, Part] = {}
        problems: list[Problem] = []
        for name, file in names_in(self.files, model.FOLDER, model.SUFFIX).items():
            parsed, wrong = self._validated(model, file)
            parts[name] = parsed
            problems += wrong
        return parts, problems

    def _validated(self, model: type[Part], file: str) -> tuple[Any, list[Problem]]:
        document = self.document(file)
        if document.problems:
            return None, list(document.problems)
        try:
            return model.model_validate(document.data), []
        except ValidationError as error:
            if file not in self.files:
                return None, [Problem(file, 0, "", "missing file")]
            return None, problems_of(error, document)


@dataclass(frozen=True)
class Section:
    """A room's part of the folder, and what it checks against the other parts once each is good by itself."""

    model: type[Part]
    cross_check: Callable[[Version], list[Problem]] | None = None


def hash_of(files: Files) -> str:
    """sha256 over the sorted paths and texts, each with its length."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for piece in (name.encode(), files[name].encode()):
            digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()


def candidate(files: Files) -> Version:
    """A version that is stored nowhere, to check or to rehearse."""
    return Version(dict(files), hash=hash_of(files))


def all_sections(sections: Sequence[Section]) -> list[Section]:
    """site.yml first: it belongs to this room."""
    return [Section(Site), *(section for section in sections if section.model is not Site)]
