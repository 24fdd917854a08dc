"""Open a conversation, hear what the visitor says, see where they go. One transaction each: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection

from server import clock, events, live
from server.config import service as config
from server.config.version import Version
from server.conversations import frames
from server.conversations import service as conversations
from server.conversations.service import MOST_CHARACTERS
from server.db import Database
from server.errors import Forbidden, Invalid, NotFound
from server.events import Actor
from server.playbooks import company, guests, knowing, messages, opening, people
from server.playbooks.hello import Hello
from server.playbooks.memory import Memory
from server.playbooks.messages import Outcome, Sent
from server.playbooks.turn import Turn
from server.routing import service as routing
from server.routing.service import Decision
from server.visitors import service as visitors
from server.visitors.identity import Refusal

__all__ = [
    "Hello", "Opened", "Outcome", "catch_up", "company_of", "hear", "identify", "knows", "look_ahead", "open", "resume",
    "see_page", "seen", "sign_in", "track", "where_to",
]  # fmt: skip


@dataclass
class Opened:
    """A conversation as the browser gets it after `hello`. `token` only when it is new."""

    conversation_id: str
    site_id: str
    token: str | None
    state: str
    seq: int
    agent: Mapping[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    visitor_id: str = ""
    verified: bool = False  # a signed token has said who the visitor is
    refusal: Refusal | None = None  # a signed token came and was not taken

    def welcome(self) -> dict[str, Any]:
        """The `welcome` frame of docs/protocol.md."""
        frame = {
            "t": "welcome",
            "conversation": self.conversation_id,
            "state": self.state,
            "seq": self.seq,
            "messages": self.messages,
            "agent": dict(self.agent),
            "texts": {},
            "now": frames.moment(clock.now()),
        }
        return frame | ({"token": self.token} if self.token else {}) | ({"verified": True} if self.verified else {})


def open(db: Database, hello: Hello) -> Opened:  # noqa: A001 - the verb of the brief
    """Meet the visitor, and resume their conversation or start one with the playbook of the page.

    A conversation that goes on keeps the config version it started with. NotFound for an unknown site.
    """
    active = config.active(db, hello.site)
    hello = hello.under(active)
    look = company.look_up(db, active, hello)
    told_before = knowing.prepared_for(db, active, hello.arrival.locale or active.site.locale)
    found = look.wait(company.waited_for(active, hello)) if look else None
    with db.transaction() as tx:
        guest = guests.meet(tx, active, hello)
        visitor = guest.visitor
        row = conversations.open_of(tx, visitor.id)
        is_new = row is None
        if row is None:
            turn = opening.start(tx, active, visitor, hello, told_before, found)
        else:
            version = config.version(tx, row.version_id)
            row = conversations.lock(tx, row.id)
            turn = opening.resume(tx, version, visitor, row, hello, told_before, found)
        row = messages.finish(turn).conversation
        after = 0 if is_new or hello.after > row.seq else hello.after
        said = conversations.messages(tx, row.id, after)
        agent = people.agent(turn.version, row)
        guests.note_refusal(tx, guest, row)
        live.share(tx, guest.notes)
    live.hand_out(guest.notes)
    if look is not None and found is None:
        look.later(partial(company.keep, db, active, row.id))
    opened = Opened(row.id, row.site_id, guest.token, row.state, row.seq, agent)
    opened.messages = [frames.message(one) for one in said]
    opened.visitor_id, opened.verified, opened.refusal = visitor.id, guest.verified, guest.refusal
    return opened


def sign_in(db: Database, conversation_id: str, token: str) -> Opened:
    """Whoever is in this conversation has signed in on the site: `open` again, with the token that says so."""
    with db.reading() as tx:
        row = conversations.get(tx, conversation_id)
        site = config.active_of(tx, row.site_id).site.key
        page = Memory.of(row.engine).page
        hello = Hello.of_present(site, visitors.get(tx, row.visitor_id), page, token)
    return open(db, hello)


def resume(db: Database, site: str, token: str, *, conversation_id: str = "", after: int = 0) -> Opened | None:
    """Go on with a conversation after a cut: the visitor's open one, else the one they had, and what was said after
    number `after`. Writes nothing: this is no visit and no page view. None for a token that nobody has, or for a
    conversation that is not theirs. NotFound for an unknown site.
    """
    active = config.active(db, site)
    with db.reading() as tx:
        visitor = visitors.known(tx, active.site_id, token)
        if visitor and visitor.identity and active.site.identity.mode == "off":
            return None
        row = visitor and (conversations.open_of(tx, visitor.id) or _had(tx, visitor.id, conversation_id))
        if visitor is None or row is None:
            return None
        found = conversations.messages(tx, row.id, after if after <= row.seq else 0)
        agent = people.agent(config.version(tx, row.version_id), row)
    opened = Opened(row.id, row.site_id, None, row.state, row.seq, agent, [frames.message(one) for one in found])
    opened.visitor_id, opened.verified = visitor.id, visitor.identity is not None
    return opened


def _had(tx: Connection, visitor_id: str, conversation_id: str) -> Any:
    """That conversation, if it is this visitor's."""
    try:
        row = conversations.get(tx, conversation_id)
    except NotFound:
        return None
    return row if row.visitor_id == visitor_id else None


