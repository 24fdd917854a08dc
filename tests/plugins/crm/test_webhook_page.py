"""The page of the signed webhook: what it tells a programmer to write works as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plugins.crm.webhook import Webhook
from plugins.fields import validate
from plugins.hooks import HookCall
from plugins.http import Http
from plugins.records import MemoryRecords
from plugins.signing import new_secret, signed

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "webhook.md").read_text()
SECRET = new_secret()
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = '{"type":"ping","data":{"name":"Jürgen"}}'.encode()
WRONG = [
    {"body": BODY + b" "},
    {"now": AT.timestamp() + 301},
    {"now": AT.timestamp() - 301},
    {"secret": new_secret()},
    {"signature": "v1,"},
    {"signature": ""},
]


def example(language: str, nth: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)[nth]


def headers(**more: str) -> dict[str, str]:
    made = signed([new_secret(), SECRET], "msg_1", AT, BODY)
    return {**made, **({"webhook-signature": more["signature"]} if "signature" in more else {})}


def python_verifies(secret: str, given: dict[str, str], body: bytes, now: float) -> str:
    inside: dict[str, Any] = {}
    exec(example("python"), inside)  # noqa: S102 - the page's own words
    return str(inside["verify"](secret, given, body, now))


def javascript_verifies(secret: str, given: dict[str, str], body: bytes, now: float) -> str:
    call = f"verify({json.dumps(secret)}, {json.dumps(given)}, Buffer.from({json.dumps(body.decode())}), {now})"
    script = f"{example('javascript')}\nconsole.log({call});"
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout.strip()


@pytest.mark.parametrize("verify", [python_verifies, javascript_verifies])
def test_the_programs_of_the_page_believe_what_we_sign(verify: Any) -> None:
    assert verify(SECRET, headers(), BODY, AT.timestamp()) == "msg_1"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
@pytest.mark.parametrize("verify", [python_verifies, javascript_verifies])
def test_the_programs_of_the_page_believe_nothing_else(verify: Any, wrong: dict[str, Any]) -> None:
    given = headers(**({"signature": wrong["signature"]} if "signature" in wrong else {}))
    with pytest.raises(ValueError, match=r"too old|not signed"):
        verify(wrong.get("secret", SECRET), given, wrong.get("body", BODY), wrong.get("now", AT.timestamp()))


def test_the_page_s_own_message_back_is_a_change() -> None:
    config = validate(Webhook.fields, {"url": "https://crm.example/", "secret": SECRET})
    subject = Webhook(config, records=MemoryRecords(), http=Http("crm.webhook"))
    body = example("json", 1).encode()
    heard = subject.hear(
        HookCall("POST", "https://usher.example.com/v1/hooks/con_1", signed([SECRET], "m", AT, body), body, AT)
    )
    (change,) = subject.told(heard.messages[0].data)
    assert (change.ref.id, change.values["owner_email"]) == ("p1", "grace@acme.example")


def test_the_page_s_example_has_the_shape_that_it_gives() -> None:
    schema = json.loads((Path(__file__).parents[3] / "docs" / "adapters" / "webhook.schema.json").read_text())
    message = json.loads(example("json", 0).replace("…", "X"))
    assert list(Draft202012Validator(schema).iter_errors(message)) == []
