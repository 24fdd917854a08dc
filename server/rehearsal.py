"""Plays the conversations of tests/*.yml: the real services, a stopped clock, a database of its own, nobody outside.

`usher check` and `usher apply` run it. Not for servers: the clock stands still for the whole process meanwhile.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from server import clock, ids
from server.config import service as config
from server.config.folder import Files, names_in
from server.config.problems import Problem
from server.config.version import Version, candidate
from server.db import Database, metadata
from server.playbooks.player import Player, Unexpected
from server.playbooks.stories import Stories, Story


@dataclass(frozen=True)
class Result:
    """How one story went. `problem` names file and line of what did not come as expected."""

    file: str
    name: str
    passed: bool
    problem: Problem | None = None


def run(files: Files) -> list[Result]:
    """Play every story of a folder that has been checked. The site's adapters are left out for the built-in ones."""
    stories = candidate(files)
    if not names_in(files, Stories.FOLDER, Stories.SUFFIX):
        return []
    _have_a_key()
    with tempfile.TemporaryDirectory(prefix="usher-rehearsal-") as folder:
        stage = Path(folder, "stage.db")
        _set_up(stage, files)
        return [_play(stage, stories, *one) for one in _all(stories)]


def _all(version: Version) -> Iterator[tuple[str, int, Story]]:
    for name, part in version.part(Stories).items():
        for number, story in enumerate(part.tests):
            yield f"{Stories.FOLDER}/{name}.yml", number, story


def _set_up(stage: Path, files: Files) -> None:
    """A database with the folder as its active version, to be copied for each story."""
    db = Database(f"sqlite:///{stage}")
    metadata.create_all(db.engine)
    config.apply(db, {**files, "site.yml": _with_builtin_adapters(files["site.yml"])}, author="rehearsal")
    db.close()


def _play(stage: Path, version: Version, file: str, number: int, story: Story) -> Result:
    scene = stage.with_name("scene.db")
    shutil.copyfile(stage, scene)
    db = Database(f"sqlite:///{scene}")
    try:
        with clock.stopped_at(story.at):
            Player(db, version.site.key, story).play()
    except Unexpected as wrong:
        where = ("tests", number, *wrong.where)
        return Result(file, story.name, False, version.problem(file, where, wrong.message))
    finally:
        db.close()
        for left in stage.parent.glob("scene.db*"):
            left.unlink()
    return Result(file, story.name, True)


def _with_builtin_adapters(site: str) -> str:
    """site.yml without its `adapters`: those that call outside have no place in a rehearsal."""
    yaml = YAML()
    data = yaml.load(site)
    data.pop("adapters", None)
    text = io.StringIO()
    yaml.dump(data, text)
    return text.getvalue()


def _have_a_key() -> None:
    """Links are signed in rehearsals too; a process that has no key yet gets one for itself."""
    try:
        ids.sign("rehearsal", "")
    except RuntimeError:
        ids.use_key(ids.new_token())