def catch_up(db: Database, opened: Opened) -> None:
    """Add what was said since `opened` was read."""
    with db.reading() as tx:
        found = conversations.messages(tx, opened.conversation_id, opened.seq)
    opened.messages += [frames.message(one) for one in found]
    opened.seq = max([opened.seq, *(one.seq for one in found)])


def knows(db: Database, site_id: str, token: str) -> bool:
    """Whether this is the token of a visitor."""
    with db.reading() as tx:
        return visitors.known(tx, site_id, token) is not None


def hear(
    db: Database,
    conversation_id: str,
    client_id: str,
    text: str,
    value: Mapping[str, Any] | None = None,
    *,
    visitor_id: str = "",
) -> Outcome:
    """Store what the visitor said, understand it, and let the playbook go on: all of it, or nothing.

    The same `client_id` again changes nothing and gets the same number. Invalid for no text at all or too long a one;
    SignInNeeded when the conversation is not that of `visitor_id` any more: somebody has signed in.
    """
    if not text.strip() and not value:
        raise Invalid("Write something first.", field="text")
    if len(text) > MOST_CHARACTERS:
        raise Invalid(f"A message can have {MOST_CHARACTERS:,} characters at most.", field="text")
    return messages.hear(db, Sent(conversation_id, client_id, text, value, visitor_id))


def see_page(db: Database, conversation_id: str, page: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """The visitor went to another page without leaving (single-page applications)."""
    with db.transaction() as tx:
        row = conversations.lock(tx, conversation_id)
        memory = Memory.of(row.engine)
        visitor = visitors.get(tx, row.visitor_id)
        memory.look_at(page if visitors.recorded(visitor) else {**page, "referrer": "", "utm": {}})
        visitors.see_page(tx, visitor, memory.page, data)
        if visitors.recorded(visitor):
            memory.visit["pages_seen"] = int(memory.visit.get("pages_seen", 1)) + 1
        conversations.keep_state(tx, row, engine=memory.as_json(), path=memory.page["path"])


def identify(db: Database, conversation_id: str, attributes: Mapping[str, Any]) -> None:
    """Keep what the page says about its user: unverified, so it opens nothing. Forbidden where the site keeps only
    what is signed."""
    with db.transaction() as tx:
        row = conversations.get(tx, conversation_id)
        if config.active_of(tx, row.site_id).site.identity.mode == "required":
            raise Forbidden("This site keeps about its users only what is signed.", code="identity_required")
        visitors.set_attributes(tx, visitors.get(tx, row.visitor_id), attributes)


def track(db: Database, conversation_id: str, name: str, data: Mapping[str, Any]) -> None:
    """Something happened on the page that its owner wants remembered; without consent it is not."""
    if not name.strip():
        raise Invalid("Give what happened a name.", field="name")
    with db.transaction() as tx:
        row = conversations.get(tx, conversation_id)
        if not visitors.recorded(visitors.get(tx, row.visitor_id)):
            return
        events.record(
            tx,
            events.VISITOR_TRACKED,
            site_id=row.site_id,
            subject=("visitor", row.visitor_id),
            actor=Actor("visitor", row.visitor_id),
            conversation_id=row.id,
            trigger=name,
            data=data,
        )


def seen(db: Database, conversation_id: str, seq: int) -> None:
    """The visitor has read up to here."""
    with db.transaction() as tx:
        row = conversations.get(tx, conversation_id)
        if row.seen_seq < seq <= row.seq:
            conversations.seen(tx, conversation_id, seq)


def company_of(row: Any) -> Mapping[str, Sequence[Any]]:
    """Whose network the visitor of a conversation comes from: fact → value, source, how sure in percent."""
    facts: Mapping[str, Sequence[Any]] = Memory.of(row.engine).company.get("facts", {})
    return facts


def look_ahead(db: Database, version: Version, address: str) -> None:
    """Somebody who may be recorded is on a page, and may open the chat soon."""
    company.look_ahead(db, version, address)


def where_to(db: Database, conversation_id: str) -> Decision:
    """Where routing.yml would send this visitor now; writes nothing."""
    with db.reading() as tx:
        row = conversations.get(tx, conversation_id)
        version = config.version(tx, row.version_id)
        turn = Turn(tx, version, row, Memory.of(row.engine))
        return routing.judge(version, turn.values, clock.now())
