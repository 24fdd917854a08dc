"""Gathers the values that conditions and messages read, each namespace when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from server import clock
from server.config import hours
from server.config.schema import Site
from server.leads import service as leads
from server.leads.values import LEAD_FIELDS
from server.playbooks.memory import Memory
from server.routing.schema import Segments

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Values(Mapping[str, Any]):
    """Namespace → its values, worked out once each. What nobody knows is left out, which makes it unknown."""

    def __init__(self, loaders: Mapping[str, Callable[[Values], Any]]) -> None:
        self._loaders = loaders
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = self._loaders[name](self)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)

    def forget(self) -> None:
        """Something was told: what was worked out before may be outdated."""
        self._loaded.clear()


def gather(turn: Turn) -> Values:
    """The values of a turn, as the brief of conditions has them: page, visit, device, locale, now, data, account, lead,
    answers, segment, intent, conversation, site; `agent` for messages."""
    memory, site = turn.memory, turn.version.site
    return Values(
        {
            "page": lambda _: memory.page,
            "visit": lambda _: {**memory.visit, "count": turn.visitor.visits, "returning": turn.visitor.visits > 1},
            "device": lambda _: turn.visitor.device,
            "locale": lambda _: turn.conversation.locale,
            "now": lambda _: now_values(site, clock.now()),
            "data": lambda _: {**turn.visitor.attributes, **(turn.visitor.signed or {})},
            "known": lambda _: leads.known(
                turn.look,
                turn.lead_id or turn.visitor.lead_id,
                memory.account or memory.company_account(site.enrichment.least_confidence),
            ),
            "lead": lambda values: {**_lead(turn, values["known"].lead), **_signed(turn)},
            "account": lambda values: _account(turn, values["known"].account),
            "answers": lambda _: _under(memory, "answers."),
            "segment": lambda values: turn.version.part(Segments).segment_of(values),
            "intent": lambda values: turn.version.part(Segments).intent_of(values),
            "conversation": lambda _: _conversation(turn),
            "site": lambda _: {"name": site.name, "key": site.key, "zone": site.zone, "locale": site.locale},
            "agent": lambda _: {"name": site.brand.agent_name},
        }
    )


def now_values(site: Site, at: datetime) -> dict[str, Any]:
    """The `now` namespace on the site's own clock."""
    local = at.astimezone(ZoneInfo(site.zone))
    return {
        "hour": local.hour,
        "weekday": _DAYS[local.weekday()],
        "date": local.date().isoformat(),
        "open": hours.is_open(site, at),
    }


def _lead(turn: Turn, known: Mapping[str, Any]) -> dict[str, Any]:
    """What this conversation told; and what the lead holds, but only to the visitor through whom we met them, and only
    as long as nobody else said to be them: an e-mail address typed by a stranger must not make us read out what we know
    of its owner."""
    told = _under(turn.memory, "lead.")
    fields = {name.removeprefix("fields."): told.pop(name) for name in list(told) if name.startswith("fields.")}
    first = str(told.get("name", "")).split(" ")[0]
    ours = {"first_name": first, **told} if first else told
    visitor = turn.visitor
    if turn.memory.lead_is_theirs and visitor.knows_lead and visitor.lead_id == turn.lead_id:
        return {**ours, **known, "fields": {**fields, **known.get("fields", {})}}
    private = {name: known[name] for name in ("status", "owner") if name in known}
    return {**private, **ours, "fields": fields}


def _signed(turn: Turn) -> dict[str, Any]:
    """What the site signed about the person: it stands whatever is typed."""
    signed = turn.visitor.signed or {}
    person = {name: value for name, value in signed.items() if name in LEAD_FIELDS}
    first = str(person.get("name", "")).split(" ")[0]
    return {**person, **({"first_name": first} if first else {})}


def _account(turn: Turn, known: Mapping[str, Any]) -> dict[str, Any]:
    """What is on file, what was told, and what segments.yml says of the company's domain; where they have not said
    which company it is, the one whose network they come from."""
    told = {**_under(turn.memory, "account."), **known}
    guessed = turn.memory.company_values(turn.version.site.enrichment.least_confidence)
    domain = told.get("domain") or guessed.get("domain", "")
    listed = turn.version.part(Segments).of_domain(str(domain))
    return {**(guessed if domain == guessed.get("domain", "") else {}), **listed, **told}


def _conversation(turn: Turn) -> dict[str, Any]:
    row, memory = turn.conversation, turn.memory
    known = {
        "id": row.id,
        "state": turn.state,
        "playbook": turn.playbook_id,
        "node": memory.node,
        "messages": row.seq,
        "started_at": row.started_at,
        "outcome": memory.outcome,
        "rep": turn.changes.get("rep", row.rep),
        "queue": turn.changes.get("queue", row.queue),
    }
    return {name: value for name, value in known.items() if value not in ("", None)}


def _under(memory: Memory, root: str) -> dict[str, Any]:
    return {place.removeprefix(root): value for place, value in memory.values.items() if place.startswith(root)}
