"""Everything that stands in a line, found once: addresses, numbers, moments, people, what it is doing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from plugins.ai import Entities, Expect, Expectation
from plugins.ai.rules import amounts, who
from plugins.ai.rules.amounts import Amount
from plugins.ai.rules.intents import Signals, signals
from plugins.ai.rules.mailbox import Mailbox, mailboxes
from plugins.ai.rules.telephone import Phone, phones, region
from plugins.ai.rules.text import Said, languages
from plugins.ai.rules.times import Moment, moments

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]+|(?<![\w@.])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|de|fr|es|eu|ai|co|app)\b[^\s<>\"]*"
)
_MARKED = re.compile(r"\d\s?(?:[:h]|am\b|pm\b|a\.m|p\.m|uhr|o'?clock)|\b(?:noon|midi|mittag|mediodia|midnight)")
_TIMED = frozenset([Expect.NONE, Expect.DATE, Expect.SLOT])


@dataclass
class Heard:
    """One line of a visitor and where, when and in which language it was said."""

    text: str
    expectation: Expectation
    locale: str
    now: datetime
    zone: str

    @cached_property
    def said(self) -> Said:
        return Said(self.text)

    @cached_property
    def signals(self) -> Signals:
        return signals(self.said)

    @cached_property
    def local(self) -> datetime:
        """The visitor's local time; UTC when the zone is unknown."""
        try:
            return self.now.astimezone(ZoneInfo(self.zone))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return self.now.astimezone(ZoneInfo("UTC"))

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The languages to read in: the visitor's, unless everything recognised is of another."""
        own = languages(self.locale)
        votes = Counter(hit.language for hit in self.signals.hits if hit.language)
        if not votes or votes[own[0]]:
            return own
        first = max(own, key=lambda language: votes[language])
        return (first, *(language for language in own if language != first))

    @cached_property
    def mailboxes(self) -> list[Mailbox]:
        return mailboxes(self.said.folded, self.said.raw)

    @cached_property
    def urls(self) -> list[re.Match[str]]:
        found = _URL.finditer(self.said.folded) if "." in self.said.folded else ()
        return [url for url in found if not _overlaps(url.start(), url.end(), self.mailboxes)]

    @cached_property
    def phones(self) -> list[Phone]:
        country = region(self.expectation.region, self.locale, self.zone)
        clean = self._without(self.mailboxes)
        return phones(clean, country, expected=self.expectation.kind in (Expect.PHONE, Expect.FORM))

    @cached_property
    def moments(self) -> list[Moment]:
        """Wishes for a time; bare hours only where a time is talked about."""
        bare = {Expect.DATE: "day", Expect.SLOT: "hour"}.get(self.expectation.kind, "")
        clean = self._without(self.mailboxes, self.phones)
        found = moments(clean, self.order, self.locale, self.local, bare=bare)
        if self.expectation.kind in _TIMED:
            return found
        return [one for one in found if _certain(one, clean)]

    @cached_property
    def amounts(self) -> list[Amount]:
        clean = self._without(self.mailboxes, self.phones)
        for url in self.urls:
            clean = clean[: url.start()] + "\0" * (url.end() - url.start()) + clean[url.end() :]
        found = amounts.amounts(clean, self.order)
        return [one for one in found if not _overlaps(one.start, one.end, self.moments)]

    @cached_property
    def company(self) -> str:
        if self.signals.question and not self.name:
            return ""
        found = who.company(self.said, introduced=bool(self.name))
        return "" if found and found in self.name else found

    @cached_property
    def name(self) -> str:
        return who.name(self.said)

    @cached_property
    def entities(self) -> Entities:
        folded = self.said.folded
        return Entities(
            emails=tuple(dict.fromkeys(box.address for box in self.mailboxes)),
            phones=tuple(dict.fromkeys(phone.number for phone in self.phones)),
            numbers=tuple(one.value for one in self.amounts if not one.weak),
            urls=tuple(self.said.original(url.start(), url.end()).rstrip(".,!?)") for url in self.urls),
            name=self.name,
            company=self.company,
            company_size=amounts.company_size(folded, self.amounts),
            budget=amounts.budget(folded, self.amounts),
            times=tuple(moment.wish for moment in self.moments),
        )

    def _without(self, *spans: list[Mailbox] | list[Phone]) -> str:
        text = self.said.folded
        for one in (one for group in spans for one in group):
            text = text[: one.start] + "\0" * (one.end - one.start) + text[one.end :]
        return text


def _overlaps(start: int, end: int, others: list[Mailbox] | list[Moment]) -> bool:
    return any(start < other.end and other.start < end for other in others)


def _certain(moment: Moment, text: str) -> bool:
    wish = moment.wish
    dated = wish.first or wish.last or wish.weekdays or wish.part
    return bool(dated) or bool(_MARKED.search(text[moment.start : moment.end + 8]))
