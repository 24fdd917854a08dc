"""What the commands share: the database, the terminal, who is asking."""

from __future__ import annotations

import os

from rich.console import Console

from server import ids, settings
from server.db import Database, migrate

out = Console(highlight=False, soft_wrap=True)


def database() -> Database:
    """The configured database, up to date."""
    of = settings.get()
    ids.use_key(of.key(), of.old_keys)
    db = Database(of.database_url)
    migrate.upgrade_or_exit(db)
    return db


def me() -> str:
    """Who gave the command, for the list of versions."""
    return os.environ.get("USER") or "command line"
