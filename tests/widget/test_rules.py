"""The browser judges page rules exactly as the server does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.playbooks import targeting
from tests.widget.conftest import NODE, WIDGET

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "expressions" / "browser_cases.json").read_text())
JUDGE = """
import { judge, truth } from "./rules.js";
const words = new Map([[true, "yes"], [false, "no"], [undefined, "unknown"]]);
let text = "";
for await (const piece of process.stdin) text += piece;
const cases = JSON.parse(text);
console.log(JSON.stringify(cases.map(({ tree, values }) => words.get(truth(judge(tree, values))))));
"""


@pytest.fixture(scope="module")
def answers() -> list[str]:
    run = subprocess.run(
        [NODE, "--input-type=module", "-e", JUDGE],
        input=json.dumps(CASES),
        cwd=WIDGET,
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[str] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("at", range(len(CASES)), ids=[str(case["when"])[:60] for case in CASES])
def test_browser_answers_a_condition_as_the_server_does(answers: list[str], at: int) -> None:
    assert answers[at] == CASES[at]["answer"], CASES[at]


def test_visitor_is_in_the_same_share_of_traffic_in_browser_and_server(visit: Any, double: Any) -> None:
    double.config["playbooks"] = [
        {"id": f"half{n}", "traffic": 50, "if": True, "display": {"show": "teaser"}, "opening": f"half{n}"}
        for n in range(12)
    ]
    page = visit()
    page.mouse.move(200, 200)
    page.locator(".teaser").wait_for()
    shown = page.locator(".teaser button").first.text_content()
    page.evaluate("Usher.open()")
    page.locator(".choice").first.wait_for()
    hello = double.heard("hello")[0]
    inside = [name for name in (f"half{n}" for n in range(12)) if targeting.in_traffic(hello["seed"], name, 50)]
    assert (shown, hello["playbook"]) == (inside[0], inside[0])
