"""Asks the knowledge room outside transactions, and keeps the answers to the playbooks' own questions ready."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from plugins.ai import AI
from plugins.errors import PluginError
from server.adapters import service as adapters
from server.config.version import Version
from server.db import Database
from server.knowledge import service as knowledge
from server.playbooks.nodes.answer import Answer
from server.playbooks.questions import Found
from server.playbooks.rules import builtin
from server.playbooks.schema import Playbook

_KEPT = 256  # pairs of version and language
_cache: OrderedDict[tuple[str, str], dict[str, Found]] = OrderedDict()
_lock = threading.Lock()
_log = logging.getLogger("usher.playbooks")


def look_up(version: Version, ai: AI, question: str, locale: str) -> Found:
    """What the knowledge folder says to a question; without text when it says nothing above the site's threshold."""
    hits = knowledge.search(version, question, locale)
    trace = {
        "decision": "answer",
        "chosen": "",
        "looked_at": [
            {
                "name": f"{hit.passage.title} ({hit.passage.id})",
                "answer": "yes" if hit.confidence >= version.site.answers.threshold else "no",
                "because": f"confidence {hit.confidence:.2f}, threshold {version.site.answers.threshold:.2f}",
                "saw": {},
            }
            for hit in hits
        ],
    }
    found = _asked(version, ai, question, locale, hits)
    if found is None:
        return Found(question, confidence=max((hit.confidence for hit in hits), default=0.0), trace=trace)
    cited = list({(one.title, one.url): {"title": one.title, "url": one.url} for one in found.citations}.values())
    trace["chosen"] = ", ".join(one.passage for one in found.citations)
    return Found(question, found.text, cited, found.confidence, trace)


def prepared(version: Version, locale: str, ai: AI) -> Mapping[str, Found]:
    """Question → answer for all `answer` nodes, in one language; worked out once per process."""
    key = (version.hash, locale)
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
    ready = {question: look_up(version, ai, question, locale) for question in _questions(version, locale)}
    with _lock:
        _cache[key] = ready
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return ready


def prepared_for(db: Database, version: Version, locale: str) -> Mapping[str, Found]:
    """The same, with the site's own AI adapter."""
    return prepared(version, locale, adapter(db, version))


def warm_up(db: Database, version: Version) -> None:
    """Have everything ready that the first message would otherwise wait for."""
    for locale in version.site.languages:
        prepared_for(db, version, locale)


def adapter(db: Database, version: Version) -> AI:
    """The site's AI adapter; the built-in rules when it cannot be opened."""
    try:
        ai: AI = adapters.ai(db, version)
    except PluginError as problem:
        _log.warning("the AI adapter cannot be opened, the built-in rules go on: %s", problem)
        return builtin()
    return ai


def _asked(
    version: Version, ai: AI, question: str, locale: str, hits: Sequence[knowledge.Hit]
) -> knowledge.Found | None:
    try:
        return knowledge.answer(version, question, locale, ai, hits)
    except PluginError as problem:
        _log.warning("the AI adapter failed, the built-in rules go on: %s", problem)
        return knowledge.answer(version, question, locale, builtin(), hits)


def _questions(version: Version, locale: str) -> list[str]:
    nodes = [node for playbook in version.part(Playbook).values() for node in playbook.nodes]
    return [node.question(locale, version.site.locale) for node in nodes if isinstance(node, Answer)]
