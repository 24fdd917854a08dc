"""Bring a database to the present shape, by alembic; the steps lie in migrations/versions."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError

from server.db import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(db: Database) -> None:
    """Run the steps that are missing; none when the database is up to date. Safe for several processes at once."""
    with db.transaction() as connection:
        if not db.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727435)")
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def open_or_exit(url: str) -> Database:
    """The database for a process that starts: a place that cannot hold it is one sentence and exit 1."""
    try:
        return Database(url)
    except OSError as error:
        sys.exit(f"The database cannot be kept there ({error.strerror}: {error.filename}); see USHER_DATABASE_URL.")


def upgrade_or_exit(db: Database) -> None:
    """`upgrade` for a process that starts: a database that does not answer is one sentence and exit 1."""
    try:
        upgrade(db)
    except DatabaseError as error:
        reason = str(error.orig).strip().splitlines()[0]
        sys.exit(f"The database does not answer ({reason}); see USHER_DATABASE_URL.")


def is_current(db: Database) -> bool:
    """True when no step is missing."""
    with db.reading() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
