"""Every language says everything, with the same gaps to fill."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.widget.conftest import NODE, WIDGET

SAME_EVERYWHERE = {"google", "outlook", "ics"}
PRINT = 'import { en } from "./i18n.js"; import it from "./lang/%s.js"; console.log(JSON.stringify([en, it]));'


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_language_says_everything_english_does(language: str) -> None:
    run = subprocess.run(
        [NODE, "--input-type=module", "-e", PRINT % language], cwd=WIDGET, check=True, capture_output=True, text=True
    )
    english, other = json.loads(run.stdout)
    assert set(other) == set(english) - SAME_EVERYWHERE
    gaps = {key: set(re.findall(r"\{\w+\}", text)) for key, text in english.items()}
    assert {key: set(re.findall(r"\{\w+\}", text)) for key, text in other.items()} == {key: gaps[key] for key in other}
