"""Settings as a person enters them: merged with those that are kept, checked, and not kept yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugins.adapter import Adapter
from plugins.config import Secret
from plugins.errors import ConfigError
from plugins.fields import Field, Type, validate
from server import clock, ids
from server.adapters import opening, store, trying
from server.adapters.connection import DRAFT, HOOK, Connection, seal_secrets, shaped
from server.config.service import Version
from server.db import Database
from server.errors import Invalid, Unavailable
from server.events import Actor


@dataclass(frozen=True)
class Given:
    """What a person entered: settings in the clear and secret ones, by field name. A secret that is left out stays as
    it is; `cleared` ones go."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    cleared: Collection[str] = ()


def draft(
    db: Database,
    version: Version,
    kind: str,
    name: str,
    *,
    actor: Actor,
    given: Given | None = None,
    rep: str = "",
    checked: bool = True,
) -> Connection:
    """A connection as it would be with these settings: of the one that is there, or a new one; None leaves them as they
    are. Nothing is kept, nobody is called. Invalid names the field that is wrong, unless not to be `checked`; NotFound
    for an adapter that is not to be had."""
    adapter = trying.loaded(kind, name)
    with db.reading() as tx:
        row = store.open_one(tx, version.site_id, kind, name, rep)
    there = shaped(row) if row is not None else None
    fresh = there or Connection(
        ids.new_id("connection"), version.site_id, kind, name, rep, state=DRAFT, label=adapter.title,
        created_at=clock.now(), created_by=actor.name[:200], hook_secret=ids.seal(HOOK, ids.new_token()),
    )  # fmt: skip
    if given is not None:
        config, secrets = _merged(adapter, fresh, given)
        fresh = replace(fresh, config=config, sealed=seal_secrets(secrets))
    if not checked:
        return fresh
    try:
        validate(adapter.fields, opening.settings_of(db, fresh))
    except ConfigError as problem:
        raise trying.refused(problem) from None
    return fresh


def secret_names(connection: Connection) -> frozenset[str]:
    """Which of its secrets are kept; none that cannot be opened any more."""
    return frozenset(kept_secrets(connection))


def kept_secrets(there: Connection) -> dict[str, str]:
    """None when the key they were sealed under is gone: they have to be entered again anyway."""
    try:
        return there.secrets()
    except Unavailable:
        return {}


def moved(fields: Collection[Field], before: Mapping[str, Any], after: Mapping[str, Any]) -> Field | None:
    """A field that says where secrets go, and says something else now."""
    places = [one for one in fields if one.type is Type.URL]
    return next((one for one in places if (before.get(one.name) or "") != (after.get(one.name) or "")), None)


def _merged(adapter: type[Adapter], there: Connection, given: Given) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and secrets after what was entered. Secrets that are kept go to no new address."""
    closed = opening.operators_own(adapter)
    fields = {one.name: one for one in adapter.fields if one.name not in closed}
    config = {
        n: _plain(v) for n, v in given.settings.items() if n in fields and not fields[n].secret and v not in (None, "")
    }
    entered = {n: v for n, v in given.secrets.items() if n in fields and fields[n].secret and v}
    old = {n: v for n, v in kept_secrets(there).items() if n not in given.cleared and n not in entered}
    if old and (place := moved(fields.values(), there.config, config)):
        names = ", ".join(fields[name].title for name in old)
        raise Invalid(f"{place.title} has changed: enter {names} again, too.", field=next(iter(old)))
    return config, {**old, **entered}


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else list(value) if isinstance(value, tuple) else value
