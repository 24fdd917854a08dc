"""What the company knows: search the articles of a config version, and answer from them with sources, or not at all."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from plugins.ai import AI
from plugins.ai import Answer as Proposal
from plugins.ai import Passage as Source
from server.config.version import Version
from server.knowledge.index import Hit, Index
from server.knowledge.passages import Passage, passages_of
from server.knowledge.schema import Article, Synonyms

__all__ = ["Citation", "Found", "Hit", "answer", "index_of", "search"]

PASSAGES = 3  # an answer is made from so many
MAX_QUESTION = 1_000  # characters that are looked at
MAX_ANSWER = 2_000
_KEPT = 8  # indexes a process keeps
_cache: OrderedDict[str, Index] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Citation:
    """A source: `span` is where the answer stands in the passage's text, all of it when it is said in other words."""

    title: str
    url: str
    passage: str
    span: tuple[int, int]


@dataclass(frozen=True)
class Found:
    """An answer that the articles hold; `citations` is never empty."""

    text: str
    citations: tuple[Citation, ...]
    confidence: float


def search(version: Version, question: str, locale: str, limit: int = PASSAGES) -> list[Hit]:
    """The passages that cover most of the question, best first; below 0.5 the articles do not answer it."""
    return index_of(version).search(question[:MAX_QUESTION], locale, limit)


def answer(version: Version, question: str, locale: str, ai: AI, hits: Sequence[Hit] | None = None) -> Found | None:
    """What the articles say to a question, or None: below the site's threshold, or when the AI finds no answer in them.

    `hits`: what `search` has found for it, if it has been asked already.
    The AI sees the best passages only. What it proposes is kept only with sources among these, and with no number that
    they do not have. May call out (that is the adapter's choice), so never ask inside a transaction.
    """
    threshold = version.site.answers.threshold
    found = search(version, question, locale, PASSAGES) if hits is None else hits[:PASSAGES]
    good = [hit for hit in found if hit.confidence >= threshold]
    if not good:
        return None
    sources = [Source(hit.passage.id, hit.passage.path, hit.url, hit.passage.text, hit.confidence) for hit in good]
    proposal = ai.answer(question[:MAX_QUESTION], sources, locale=locale)
    return _checked(proposal, {hit.passage.id: hit for hit in good}) if proposal else None


def index_of(version: Version) -> Index:
    """The version's index, built once per process and content."""
    key = version.hash
    with _lock:
        if key not in _cache:
            _cache[key] = _build(version)
        _cache.move_to_end(key)
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
        return _cache[key]


def _build(version: Version) -> Index:
    site = version.site
    passages = [
        passage
        for name, article in version.part(Article).items()
        for passage in passages_of(name, article, site.locale)
    ]
    return Index(passages, version.part(Synonyms).synonyms, site.name.split())


def _checked(proposal: Proposal, hits: dict[str, Hit]) -> Found | None:
    cited = [hits[name] for name in dict.fromkeys(proposal.citations) if name in hits]
    text = proposal.text.strip()[:MAX_ANSWER]
    if not cited or not text or _numbers(text) - _numbers(" ".join(hit.passage.text for hit in cited)):
        return None
    confidence = min(proposal.confidence, max(hit.confidence for hit in cited))
    return Found(text, tuple(_cite(hit.passage, text) for hit in cited), confidence)


def _cite(passage: Passage, text: str) -> Citation:
    start = passage.text.find(text)
    span = (start, start + len(text)) if start >= 0 else (0, len(passage.text))
    return Citation(passage.title, passage.url, passage.id, span)


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))
