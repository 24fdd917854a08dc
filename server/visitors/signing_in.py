"""Whose browser this is, once a signed token has said so: one visitor a person, in however many browsers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from server import clock, events, ids
from server.visitors import identity, service, store
from server.visitors.identity import Person
from server.visitors.service import Arrival
from server.visitors.store import Visitor


@dataclass(frozen=True)
class SignedIn:
    """A visitor whom we know for sure. `token` is for the page's memory, None when it has one; `before`: the anonymous
    visitor they were in this browser until now; `news`: what is signed about them has changed."""

    visitor: Visitor
    token: str | None
    before: str | None = None
    news: bool = False


def arrive(tx: Connection, site_id: str, person: Person, anonymous: Visitor | None, arrival: Arrival) -> SignedIn:
    """The visitor of this person. Whoever was here anonymously is them from now on, and the secret that their browser
    holds opens nothing any more: it may lie on a computer that others use too."""
    found = store.by_identity(tx, site_id, person.sub)
    is_new = found is None
    if found is None:
        found = _become(tx, anonymous, person) if anonymous else _add(tx, site_id, person, arrival)
    before = anonymous.id if anonymous else None
    if before and before != found.id:
        _fold(tx, before, found)
    news = is_new or found.signed != dict(person.values)
    changed = {"signed": dict(person.values), "verified_at": clock.now()}
    store.change(tx, found.id, changed)
    if news:
        _record(tx, found, person)
    visitor = service.come_back(tx, found, arrival)
    return SignedIn(visitor, identity.session(site_id, visitor.id, person.key_id), before, news)


def go_on(tx: Connection, visitor: Visitor, arrival: Arrival) -> SignedIn:
    """A page that has shown a good token before is back after a cut; the session it holds does not grow longer."""
    return SignedIn(service.come_back(tx, visitor, arrival), None)


def present(tx: Connection, visitor_id: str) -> Visitor | None:
    """The visitor of this id if they have signed in."""
    found = service.get(tx, visitor_id) if visitor_id else None
    return found if found is not None and found.identity else None


def _become(tx: Connection, anonymous: Visitor, person: Person) -> Visitor:
    try:
        with tx.begin_nested():
            store.change(tx, anonymous.id, {"identity": person.sub, "token_digest": ids.digest(ids.new_token())})
    except IntegrityError:  # another browser of theirs was faster
        found = store.by_identity(tx, anonymous.site_id, person.sub)
        if found is None:
            raise
        return found
    return service.get(tx, anonymous.id)


def _add(tx: Connection, site_id: str, person: Person, arrival: Arrival) -> Visitor:
    row: dict[str, Any] = {**service.newcomer(site_id, ids.new_token(), arrival), "identity": person.sub}
    if store.add_if_new(tx, row):
        return service.welcome(tx, site_id, row["id"], arrival)
    found = store.by_identity(tx, site_id, person.sub)
    if found is None:
        raise LookupError(person.sub)
    return found


def _fold(tx: Connection, before: str, visitor: Visitor) -> None:
    """The anonymous visitor's history becomes the person's. The row stays, without a way in, as a trace of them."""
    store.move_history(tx, before, visitor.id)
    store.change(tx, before, {"token_digest": ids.digest(ids.new_token()), "attributes": {}, "knows_lead": False})


def _record(tx: Connection, visitor: Visitor, person: Person) -> None:
    events.record(
        tx,
        events.VISITOR_VERIFIED,
        site_id=visitor.site_id,
        subject=("visitor", visitor.id),
        actor=events.Actor("visitor", visitor.id),
        data={"names": sorted(person.values), "kid": person.key_id},
    )
