"""Add, sign in, change and shut out users. A session ends when its stamp is no longer the user's."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from server import clock, events, ids
from server.db import Database
from server.errors import Conflict, Forbidden, Invalid, NotFound, SignInNeeded
from server.events import Actor
from server.people import passwords, store
from server.people.rights import OWNER, RIGHTS, ROLES, Sight, may

__all__ = ["RIGHTS", "ROLES", "Sight", "User", "may", "need"]


@dataclass(frozen=True)
class User:
    """A person who can sign in. `rep` is their id in team.yml, when they meet visitors themselves."""

    id: str
    email: str
    name: str
    role: str
    rep: str | None
    active: bool
    session_stamp: str = field(repr=False)
    created_at: datetime
    signed_in_at: datetime | None

    @property
    def actor(self) -> Actor:
        """How the diary names them."""
        return Actor("rep" if self.rep else "user", self.id, self.name)


def need(user: User, deed: str) -> None:
    """Forbidden unless the user may do it."""
    if not may(user, deed):
        raise Forbidden(f"Your role ({user.role}) may not do this; ask an owner of this Usher.")


def add(
    db: Database,
    *,
    email: str,
    name: str,
    password: str,
    role: str,
    rep: str | None = None,
    actor: Actor = events.SYSTEM,
) -> User:
    """A new user. Invalid for an e-mail, role or password that cannot be used; Conflict when the e-mail has a user."""
    folded = _email(email)
    row = {
        "id": ids.new_id("user"),
        "email": folded,
        "name": _name(name),
        "password_hash": passwords.hashed(password, email=folded),
        "role": _role(role),
        "rep": (rep or "").strip() or None,
        "active": True,
        "session_stamp": ids.new_token(),
        "created_at": clock.now(),
    }
    with db.transaction() as tx:
        if not store.add_if_new(tx, row):
            raise Conflict(f"There is a user {folded} already.", field="email")
        _record(tx, events.USER_ADDED, str(row["id"]), actor, {"email": folded, "role": role})
        return _get(tx, str(row["id"]))


def authenticate(db: Database, email: str, password: str) -> User:
    """The active user of this e-mail and password. SignInNeeded, in the same words and time whatever was wrong."""
    with db.reading() as tx:
        row = store.by_email(tx, folded(email))
    if not passwords.right(password, row.password_hash if row else None) or row is None or not row.active:
        raise SignInNeeded("The e-mail address or the password is not right.")
    values: dict[str, Any] = {"signed_in_at": clock.now()}
    if passwords.outdated(row.password_hash):
        values["password_hash"] = passwords.renewed(password)
    with db.transaction() as tx:
        store.change(tx, row.id, values)
        user = _get(tx, row.id)
        _record(tx, events.USER_SIGNED_IN, user.id, user.actor, {})
    return user


def of_session(db: Database, user_id: str, stamp: str) -> User | None:
    """The user a session belongs to; None when it has ended or the user was shut out."""
    with db.reading() as tx:
        row = store.get(tx, user_id)
    if row is None or not row.active or row.session_stamp != stamp:
        return None
    return _user(row)


def everybody(tx: Connection) -> list[User]:
    """All users, active ones first, by name."""
    return [_user(row) for row in store.all_by_name(tx)]


def change_password(db: Database, user: User, old: str, new: str) -> User:
    """A new password; every other session of the user ends. Invalid when `old` is not the present one."""
    with db.reading() as tx:
        row = store.get(tx, user.id)
    if row is None or not passwords.right(old, row.password_hash):
        raise Invalid("Your present password is not right.", field="old")
    kept = passwords.hashed(new, email=row.email)
    return _change(db, user.id, {"password_hash": kept, "session_stamp": ids.new_token()}, user.actor, "password")


def set_password(db: Database, user_id: str, new: str, actor: Actor) -> User:
    """A new password for somebody who lost theirs; their sessions end. Invalid, NotFound."""
    with db.reading() as tx:
        user = _get(tx, user_id)
    kept = passwords.hashed(new, email=user.email)
    return _change(db, user_id, {"password_hash": kept, "session_stamp": ids.new_token()}, actor, "password set anew")


def sign_out_everywhere(db: Database, user: User) -> None:
    """End all sessions of the user."""
    _change(db, user.id, {"session_stamp": ids.new_token()}, user.actor, "signed out everywhere")


def change_role(db: Database, user_id: str, role: str, rep: str | None, actor: Actor) -> User:
    """Another role or rep. Conflict when nobody would be left as an active owner."""
    values = {"role": _role(role), "rep": (rep or "").strip() or None}
    return _change(db, user_id, values, actor, f"role {role}", keeps_owner=role == OWNER)


def deactivate(db: Database, user_id: str, actor: Actor) -> User:
    """Shut a user out at once; what they did stays. Conflict for the last active owner."""
    values = {"active": False, "session_stamp": ids.new_token()}
    return _change(db, user_id, values, actor, "deactivated", keeps_owner=False)


def activate(db: Database, user_id: str, actor: Actor) -> User:
    """Let a user in again, with the password they had."""
    return _change(db, user_id, {"active": True}, actor, "activated")


def folded(email: str) -> str:
    """How two spellings of one address are recognised."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def _change(
    db: Database, user_id: str, values: dict[str, Any], actor: Actor, reason: str, *, keeps_owner: bool = True
) -> User:
    with db.transaction() as tx:
        owners = store.lock_active_owners(tx)
        if not keeps_owner and [row.id for row in owners] == [user_id]:
            raise Conflict("This is the only owner who can sign in; make somebody else an owner first.")
        if not store.change(tx, user_id, values):
            raise NotFound("There is no such user.")
        _record(tx, events.USER_CHANGED, user_id, actor, {"change": reason})
        return _get(tx, user_id)


def _get(tx: Connection, user_id: str) -> User:
    row = store.get(tx, user_id)
    if row is None:
        raise NotFound("There is no such user.")
    return _user(row)


def _user(row: Any) -> User:
    return User(**{name: getattr(row, name) for name in User.__dataclass_fields__})


def _record(tx: Connection, name: str, user_id: str, actor: Actor, data: dict[str, Any]) -> None:
    events.record(tx, name, site_id=None, subject=("user", user_id), actor=actor, data=data)


def _email(email: str) -> str:
    address = folded(email)
    before, at, after = address.partition("@")
    if not (before and at and after) or "@" in after or any(c.isspace() for c in address) or len(address) > 320:
        raise Invalid("Write an e-mail address such as grace@example.com.", field="email")
    return address


def _name(name: str) -> str:
    if not name.strip():
        raise Invalid("Write a name.", field="name")
    return name.strip()[:120]


def _role(role: str) -> str:
    if role not in ROLES:
        raise Invalid(f"There is no role {role!r}; allowed: {', '.join(ROLES)}.", field="role")
    return role
