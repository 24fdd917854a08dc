"""Open a connection's adapter: which settings it runs with, and with which tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins import registry
from plugins.adapter import Adapter
from plugins.config import Config
from plugins.errors import ConfigError
from plugins.fields import Type, from_environment, validate
from plugins.oauth import OAuth
from plugins.tokens import Tokens
from server import clock, settings
from server.adapters import store
from server.adapters.connection import BUILT_IN, Connection, shaped
from server.adapters.records import TableRecords
from server.adapters.tokens import RowTokens
from server.db import Database
from server.errors import Unavailable


def open(
    db: Database,
    connection: Connection,
    *,
    seconds: float | None = None,
    tokens: Tokens | None = None,
    trying: bool = False,
) -> Any:
    """The adapter, ready for use: `adapter.connection_id` says whose. `seconds`: the most that connecting, and an
    answer, may take. `tokens` stand in for those of the row. `trying`: a person looks whether it works, so no pause or
    breaker holds the calls back. Raises plugins.errors; calls nobody."""
    try:
        return registry.open(
            connection.kind,
            connection.name,
            settings_of(db, connection),
            records=TableRecords(db, connection.site_id),
            tokens=tokens or RowTokens(db, connection),
            private=settings.get().hosts_in_private,
            seconds=seconds,
            connection="" if trying else connection.id,
            now=clock.now,
        )
    except ConfigError as problem:
        problem.connection_id = connection.id
        raise


def open_built_in(db: Database, site_id: str, kind: str) -> Any:
    """The adapter that serves where nothing is connected."""
    given = given_by_environment(registry.load(kind, BUILT_IN))
    return registry.open(
        kind, BUILT_IN, given, records=TableRecords(db, site_id), private=settings.get().hosts_in_private
    )


def settings_of(db: Database, connection: Connection) -> dict[str, Any]:
    """What the adapter is opened with: the connection's own settings over those of the environment.

    A rep's connection takes the application that people sign in to (client id and secret) from the site's own and the
    environment, and adds nothing that says where they are sent. An adapter without a sign-in takes nothing for a rep
    but the rep's own. What is the operator's to say comes from the environment alone. A secret of the environment goes
    to no address that the environment does not name.
    """
    adapter = registry.load(connection.kind, connection.name)
    if connection.kind == "notify" and connection.from_environment and connection.name == settings.get().mail_to:
        return dict(settings.get().mail_config())
    closed, given = operators_own(adapter), given_by_environment(adapter)
    own = {name: value for name, value in own_settings(connection).items() if name not in closed}
    if not connection.rep:
        return _laid_over(adapter, given, own)
    if not has_sign_in(adapter):
        return {**{name: value for name, value in given.items() if name in closed}, **own}
    with db.reading() as tx:
        row = store.open_one(tx, connection.site_id, connection.kind, connection.name, "")
    site = own_settings(shaped(row)) if row is not None else {}
    base = _laid_over(adapter, given, {name: value for name, value in site.items() if name not in closed})
    plain = {one.name for one in adapter.fields if not one.secret and one.type is not Type.URL}
    return {**{name: value for name, value in own.items() if name in plain}, **base}


def operators_own(adapter: type[Adapter]) -> frozenset[str]:
    """Settings that name files of the server: nobody at the console says which."""
    return frozenset(one.name for one in adapter.fields if one.operators or one.name == "ca_file")


def own_settings(connection: Connection) -> dict[str, Any]:
    """The settings in the connection's row, secrets too. ConfigError when they were sealed under a key that is gone."""
    try:
        return {**connection.config, **connection.secrets()}
    except Unavailable as problem:
        said = f"{problem.message} Enter the secrets again."
        raise ConfigError(said, adapter=connection.adapter, operation="open", user_message=said) from None


def given_by_environment(adapter: type[Adapter]) -> dict[str, str]:
    """What the operator has set for all sites."""
    return from_environment(adapter.fields, adapter.kind, adapter.name, settings.adapter_environment())


def config_of(db: Database, connection: Connection) -> Config:
    """Its settings after validation. ConfigError."""
    return validate(registry.load(connection.kind, connection.name).fields, settings_of(db, connection))


def sign_in_of(db: Database, connection: Connection) -> OAuth | None:
    """How people sign in with these settings, None where the settings say it all."""
    return registry.load(connection.kind, connection.name).oauth(config_of(db, connection))


def has_sign_in(adapter: type[Adapter]) -> bool:
    """Whether people connect it by signing in at the service, with some settings at least."""
    return getattr(adapter.oauth, "__func__", None) is not getattr(Adapter.oauth, "__func__", None)


def _laid_over(adapter: type[Adapter], base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    places = [one.name for one in adapter.fields if one.type is Type.URL]
    if any(own.get(name) and own[name] != base.get(name) for name in places):
        secret = {one.name for one in adapter.fields if one.secret}
        base = {name: value for name, value in base.items() if name not in secret}
    return {**base, **{name: value for name, value in own.items() if value not in (None, "")}}
