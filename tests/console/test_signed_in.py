"""An owner makes and ends the keys of signed-in visitors, and everybody sees who is verified."""

from __future__ import annotations

import json
import os
import re
import subprocess
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from server import clock
from server.console import signing
from server.conversations import service as conversations
from server.db import Database
from server.playbooks import guests
from server.playbooks.guests import Guest
from server.visitors import identity, keys, signing_in
from server.visitors import service as visitors
from server.visitors.identity import Person, Refusal
from server.visitors.service import Arrival
from tests.widget.conftest import NODE

USER = {"id": 7, "email": "ada@wonka.example", "name": "Ada Lovelace"}


def made_key(desk: Any) -> tuple[str, str, Any]:
    owner = desk("owner")
    page = owner.post("/signed-in/keys", {"site": "acme"})
    assert page.status_code == 201
    secret = re.search(r'id="secret"[^>]*>([^<]+)<', page.text)
    kid = re.search(r'<dt>Key id</dt><dd class="mono">([^<]+)<', page.text)
    assert secret
    assert kid
    return kid[1], secret[1], owner


def test_a_key_is_shown_once_stored_sealed_and_can_be_ended(desk: Any, db: Database, story: Any) -> None:
    kid, secret, owner = made_key(desk)
    page = owner.text("/signed-in")
    assert kid in page
    assert secret not in page
    assert owner.post(f"/signed-in/keys/{kid}/revoke").status_code == 303
    assert "Revoked" in owner.text("/signed-in")
    with db.reading() as tx:
        assert kid not in keys.valid(tx, story.site_id)


def test_answers_with_a_secret_are_kept_by_no_cache(desk: Any) -> None:
    assert desk("owner").post("/signed-in/keys", {"site": "acme"}).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", ["Python", "Node"])
def test_the_code_to_copy_makes_tokens_that_are_taken(desk: Any, db: Database, story: Any, language: str) -> None:
    kid, secret, _ = made_key(desk)
    code = signing.snippets(kid)[language]
    token = by_python(code, secret) if language == "Python" else by_node(code, secret)
    with db.transaction() as tx, clock.stopped_at(datetime.now(UTC)):
        found = identity.judge(tx, story.site_id, "acme", token)
    assert found == Person("7", kid, {"email": "ada@wonka.example", "name": "Ada Lovelace"})


def by_python(code: str, secret: str) -> str:
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USHER_IDENTITY_SECRET", secret)
        exec(code, names)  # noqa: S102 - this is the code that owners copy
        return str(names["usher_token"](SimpleNamespace(**USER)))


def by_node(code: str, secret: str) -> str:
    run = [NODE, "-e", f"{code}; console.log(usherToken({json.dumps(USER)}))"]
    environment = {**os.environ, "USHER_IDENTITY_SECRET": secret}
    return subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_whoever_reads_a_conversation_or_a_lead_sees_whether_it_is_verified(
    desk: Any, db: Database, story: Any
) -> None:
    grace = desk("grace")
    for path in (f"/conversations/{story.with_ada}", f"/leads/{story.ada}"):
        assert "Not verified" in grace.text(path)
    with db.transaction() as tx:
        visitor = visitors.get(tx, conversations.get(tx, story.with_ada).visitor_id)
        person = Person("user-1", story.key, {"email": "ada@globex.example", "plan": "<pro>"})
        signing_in.arrive(tx, story.site_id, person, visitor, Arrival("desktop", "en", "UTC", "s", {}, {}, {}))
    for path in (f"/conversations/{story.with_ada}", f"/leads/{story.ada}"):
        page = grace.text(path)
        assert "Not verified" not in page
        assert '<span class="chip good" title="The website has signed who this is">Verified</span>' in page
    page = grace.text(f"/conversations/{story.with_ada}")
    assert "user-1" in page
    assert '&lt;pro&gt;<span class="origin">signed by the site</span>' in page


def test_a_refused_sign_in_is_told_to_the_owner_with_its_reason(desk: Any, db: Database, story: Any) -> None:
    with db.transaction() as tx:
        row = conversations.get(tx, story.with_ada)
        refusal = Refusal("identity_refused", "`exp` is missing")
        guests.note_refusal(tx, Guest(visitors.get(tx, row.visitor_id), None, refusal=refusal), row)
    page = desk("owner").text("/signed-in")
    assert "`exp` is missing" in page
    assert f"/conversations/{story.with_ada}" in page
    assert "A sign-in could not be verified" in desk("owner").text(f"/conversations/{story.with_ada}")
