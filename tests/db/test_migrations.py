"""What the migrations build is what the rooms' tables say, on both databases."""

from __future__ import annotations

import threading

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from server.db import Database, metadata, migrate
from tests.conftest import import_all_tables


def test_a_migrated_database_is_what_the_tables_say(database_url):
    import_all_tables()
    db = Database(database_url)
    assert not migrate.is_current(db)
    migrate.upgrade(db)
    with db.reading() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert migrate.is_current(db)
    db.close()


def test_three_processes_that_start_at_once_migrate_once(database_url):
    databases = [Database(database_url) for _ in range(3)]
    start, faults = threading.Barrier(3), []

    def upgrade(db):
        start.wait()
        try:
            migrate.upgrade(db)
        except Exception as fault:  # noqa: BLE001 - whatever goes wrong in a thread is a fault
            faults.append(fault)

    threads = [threading.Thread(target=upgrade, args=(db,)) for db in databases]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert faults == []
    assert migrate.is_current(databases[0])
    [db.close() for db in databases]
