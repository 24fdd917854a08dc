"""What the commands share: the database, the terminal, who is asking."""

from __future__ import annotations

import os
from typing import Any

from rich.console import Console
from rich.text import Text

from server import ids, settings
from server.cli.plain import plain
from server.db import Database, migrate


class Terminal(Console):
    """Shows text as it is: most of it comes from others, and neither rich nor the terminal is to take it for orders."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(plain(text), **how)


out = Terminal(highlight=False, soft_wrap=True, markup=False, emoji=False)


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
