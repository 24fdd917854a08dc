"""The site folder on disk and as a mapping of path to text: what may be in it, how large, nothing from outside."""
from __future__ import annotations

from pathlib import Path, PurePosixPath

from server.config.problems import Problem, did_you_mean, quoted
from server.errors import ConfigProblems

Files = dict[str, str]

FILES = (
    "site.yml", "team.yml", "meetings.yml", "segments.yml", "routing.yml", "crm.yml", "alerts.yml", "scoring.yml",
    "lifecycle.yml", "knowledge/synonyms.yml",
)  # fmt: skip
FOLDERS = {"playbooks": ".yml", "nurture": ".yml", "forms": ".yml", "knowledge": ".md", "tests": ".yml"}
REQUIRED = ("site.yml",)
MAX_FILE = 512 * 1024  # bytes
MAX_FILES = 1_000
MAX_ALL = 8 * 1024 * 1024
MAX_NAME = 120


def load(folder: str | Path) -> Files:
    """The files of a folder, without hidden files and README.md. Raises ConfigProblems for what cannot be read."""
    root = Path(folder)
    if not root.is_dir():
        raise ConfigProblems([Problem(str(folder), 0, "", "not a folder")])
    files: Files = {}
    problems: list[Problem] = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if _left_out(name) or path.is_dir():
            continue
        if len(files) + len(problems) > MAX_FILES:
            break
        text = _read(path, name, root.resolve())
        if isinstance(text, Problem):
            problems.append(text)
        else:
            files[name] = text
    if problems:
        raise ConfigProblems(problems)
    return files


def write(files: Files, folder: str | Path) -> None:
    """Put `files` into a folder, which is made; files of the same name are replaced, others are left."""
    root = Path(folder)
    for name, text in files.items():
        if problem := _misplaced(name):
            raise ConfigProblems([problem])
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def problems_of_layout(files: Files) -> list[Problem]:
    """Unknown and missing files, and sizes."""
    problems = [Problem(name, 0, "", "missing file") for name in REQUIRED if name not in files]
    problems += [problem for name in files if (problem := _misplaced(name))]
    problems += [_too_large(name, len(text.encode())) for name, text in files.items() if len(text.encode()) > MAX_FILE]
    if len(files) > MAX_FILES:
        problems.append(Problem("", 0, "", f"found {len(files)} files, allowed {MAX_FILES}"))
    if (size := sum(len(text.encode()) for text in files.values())) > MAX_ALL:
        problems.append(Problem("", 0, "", f"found {size // 1024} KiB in all, allowed {MAX_ALL // 1024} KiB"))
    return problems


def names_in(files: Files, folder: str, suffix: str) -> dict[str, str]:
    """{"pricing": "playbooks/pricing.yml"}: the files of one folder by their names."""
    paths = [PurePosixPath(name) for name in sorted(files)]
    return {path.stem: str(path) for path in paths if str(path.parent) == folder and path.suffix == suffix}


def _left_out(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/")) or name == "README.md"


def _read(path: Path, name: str, root: Path) -> str | Problem:
    if path.is_symlink() and not path.resolve().is_relative_to(root):
        return Problem(name, 0, "", "found a link to outside the folder, allowed files inside it")
    if not path.is_file():
        return Problem(name, 0, "", "found something that is not a file")
    if path.stat().st_size > MAX_FILE:
        return _too_large(name, path.stat().st_size)
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        return Problem(name, line, "", "found bytes that are not UTF-8, allowed text in UTF-8")


def _too_large(name: str, size: int) -> Problem:
    return Problem(name, 0, "", f"found {size // 1024} KiB, allowed {MAX_FILE // 1024} KiB in one file")


def _misplaced(name: str) -> Problem | None:
    path = PurePosixPath(name)
    if name in FILES:
        return None
    folder = str(path.parent)
    if folder in FOLDERS and path.suffix == FOLDERS[folder] and len(name) <= MAX_NAME:
        return None
    likely = [*FILES, *(f"{one}/{path.stem}{suffix}" for one, suffix in FOLDERS.items())]
    if folder in FOLDERS:
        likely = [f"{folder}/{path.stem}{FOLDERS[folder]}"]
    places = [*FILES, *(f"{one}/*{suffix}" for one, suffix in FOLDERS.items())]
    return Problem(name, 0, "", f"unknown file{did_you_mean(name, likely) or ', allowed ' + quoted(places)}")
