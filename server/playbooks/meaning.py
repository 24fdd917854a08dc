"""Finds out what a message means before the transaction that acts on it: understanding and answering may call out."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from typing import Any

from plugins.ai import AI, Expect, Expectation, Intent, Option, Understanding
from plugins.errors import PluginError
from server import clock
from server.config import service as config
from server.config.version import Version
from server.conversations import service as conversations
from server.db import Database
from server.playbooks import engine, knowing
from server.playbooks.belief import believed
from server.playbooks.memory import Memory
from server.playbooks.nodes.objection import Objection
from server.playbooks.questions import Found
from server.playbooks.rules import builtin
from server.playbooks.schema import Playbook

_MAY_BE_QUESTIONS = (Intent.QUESTION, Intent.OTHER, Intent.ANSWER, Intent.OBJECTION)
MOST_STANDINGS = 20_000
_log = logging.getLogger("usher.playbooks")


@dataclass(frozen=True)
class Meaning:
    """What a message means as an answer to `expectation` in a conversation in that `state`; `answer`: what the
    knowledge folder says to it; `prepared`: what it says to the playbooks' own questions."""

    expectation: Expectation = field(default_factory=Expectation)
    state: str = ""
    understanding: Understanding = field(default_factory=Understanding)
    answer: Found | None = None
    prepared: Mapping[str, Found] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """Where a conversation stands, as far as understanding the next message needs it; nothing of what was said."""

    version: Version
    locale: str
    zone: str
    state: str
    expected: Expectation


_standings: OrderedDict[str, Standing] = OrderedDict()


def remember(version: Version, conversation: Any, memory: Memory) -> None:
    """Keep where a conversation stands, so that its next message need not be looked up for. Other processes may move it
    on; who acts on a Meaning therefore compares its `expectation` and `state` under the lock."""
    _standings[conversation.id] = _standing(version, conversation, memory)
    _standings.move_to_end(conversation.id)
    while len(_standings) > MOST_STANDINGS:
        _standings.popitem(last=False)


def find(
    db: Database, conversation_id: str, text: str, value: Mapping[str, Any] | None, *, anew: bool = False
) -> Meaning:
    """The meaning, as the conversation stood last in this process, or stands now (`anew`). Adapters that fail are
    replaced by the built-in rules."""
    now = _standings.get(conversation_id)
    if now is None or anew:
        with db.reading() as tx:
            row = conversations.get(tx, conversation_id)
            now = _standing(config.version(tx, row.version_id), row, Memory.of(row.engine))
    version, expected = now.version, now.expected
    ai = knowing.adapter(db, version)
    prepared = knowing.prepared(version, now.locale, ai)
    if not text.strip() or (value and _is_used(expected, value)):
        return Meaning(expected, now.state, prepared=prepared)
    understanding = believed(_understand(ai, text, now), expected)
    asks = understanding.intent is Intent.QUESTION or not understanding.matched
    answer = None
    if asks and understanding.intent in _MAY_BE_QUESTIONS and now.state != conversations.REP:
        answer = knowing.look_up(version, ai, text, now.locale)
    return Meaning(expected, now.state, understanding, answer, prepared)


def _standing(version: Version, conversation: Any, memory: Memory) -> Standing:
    expected = expectation(version, conversation, memory)
    return Standing(version, str(conversation.locale), str(conversation.zone), str(conversation.state), expected)


def expectation(version: Version, conversation: Any, memory: Memory) -> Expectation:
    """What would be a fitting answer now, with the objections that the playbook has replies for."""
    locale = str(conversation.locale)
    node = engine.waiting_in(version, conversation.playbook, memory)
    expected = node.expectation(memory, locale) if node else Expectation()
    raised = tuple(_objections(version, conversation.playbook, memory))
    return replace(expected, objections=raised, region=_region(str(conversation.zone), locale))


def _objections(version: Version, playbook: str, memory: Memory) -> list[Option]:
    of = version.part(Playbook).get(playbook)
    nodes = [of.by_id[one] for one in memory.objections if one in of.by_id] if of else []
    found = {name: one for node in nodes if isinstance(node, Objection) for name, one in node.objection.items()}
    return [Option(name, name, tuple(one.says)) for name, one in found.items()]


def _is_used(expected: Expectation, value: Mapping[str, Any]) -> bool:
    """Does a button, slot or form belong to what is open? Then its words need no understanding."""
    ids = {option.id for option in expected.options}
    option = value.get("option")
    if isinstance(option, str):
        return option in ids or option.startswith("~") or expected.kind is Expect.DATE
    return bool("action" in value or "options" in value or "slot" in value or "form" in value)


def _understand(ai: AI, text: str, of: Standing) -> Understanding:
    now, zone = clock.now(), of.zone or of.version.site.zone
    try:
        return ai.understand(text, of.expected, locale=of.locale, now=now, zone=zone)
    except PluginError as problem:
        _log.warning("the AI adapter failed, the built-in rules go on: %s", problem)
        return builtin().understand(text, of.expected, locale=of.locale, now=now, zone=zone)


def _region(zone: str, locale: str) -> str:
    """The country whose phone numbers are meant when none is said: that of the zone, else of the locale ("de-AT")."""
    return _countries().get(zone) or (locale.split("-")[1].upper() if "-" in locale else "")


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Zone → ISO 3166 code of its (first) country, from the tz database's own table."""
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return {row[2]: row[0] for row in rows}
