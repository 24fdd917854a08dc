"""A connection: one adapter with the settings it runs with, and how it stands. What is secret is sealed until used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from plugins.adapter import CheckResult
from server import ids
from server.errors import Unavailable

DRAFT, WORKING, BROKEN, OFF = "draft", "working", "broken", "off"
CONSOLE, ENVIRONMENT = "console", "environment"
BUILT_IN = "builtin"
SECRETS, TOKENS, HOOK = "connection secrets", "connection tokens", "connection hook"
"""What is sealed for what; one cannot be opened as the other."""


@dataclass(frozen=True)
class Connection:
    """`rep` is "" for the site's own. `origin`: made in the console, or named in site.yml with settings from the
    environment. `state`: draft (settings of an application, nobody signed in) | working | broken | off. `calendars`:
    which ones block (`blocking`) and which gets the events (`events`). `account` stays when the account is renamed, ""
    until it is known. `problem` is the last failure as a sentence, "" once something has worked."""

    id: str
    site_id: str
    kind: str
    name: str
    rep: str = ""
    origin: str = CONSOLE
    label: str = ""
    account: str = ""
    tried: str = field(default="", repr=False)
    config: Mapping[str, Any] = field(default_factory=dict)
    sealed: str = field(default="", repr=False)
    tokens: str = field(default="", repr=False)
    calendars: Mapping[str, Any] = field(default_factory=dict)
    hook_secret: str = field(default="", repr=False)
    granted: Sequence[str] = ()
    missing: Sequence[str] = ()
    state: str = WORKING
    problem_class: str = ""
    problem: str = ""
    failed_at: datetime | None = None
    worked_at: datetime | None = None
    checked_at: datetime | None = None
    created_at: datetime | None = None
    created_by: str = ""
    off_at: datetime | None = None

    @property
    def adapter(self) -> str:
        """As the registry knows it: `crm.hubspot`."""
        return f"{self.kind}.{self.name}"

    @property
    def serves(self) -> bool:
        """Whether it is asked and told; a broken one is, once it is mended."""
        return self.state in (WORKING, BROKEN)

    @property
    def connected_at(self) -> datetime:
        """Since when it has served."""
        return self.created_at or datetime.min.replace(tzinfo=UTC)

    @property
    def from_environment(self) -> bool:
        return self.origin == ENVIRONMENT

    def secrets(self) -> dict[str, str]:
        """Its secret settings. Unavailable when they were sealed under a key that is gone."""
        return dict(json.loads(ids.unseal(SECRETS, self.sealed))) if self.sealed else {}

    def unreadable(self) -> str:
        """Why what is kept sealed of it cannot be read, "" when it can."""
        kept = {SECRETS: self.sealed, TOKENS: self.tokens, HOOK: self.hook_secret}
        try:
            for purpose, sealed in kept.items():
                if sealed:
                    ids.unseal(purpose, sealed)
        except Unavailable as problem:
            return problem.message
        return ""

    def as_row(self) -> dict[str, Any]:
        """All columns of the table it is kept in."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def shaped(row: Any) -> Connection:
    """A row of the table."""
    return Connection(**{one.name: getattr(row, one.name) for one in fields(Connection)})


def seal_secrets(secrets: Mapping[str, str]) -> str:
    """Secret settings as they are kept; "" for none."""
    given = {name: value for name, value in secrets.items() if value}
    return ids.seal(SECRETS, json.dumps(given)) if given else ""


def account_of(told: CheckResult) -> str:
    """What tells the account that a check found from others of the service."""
    return (told.account_id or told.account)[:200]
