"""What a visitor agreed to, under which mode of site.yml, and what is forgotten when they take it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from server import clock, events
from server.visitors import store
from server.visitors.store import Visitor

EXTERNAL = "external"


@dataclass(frozen=True)
class Consent:
    """`mode`: none | on-open | external; `given`: whether the visitor may be recorded beyond what they say; `discreet`:
    their browser asks not to be tracked (Global Privacy Control, Do Not Track); `version_id`: whose site.yml it was."""

    mode: str = "on-open"
    given: bool = True
    discreet: bool = False
    version_id: str | None = None

    @classmethod
    def under(cls, mode: str, *, told: bool, discreet: bool, version_id: str) -> Consent:
        """Whoever says hello has opened the chat, which is consent but where the page's own banner asks for it."""
        return cls(mode, told or mode != EXTERNAL, discreet, version_id)

    @property
    def recorded(self) -> bool:
        """Whether visits and pages may be kept."""
        return self.given and not self.discreet

    def columns(self) -> dict[str, Any]:
        """What the visitor's row says of it."""
        proof = {"consented_at": clock.now(), "consent_mode": self.mode, "consent_version_id": self.version_id}
        return {"consented": self.given, "discreet": self.discreet, **(proof if self.given else _NO_PROOF)}


_NO_PROOF = {"consented_at": None, "consent_mode": "", "consent_version_id": None}


def recorded(visitor: Visitor) -> bool:
    """Whether this visitor's visits and pages may be kept."""
    return bool(visitor.consented and not visitor.discreet)


def keep(tx: Connection, visitor: Visitor, consent: Consent) -> None:
    """The visitor came again: note what has changed. Taken back, it takes along what was recorded because of it."""
    if consent.given == visitor.consented:
        if consent.discreet != visitor.discreet:
            store.change(tx, visitor.id, {"discreet": consent.discreet})
        return
    store.change(tx, visitor.id, consent.columns())
    if not consent.given:
        forget_visits(tx, visitor.id)
    events.record(
        tx,
        events.VISITOR_CONSENTED if consent.given else events.VISITOR_WITHDREW,
        site_id=visitor.site_id,
        subject=("visitor", visitor.id),
        actor=events.Actor("visitor", visitor.id),
        version_id=consent.version_id,
        data={"mode": consent.mode},
    )


def forget_visits(tx: Connection, visitor_id: str) -> None:
    """No visit of theirs, page or thing they did on one is known any more; the chat goes on."""
    store.drop_visits(tx, [visitor_id])
    store.change(tx, visitor_id, {"visits": 1})
    events.drop(tx, events.VISITOR_TRACKED, ("visitor", visitor_id))
