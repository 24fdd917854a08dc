"""Workers killed at any moment, with an outside that is unwell in every way: each delivery is heard, in its order, and
none is lost. With USHER_SOAK=1 the long version."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import timedelta

import pytest

from server import clock
from server.outbox import service as outbox
from tests.outbox import kills
from tests.outbox.outside import deliver_all, queue, states
from tests.processes import ROOT

KILLS = 400 if os.environ.get("USHER_SOAK") else 8

pytestmark = pytest.mark.long


def test_nothing_is_lost_and_no_order_broken_by_workers_that_are_killed(db, database_url, tmp_path):
    keys = [f"{order}-{n}" for n in range(kills.EACH) for order in range(kills.ORDERS)]
    for key in keys:
        queue(db, key, order_key=f"lead:{key[0]}")
    file, seed = tmp_path / "heard", random.randrange(10**9)
    print(f"seed {seed}")
    arguments = ["-m", "tests.outbox.kills", database_url, str(file), str(KILLS), str(seed)]
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True)
    with clock.stopped_at(clock.now() + timedelta(hours=2)) as later:
        outbox.release_dead(db)
        with db.transaction() as tx:
            outbox.resume(tx, "con_1")
        for _ in range(kills.EACH + 2):
            deliver_all(db, kills.hear(str(file), None))
            later.advance(timedelta(hours=2))
    assert set(states(db).values()) == {"done"}
    heard = file.read_text().split()
    assert set(heard) == set(keys)
    for order in range(kills.ORDERS):
        told = [int(key[2:]) for key in heard if key[0] == str(order)]
        assert told == sorted(told), "one was told after a later one"
