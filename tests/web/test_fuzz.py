"""Ten thousand broken frames: each is read or refused with one sentence, and none breaks a database."""

from __future__ import annotations

import json
import logging
from collections import Counter

import pytest
from simple_websocket import ConnectionClosed

from server import settings
from server.config import folder
from server.config import service as config
from server.errors import Invalid
from server.sections import SECTIONS
from server.web.chat import Talk
from server.web.frames import read
from tests.processes import ROOT
from tests.web.conftest import ORIGIN
from tests.web.mutations import mutated
from tests.web.test_protocol import Link, hello


def test_ten_thousand_mutated_frames_are_read_or_refused_with_a_sentence():
    found = Counter()
    for raw in mutated(10_000, seed=3):
        try:
            found[read(raw)["t"]] += 1
        except Invalid as refused:
            found["refused"] += 1
            assert len(refused.message) < 300
            assert "Traceback" not in refused.message
    assert found.total() == 10_000
    assert found["refused"] > 3000
    assert found.total() - found["refused"] > 1000


@pytest.fixture
def site(db, monday):
    return config.apply(db, folder.load(ROOT / "server" / "sample"), author="tests", sections=SECTIONS)


def test_mutated_frames_break_neither_database(db, site, caplog, monkeypatch):
    monkeypatch.setenv("USHER_RATE_LIMITS", "false")
    settings.get.cache_clear()
    frames = list(mutated(400, seed=4, only_structure=True))
    answered, broken = Counter(), []
    for n in range(0, len(frames), 20):
        link = Link()
        link.waiting = [json.dumps(hello(seed=f"fuzz {n}")), *frames[n : n + 20]]
        try:
            Talk(link, db, ORIGIN, "10.9.0.1").run()
        except ConnectionClosed:
            answered.update(frame["t"] for frame in link.sent)
        except Exception as fault:  # noqa: BLE001 - that is what is looked for
            broken.append((type(fault), str(fault)[:300], frames[n + 20 - len(link.waiting) - 1][:600]))
    settings.get.cache_clear()
    assert broken == []
    assert answered["ack"] > 30
    assert answered["error"] + answered["refused"] > 100
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
