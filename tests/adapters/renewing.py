"""A process that wants new tokens of a connection: `python -m tests.adapters.renewing DATABASE CONNECTION TIMES`.
It says "ready" and begins when it is told a line."""

from __future__ import annotations

import sys

from server import ids
from server.adapters import connections
from server.db import Database
from tests.adapters import rolodex


def main(url: str, connection_id: str, times: str) -> None:
    ids.use_key("a key for tests only")
    db = Database(url)
    print("ready", flush=True)
    sys.stdin.readline()
    with rolodex.offered():
        for _ in range(int(times)):
            with db.reading() as tx:
                adapter = connections.open(db, connections.get(tx, connection_id))
            assert adapter.check().ok
            adapter.tokens.renewed(adapter.tokens.load(), lambda old: renewed(adapter, old))
    db.close()


def renewed(adapter: rolodex.Rolodex, old: dict[str, object]) -> dict[str, object]:
    asked = adapter.oauth(adapter.config)
    assert asked is not None
    return rolodex.oauth.refreshed(adapter.http, asked, old)


if __name__ == "__main__":
    main(*sys.argv[1:])
