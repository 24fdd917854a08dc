"""Who says hello: somebody whose site has signed who they are, somebody who goes on after a cut, or a visitor nobody
knows; and what becomes of a conversation that was anonymous until now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from server import events
from server.config.version import Version
from server.conversations import frames
from server.conversations import service as conversations
from server.conversations.service import BOT, CLOSED
from server.events import Actor
from server.leads import service as leads
from server.leads.values import LEAD_FIELDS, FieldValue
from server.live import Note
from server.playbooks import contacts, people
from server.playbooks.hello import Hello
from server.playbooks.memory import Memory
from server.visitors import identity, signing_in
from server.visitors import service as visitors
from server.visitors.identity import EXPIRED, Person, Refusal
from server.visitors.service import Visitor
from server.visitors.signing_in import SignedIn

OFF = Refusal("identity_off", "signed sign-ins are off in site.yml")


@dataclass(frozen=True)
class Guest:
    """`token` only when it is new. `refusal`: a signed token came and was not taken. `notes`: what those who listen to
    their conversations must hear after the commit."""

    visitor: Visitor
    token: str | None
    verified: bool = False
    refusal: Refusal | None = None
    notes: Sequence[Note] = ()


def meet(tx: Connection, version: Version, hello: Hello) -> Guest:
    """Whom this hello comes from. A token that is not good makes nobody somebody else: they are anonymous then, unless
    it is the present person's and has only expired."""
    site_id = version.site_id
    if version.site.identity.mode == "off":
        return _anonymous(tx, version, hello, OFF if hello.identity else None)
    judged = identity.judge(tx, site_id, version.site.key, hello.identity) if hello.identity else None
    if isinstance(judged, Person):
        signed = signing_in.arrive(tx, site_id, judged, _unknown(tx, version, hello), hello.arrival)
        if signed.news:
            _tell_lead(tx, version, signed.visitor, judged)
        notes = _take_along(tx, version, signed)
        return Guest(visitors.get(tx, signed.visitor.id), signed.token, verified=True, notes=notes)
    held = signing_in.present(tx, hello.present) or identity.of_session(tx, site_id, hello.token)
    if held and (judged is None or (judged.code == EXPIRED and judged.sub == held.identity)):
        again = signing_in.go_on(tx, held, hello.arrival)
        return Guest(again.visitor, None, verified=True, refusal=judged)
    return _anonymous(tx, version, hello, judged)


def note_refusal(tx: Connection, guest: Guest, conversation: Any) -> None:
    """A token that was not taken is a line of the diary with the reason, for the owner; the page never hears it."""
    if guest.refusal is None or guest.refusal is OFF:
        return
    events.record(
        tx,
        events.IDENTITY_REFUSED,
        site_id=conversation.site_id,
        subject=("visitor", guest.visitor.id),
        conversation_id=conversation.id,
        version_id=conversation.version_id,
        actor=Actor("visitor", guest.visitor.id),
        reason=guest.refusal.why,
        data={"code": guest.refusal.code},
    )


def _anonymous(tx: Connection, version: Version, hello: Hello, refusal: Refusal | None) -> Guest:
    if found := _unknown(tx, version, hello):
        return Guest(visitors.come_back(tx, found, hello.arrival), None, refusal=refusal)
    visitor, token = visitors.arrive(tx, version.site_id, None, hello.arrival)
    return Guest(visitor, token, refusal=refusal)


def _unknown(tx: Connection, version: Version, hello: Hello) -> Visitor | None:
    """The visitor of this browser as long as nobody has signed who they are."""
    if hello.present:
        found = visitors.get(tx, hello.present)
        return None if found.identity else found
    return visitors.by_token(tx, version.site_id, hello.token)


def _tell_lead(tx: Connection, version: Version, visitor: Visitor, person: Person) -> None:
    """What is signed goes to their lead. A signed address finds it, and what it holds is said to nobody else then."""
    lead_id, email = visitor.lead_id, person.values.get("email")
    actor = Actor("visitor", visitor.id)
    if email:
        lead, _ = leads.meet(tx, version.site_id, email=email, source="sign_in", actor=actor, version_id=version.id)
        lead_id = lead.id
        visitors.share_lead(tx, lead_id, but=visitor.id)
        visitors.join_lead(tx, visitor.id, lead_id)
        domain = contacts.company_domain(email)
        if domain and not lead.account_id:
            leads.join_account(tx, lead_id, leads.account_for(tx, version.site_id, domain))
    if lead_id:
        leads.learn(tx, leads.get(tx, lead_id), [_field_value(name, value) for name, value in person.values.items()])


def _field_value(name: str, value: Any) -> FieldValue:
    return FieldValue(name if name in LEAD_FIELDS else f"fields.{name}", value, "identity", "signed by the site")


def _take_along(tx: Connection, version: Version, signed: SignedIn) -> list[Note]:
    """The conversations that the visitor had anonymously in this browser are the signed-in person's now. Of two open
    ones the present one goes on, unless nothing was said in it or a person is in the other."""
    if signed.before is None:
        return []
    visitor, actor = visitors.get(tx, signed.visitor.id), Actor("visitor", signed.visitor.id)
    if visitor.lead_id and signed.before != visitor.id:
        visitors.join_lead(tx, signed.before, visitor.lead_id)  # so that it is found when the person is to be erased
    notes: list[Note] = []
    here, there = conversations.open_of(tx, signed.before), conversations.open_of(tx, visitor.id)
    if here is not None and there is not None and here.id != there.id:
        goes = there if Memory.of(here.engine).spoke and there.state == BOT else here
        conversations.close(tx, goes, goes.outcome, actor)
        notes.append((f"conversation:{goes.id}", frames.state_frame(CLOSED, people.agent(version, goes))))
    for one in conversations.give_to(tx, signed.before, visitor.id):
        notes.append((f"conversation:{one.id}", {"t": "owner", "visitor": visitor.id}))
        about = {"site_id": one.site_id, "subject": ("conversation", one.id), "conversation_id": one.id}
        events.record(tx, events.CONVERSATION_JOINED, **about, actor=actor, version_id=one.version_id)
    return notes
