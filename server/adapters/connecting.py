"""Connect a service, change its settings, end it: what was tried and found good is kept, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy.exc import IntegrityError

from plugins import limits
from plugins.adapter import CheckResult
from plugins.errors import PluginError
from plugins.tokens import Granted, MemoryTokens
from server import clock, events, ids
from server.adapters import found, health, opening, store, trying
from server.adapters.connection import (
    BROKEN,
    DRAFT,
    HOOK,
    OFF,
    WORKING,
    Connection,
    account_of,
    shaped,
)
from server.adapters.drafting import kept_secrets, moved
from server.adapters.tokens import seal_tokens, unsealed
from server.db import Database
from server.errors import Conflict, Invalid
from server.events import Actor
from server.outbox import service as outbox

NOT_OFF = (DRAFT, WORKING, BROKEN)
SHORT = (
    "The service gave no lasting permission, so this ends within hours: "
    "take Usher's access away in your account there, then sign in again."
)
_log = logging.getLogger("usher.connections")


def connect(db: Database, fresh: Connection, *, actor: Actor, tokens: Granted | None = None) -> Connection:
    """Try a `draft` with its service, and keep it when that went well: from now on it serves. `tokens`: what a sign-in
    gave, None to go on with those that are kept.

    Another account of a CRM is another connection: the one that is there ends, because ids of its records are
    somebody else's in the other account. Raises Invalid with what the service said (`missing`: the permissions it
    lacks), or when a sign-in is needed; Conflict when another one serves already. Then everything is as it was.
    """
    if tokens is None and needs_sign_in(db, fresh):
        raise Invalid("Sign in at the service again, because its settings have changed.")
    anew = tokens is not None or (opening.sign_in_of(db, fresh) is None and not _is_kept(db, fresh))
    memory = MemoryTokens(tokens) if anew else None
    told = trying.tried(db, fresh, memory)
    granted, short = _lasting(db, fresh, told, memory.load()) if memory else (None, "")
    values = {
        "config": dict(fresh.config),
        "sealed": fresh.sealed,
        "tokens": seal_tokens(granted) if memory else fresh.tokens,
        "label": (told.account or fresh.label)[:200],
        "account": account_of(told),
        "granted": list(told.granted),
        "missing": list(told.missing),
        "state": WORKING,
        "problem_class": "",
        "problem": " ".join([*told.warnings, *filter(None, [short])]),
        "failed_at": None,
        "worked_at": clock.now(),
        "checked_at": clock.now(),
    }
    try:
        made = _put(db, fresh, values, anew=anew, actor=actor)
    except Conflict:
        twice = _the_same(db, fresh) if tokens is None else None
        if twice is None:
            raise
        return twice
    limits.reset(made.id)
    return made


def _put(db: Database, fresh: Connection, values: Mapping[str, Any], *, anew: bool, actor: Actor) -> Connection:
    with db.transaction() as tx:
        left = _left(tx, fresh, values, actor)
        if left is not None:
            fresh = _in_place_of(fresh, actor)
        before = _keep(tx, fresh, values, anew=anew)
        made = shaped(store.get(tx, fresh.id))
        another = before is not None and before.state != DRAFT and before.label != made.label
        new = before is None or before.state == DRAFT
        name = events.CONNECTION_CONNECTED if new else events.CONNECTION_CHANGED
        health.record(tx, name, made, actor, another=another)
        outbox.resume_for(tx, made.site_id, (made.kind, made.adapter))
    if left is not None:
        _revoke(db, left, MemoryTokens(unsealed(left)))
    return made


def _left(tx: Transaction, fresh: Connection, values: Mapping[str, Any], actor: Actor) -> Connection | None:
    """The connection to another account of the CRM, which has ended now; None when it is the same one."""
    row = store.get(tx, fresh.id)
    if fresh.kind != "crm" or row is None or row.state not in (WORKING, BROKEN):
        return None
    there = shaped(row)
    same = there.account == values["account"] if there.account else there.label == values["label"]
    if same or not store.change(tx, there.id, _gone(), (WORKING, BROKEN)):
        return None
    health.record(tx, events.CONNECTION_DISCONNECTED, there, actor, reason=f"{values['label']} took its place")
    outbox.resume(tx, there.id)
    return there


def _in_place_of(fresh: Connection, actor: Actor) -> Connection:
    """The same settings as a connection of its own."""
    return replace(
        fresh, id=ids.new_id("connection"), created_at=clock.now(), created_by=actor.name[:200],
        hook_secret=ids.seal(HOOK, ids.new_token()),
    )  # fmt: skip


def _gone() -> dict[str, Any]:
    return {"state": OFF, "off_at": clock.now(), "sealed": "", "tokens": "", "hook_secret": "", "renewing_until": None}


def _the_same(db: Database, fresh: Connection) -> Connection | None:
    """What somebody connected in this moment with the very same settings: a form that was sent twice."""
    with db.reading() as tx:
        row = store.open_one(tx, fresh.site_id, fresh.kind, fresh.name, fresh.rep)
    return shaped(row) if row is not None and _is_kept(db, replace(fresh, id=row.id)) else None


def keep_draft(db: Database, fresh: Connection, *, actor: Actor) -> Connection:
    """Keep settings that nobody has signed in with yet: those of an application that people sign in to. One that serves
    is left alone (Conflict)."""
    with db.transaction() as tx:
        row = store.get(tx, fresh.id)
        if row is not None and row.state != DRAFT:
            raise Conflict("This service is connected; change its settings there.")
        if row is None:
            _add(tx, fresh)
        else:
            store.change(tx, fresh.id, {"config": dict(fresh.config), "sealed": fresh.sealed}, (DRAFT,))
        health.record(tx, events.CONNECTION_CHANGED, fresh, actor)
        return shaped(store.get(tx, fresh.id))


def refuse_second(tx: Transaction, fresh: Connection) -> None:
    """The Conflict that `connect` would end in while another one serves. Changes nothing."""
    with tx.begin_nested() as trial:
        _keep(tx, fresh, {"state": WORKING}, anew=False)
        trial.rollback()


def disconnect(db: Database, connection_id: str, *, actor: Actor) -> str:
    """End it: the service is asked to forget us, and its secrets are deleted whatever it answers; what waits for it
    goes to whoever serves from now on. Returns why the service could not be asked, "" when it was. NotFound; Conflict
    for what the environment names."""
    with db.reading() as tx:
        connection = found.get(tx, connection_id)
    if connection.from_environment:
        raise Conflict("This one is set up by the operator; take it out of site.yml to end it.")
    said = "" if connection.state == OFF else _revoke(db, connection)
    with db.transaction() as tx:
        if store.change(tx, connection_id, _gone(), NOT_OFF):
            health.record(tx, events.CONNECTION_DISCONNECTED, connection, actor, reason=said)
            outbox.resume(tx, connection_id)
    return said


def needs_sign_in(db: Database, fresh: Connection) -> bool:
    """Whether a person has to sign in at the service before this draft can be kept: nobody has, or where to and as
    which application has changed."""
    oauth = opening.sign_in_of(db, fresh)
    if oauth is None:
        return False
    with db.reading() as tx:
        row = store.get(tx, fresh.id)
    if row is None or not row.tokens:
        return True
    before = shaped(row)
    moved_one = moved(trying.loaded(fresh.kind, fresh.name).fields, before.config, fresh.config)
    return moved_one is not None or opening.sign_in_of(db, before) != oauth


def _lasting(db: Database, fresh: Connection, told: CheckResult, granted: Granted | None) -> tuple[Granted | None, str]:
    """The tokens to keep of a sign-in, and a warning when they will not last.

    A service that gives a refresh token at the first agreement only (Google does:
    developers.google.com/identity/protocols/oauth2/web-server) leaves the one that is kept good, if it was the same
    application and the same account.
    """
    if not granted or granted.get("refresh_token"):
        return granted, ""
    with db.reading() as tx:
        row = store.get(tx, fresh.id)
    before = shaped(row) if row is not None else None
    kept = (unsealed(before) or {}).get("refresh_token") if before and before.problem_class != "AuthError" else None
    same = before is not None and before.account and before.account == account_of(told)
    if kept and same and not needs_sign_in(db, fresh):
        return {**granted, "refresh_token": kept}, ""
    return granted, SHORT if granted.get("expires_at") else ""


def _is_kept(db: Database, fresh: Connection) -> bool:
    """Whether it serves with these very settings, so that its tokens are good for them."""
    with db.reading() as tx:
        row = store.get(tx, fresh.id)
    there = shaped(row) if row is not None else None
    if there is None or not there.serves:
        return False
    return dict(there.config) == dict(fresh.config) and kept_secrets(there) == kept_secrets(fresh)


def _keep(tx: Transaction, fresh: Connection, values: Mapping[str, Any], *, anew: bool) -> Connection | None:
    """Write it; returns what was there before. Tokens that were renewed meanwhile stay, unless they are new."""
    row = store.get(tx, fresh.id)
    if row is None:
        _add(tx, replace(fresh, **values))
        return None
    if not anew:
        values = {name: value for name, value in values.items() if name != "tokens"}
    try:
        with tx.begin_nested():
            if not store.change(tx, fresh.id, values, NOT_OFF):
                raise Conflict("This connection was ended meanwhile; connect it again.")
    except IntegrityError:
        raise _taken(fresh) from None
    return shaped(row)


def _add(tx: Transaction, fresh: Connection) -> None:
    try:
        with tx.begin_nested():
            store.add(tx, fresh.as_row())
    except IntegrityError:
        raise _taken(fresh) from None


def _taken(fresh: Connection) -> Conflict:
    return Conflict(f"Another {fresh.kind} connection serves already; disconnect that one first.", field=None)


def _revoke(db: Database, connection: Connection, tokens: MemoryTokens | None = None) -> str:
    try:
        adapter = opening.open(db, connection, tokens=tokens)
        try:
            adapter.revoke()
        finally:
            adapter.close()
    except PluginError as problem:
        _log.warning("%s could not be revoked: %s", connection.id, problem)
        return health.sentence(problem)
    return ""
