"""Connecting by signing in at the service: the browser goes there with a state that is good once, for ten minutes, and
for the browser that began; it comes back with a code, which we exchange."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from plugins.errors import PluginError
from plugins.http import Http
from plugins.oauth import OAuth, agreement_address, exchange
from server import clock, ids, settings
from server.adapters import connecting, drafting, opening, store, trying
from server.adapters.connection import Connection
from server.config import service as config
from server.db import Database
from server.errors import Conflict, Gone, Invalid, NotFound
from server.events import Actor

CALLBACK = "/connections/callback"
"""Where services send browsers back to; part of the address that owners enter at the service."""
GOOD_FOR = timedelta(minutes=10)
_STATE, _VERIFIER = "oauth state", "oauth verifier"
_STALE = "This sign-in has ended, or was begun in another browser. Please connect again."
_SAID = {
    "access_denied": "You did not agree at the service, so nothing was connected.",
    "consent_required": "The service wants you to agree first; please connect again and agree.",
    "interaction_required": "The service wants you to sign in first; please connect again.",
    "login_required": "The service wants you to sign in first; please connect again.",
    "temporarily_unavailable": "The service does not answer right now; please try again in a minute.",
    "server_error": "The service had a fault of its own; please try again in a minute.",
    "invalid_scope": "The service does not know a permission we ask for; look at the application's settings there.",
    "unauthorized_client": "The service does not let this application ask; look at its settings there.",
}


@dataclass(frozen=True)
class Answer:
    """What the browser brought back from the service."""

    state: str
    code: str = ""
    error: str = ""
    description: str = ""


def redirect_address() -> str:
    """The address that owners enter at the service as where it sends people back to."""
    return settings.get().public_url.rstrip("/") + CALLBACK


def begin(db: Database, fresh: Connection, *, browser: str, actor: Actor) -> str:
    """Where to send the person to agree, for a `draft` with a sign-in. `browser`: a secret that its session holds, and
    that has to come back with the answer. Invalid when there is nothing to sign in to; Conflict when another one serves
    already, so that nobody agrees for nothing."""
    oauth = opening.sign_in_of(db, fresh)
    if oauth is None:
        raise Invalid("This service is connected by its settings; there is nothing to sign in to.")
    state, verifier = ids.sign(_STATE, ids.new_token()), secrets.token_urlsafe(64)
    row = {
        "id": ids.digest(state),
        "browser": ids.digest(browser),
        "site_id": fresh.site_id,
        "kind": fresh.kind,
        "name": fresh.name,
        "rep": fresh.rep,
        "config": dict(fresh.config),
        "sealed": fresh.sealed,
        "verifier": ids.seal(_VERIFIER, verifier),
        "created_by": actor.id,
        "expires_at": clock.now() + GOOD_FOR,
    }
    with db.transaction() as tx:
        connecting.refuse_second(tx, fresh)
        store.forget_agreements(tx, clock.now())
        store.add_agreement(tx, row)
    return agreement_address(oauth, redirect=redirect_address(), state=state, verifier=verifier)


def finish(
    db: Database, answer: Answer, *, browser: str, actor: Actor, need: Callable[[str], None] = lambda _: None
) -> Connection:
    """Connect with what the browser brought. The state is used up, however it ends. `need` raises when the person may
    not connect for this rep ("" the site) any more.

    Gone when the state is forged, used, too old, or another browser's or person's; Invalid with a sentence when the
    person or the service said no, or permissions lack (`missing`). Nothing serves then that did not before; what was
    entered for the site waits as a draft.
    """
    begun = _taken(db, answer.state, browser, actor)
    need(begun.rep)
    try:
        return _agreed(db, answer, begun, actor)
    except Invalid:
        _keep_entered(db, begun, actor)
        raise


def _agreed(db: Database, answer: Answer, begun: Any, actor: Actor) -> Connection:
    if answer.error or not answer.code:
        raise Invalid(_refusal(answer))
    fresh = _drafted(db, begun, actor)
    oauth = opening.sign_in_of(db, fresh)
    if oauth is None:
        raise Invalid("The settings of this service have changed meanwhile; please connect again.")
    try:
        tokens = _exchanged(db, fresh, oauth, answer.code, ids.unseal(_VERIFIER, begun.verifier))
    except PluginError as problem:
        raise trying.refused(problem) from problem
    return connecting.connect(db, fresh, actor=actor, tokens=tokens)


def _keep_entered(db: Database, begun: Any, actor: Actor) -> None:
    """So that nobody types it again. A calendar's draft is left as it is: reps sign in with it."""
    with db.reading() as tx:
        there = store.open_one(tx, begun.site_id, begun.kind, begun.name, begun.rep)
    if begun.rep or (there is not None and begun.kind == "calendar"):
        return
    with suppress(Conflict):  # one that serves stays as it is
        connecting.keep_draft(db, _drafted(db, begun, actor), actor=actor)


def _taken(db: Database, state: str, browser: str, actor: Actor) -> Any:
    try:
        ids.unsign(_STATE, state)
    except NotFound:
        raise Gone(_STALE) from None
    with db.transaction() as tx:
        begun = store.take_agreement(tx, ids.digest(state), ids.digest(browser)) if browser else None
    if begun is None or begun.expires_at <= clock.now() or begun.created_by != actor.id:
        raise Gone(_STALE)
    return begun


def _drafted(db: Database, begun: Any, actor: Actor) -> Connection:
    """The draft as it was when the person left for the service."""
    version = config.active_of(db, begun.site_id)
    there = drafting.draft(db, version, begun.kind, begun.name, actor=actor, rep=begun.rep, checked=False)
    return replace(there, config=dict(begun.config), sealed=begun.sealed)


def _exchanged(db: Database, fresh: Connection, oauth: OAuth, code: str, verifier: str) -> dict[str, Any]:
    given = opening.config_of(db, fresh)
    http = Http(
        fresh.adapter,
        secrets=(*given.secrets(), code, verifier),
        private=settings.get().hosts_in_private,
        ca_file=str(given.get("ca_file") or ""),
        now=clock.now,
    )
    try:
        return exchange(http, oauth, code=code, redirect=redirect_address(), verifier=verifier)
    finally:
        http.close()


def _refusal(answer: Answer) -> str:
    said = _SAID.get(answer.error)
    if said:
        return said
    if not answer.error:
        return "The service sent you back without an answer; please connect again."
    about = "".join(sign for sign in answer.description[:200] if sign.isprintable())
    return f"The service said no: {about or answer.error[:60]}".rstrip(".") + "."
