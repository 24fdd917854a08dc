"""Try settings with their service, and say what it said as an error of ours."""

from __future__ import annotations

from plugins import registry
from plugins.adapter import Adapter, CheckResult
from plugins.errors import ConfigError, PluginError
from plugins.tokens import MemoryTokens
from server.adapters import health, opening
from server.adapters.connection import Connection
from server.db import Database
from server.errors import Invalid, NotFound


def tried(db: Database, connection: Connection, tokens: MemoryTokens | None = None) -> CheckResult:
    """What the service says to these settings. Invalid when it says no."""
    try:
        adapter = opening.open(db, connection, tokens=tokens, trying=True)
        try:
            told: CheckResult = adapter.check()
        finally:
            adapter.close()
    except PluginError as problem:
        raise refused(problem) from problem
    if not told.ok:
        said = health.to_asker(told.message or "The service does not accept these settings.", first=True)
        raise Invalid(said, missing=list(told.missing))
    return told


def loaded(kind: str, name: str) -> type[Adapter]:
    """The adapter's class. NotFound when there is none, or it is broken."""
    try:
        return registry.load(kind, name)
    except ConfigError as problem:
        raise NotFound(problem.user_message) from None


def refused(problem: PluginError) -> Invalid:
    """What went wrong, as an error of ours that names the fields."""
    wrong = getattr(problem, "problems", ())
    said = health.to_asker(health.sentence(problem), first=True)
    return Invalid(said, field=wrong[0][0] if wrong else None, problems=wrong)
