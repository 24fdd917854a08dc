"""Commands about the keys with which a site signs who its visitors are."""

from __future__ import annotations

import click
from rich.table import Column, Table

from server.cli.terminal import database, me, out
from server.config import service as config
from server.db import Database
from server.errors import NotFound
from server.events import Actor
from server.visitors import keys


@click.group("identity-key")
def identity_key() -> None:
    """Keys with which a site signs who its visitors are."""


@identity_key.command("add")
@click.argument("site")
def add_key(site: str) -> None:
    """Make a key; its secret is printed once and is not shown again."""
    db = database()
    made, secret = keys.add(db, config.active(db, site).site_id, _actor())
    out.print(f"Key {made.id} of {site}. Its secret, shown only now:\n{secret}")


@identity_key.command("list")
@click.argument("site")
def list_keys(site: str) -> None:
    """The keys of a site, the newest first."""
    table = Table(Column("key", no_wrap=True, min_width=32), "made", "by", "last used", "state", box=None)
    for key in _keys(database(), site):
        used = f"{key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never"
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
        table.add_row(key.id, f"{key.created_at:%Y-%m-%d %H:%M} UTC", key.created_by, used, state)
    out.print(table)


@identity_key.command("revoke")
@click.argument("site")
@click.argument("key")
def revoke_key(site: str, key: str) -> None:
    """End a key: what was signed with it opens nothing any more."""
    db = database()
    if key not in {one.id for one in _keys(db, site)}:
        raise NotFound(f"{site} has no key {key}; `usher identity-key list {site}` shows them.")
    keys.revoke(db, key, _actor())
    out.print(f"Key {key} is revoked.")


def _keys(db: Database, site: str) -> list[keys.Key]:
    site_id = config.active(db, site).site_id
    with db.reading() as tx:
        return list(keys.listed(tx, site_id))


def _actor() -> Actor:
    return Actor("user", name=me())


COMMANDS = (identity_key,)
