"""Reads the tables of phrasings in this folder: "locale: text => meaning" lines."""

from __future__ import annotations

from pathlib import Path

import pytest

_FOLDER = Path(__file__).parent / "tables"


def rows(name: str) -> list[object]:
    """Parameters (locale, text, meaning) of `tables/<name>.txt`; a locale holds until the next one."""
    found: list[object] = []
    locale = "en"
    for line in (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            locale = line[1:-1]
        elif "=>" in line:
            text, _, meaning = line.rpartition("=>")
            found.append(pytest.param(locale, text.strip(), meaning.strip(), id=f"{locale}-{text.strip()[:60]}"))
    return found
