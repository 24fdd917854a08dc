"""Log lines tell what happened, but neither secrets nor who it was."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from tests.processes import ROOT

SAYS = """
import logging
from server import logs
logs.set_up()
log = logging.getLogger("usher.test")
log.warning("mail to Ada.Lovelace+x@globex.example failed, see /m/%s", "a" * 30)
try:
    raise ValueError("no mailbox ada%40globex.example")
except ValueError:
    log.exception("sending broke")
log.warning("origin https://acme.example on port 8010")
"""


@pytest.mark.parametrize("shape", ["text", "json"])
def test_no_address_and_no_link_reaches_a_log(shape, monkeypatch):
    monkeypatch.setenv("USHER_LOG_FORMAT", shape)
    told = subprocess.run([sys.executable, "-c", SAYS], cwd=ROOT, capture_output=True, text=True, check=True).stderr
    assert "sending broke" in told
    assert "ValueError" in told
    assert "https://acme.example on port 8010" in told
    assert "globex.example" not in told
    assert "aaaaaa" not in told


def test_what_a_failing_statement_was_given_is_not_told(sqlite_db):
    with pytest.raises(DatabaseError) as caught, sqlite_db.transaction() as tx:
        tx.execute(text("INSERT INTO nowhere VALUES (:email)"), {"email": "ada@globex.example"})
    assert "ada@" not in str(caught.value)
