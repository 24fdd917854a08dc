"""Amounts: numbers with their limits ("50-100", "more than 500"), sizes ("a team of 12"), budgets ("20k€ a year")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from plugins.ai import Budget, Range
from plugins.ai.rules.numbers import Number, numbers
from plugins.ai.rules.text import LANGUAGES, pattern
from plugins.ai.rules.words import lists

_SIGNS = {"€": "EUR", "eur": "EUR", "euro": "EUR", "$": "USD", "usd": "USD", "dollar": "USD", "buck": "USD", "£": "GBP"}
_SIGNS |= {"gbp": "GBP", "pound": "GBP", "pfund": "GBP", "chf": "CHF", "franken": "CHF", "¥": "JPY", "yen": "JPY"}
_SIGNS |= {"dolar": "USD", "livre": "GBP", "libra": "GBP", "teuro": "EUR", "mxn": "MXN", "cad": "CAD", "aud": "AUD"}
_CURRENCY = r"[€$£¥]|(?:us)?\$|eur(?:os?)?\b|usd\b|dollars?\b|bucks\b|gbp\b|pounds?\b|pfund\b|chf\b|franken\b|yen\b" + (
    r"|dolar(?:es)?\b|dollar[es]?s?\b|livres?\b|libras?\b|mxn\b|cad\b|aud\b|teuro\b"
)
_MONEY_AFTER = re.compile(rf"\s*(?:de |d')?\s*({_CURRENCY})")
_NEAR = 48  # letters before and after a number in which words can belong to it
_MONEY_BEFORE = re.compile(rf"({_CURRENCY})\s*$")


@dataclass(frozen=True, slots=True)
class Amount:
    """One number, or two ends of a stretch. `value` is what is saved when one number is needed; `currency` ISO or "";
    `people`: somebody is counted; `weak`: perhaps no number at all ("one", "un")."""

    value: float
    low: float | None
    high: float | None
    start: int
    end: int
    currency: str = ""
    people: bool = False
    weak: bool = False


def amounts(folded: str, order: tuple[str, ...]) -> list[Amount]:
    """All amounts of a line, in order; two numbers with "to" between them are one."""
    found: list[Amount] = []
    row = numbers(folded, order)
    place = 0
    while place < len(row):
        pair = _pair(folded, row, place)
        found.append(pair or _single(folded, row[place]))
        place += 2 if pair else 1
    return found


def alone(folded: str) -> bool:
    """ "just me", "nur ich": a company of one."""
    return bool(_after_words("alone").search(folded))


def company_size(folded: str, found: list[Amount]) -> Range | None:
    """People in the company, when a number is said of people or of a team."""
    for amount in found:
        before = folded[max(0, amount.start - _NEAR) : amount.start]
        if not amount.currency and (amount.people or _before_words("team").search(before)) and not amount.weak:
            return Range(amount.low, amount.high)
    return Range(1, 1) if alone(folded) else None


def budget(folded: str, found: list[Amount]) -> Budget | None:
    """Money with its currency and what it is paid per; a bare number only beside a word like "budget"."""
    said = bool(_after_words("money").search(folded))
    for amount in found:
        after = folded[amount.end : amount.end + _NEAR]
        per = next((name for name in ("seat", "month", "year") if _follows(name, after, amount)), "")
        if amount.currency or (per and not amount.people) or (said and amount.value >= 100 and not amount.people):
            return Budget(amount.low, amount.high, amount.currency, per)
    return None


def _follows(name: str, after: str, amount: Amount) -> bool:
    match = _after_words(name).search(after)
    return bool(match and match.start() < 24 and (amount.currency or match.start() < 3))


def _pair(folded: str, row: list[Number], place: int) -> Amount | None:
    if place + 1 >= len(row):
        return None
    first, last = row[place], row[place + 1]
    gap, before = (
        _MONEY_AFTER.sub("", folded[first.end : last.start]),
        folded[max(0, first.start - _NEAR) : first.start],
    )
    gap = _MONEY_BEFORE.sub("", gap)
    joined = re.fullmatch(r"\s*-\s*", gap) or _joining().fullmatch(gap)
    if not joined or first.weak:
        return None
    low = first.value * (last.scale if first.scale == 1 and first.value < last.value / last.scale else 1)
    plain = joined.group().strip()
    if low >= last.value or (plain in ("and", "und", "et", "y") and not _before_words("between").search(before)):
        return None
    middle = (low + last.value) / 2
    value = float(int(middle)) if low >= 1 else middle
    currency = _currency(folded, first) or _currency(folded, last)
    return Amount(value, low, last.value, first.start, last.end, currency, _people(folded, last))


def _single(folded: str, number: Number) -> Amount:
    before = _MONEY_BEFORE.sub("", folded[max(0, number.start - _NEAR) : number.start])
    after = _MONEY_AFTER.sub("", folded[number.end : number.end + 40], count=1)
    people, currency = _people(folded, number), _currency(folded, number)
    low: float | None = number.value
    high: float | None = number.value
    value, whole = number.value, number.value == int(number.value) and not currency
    if _before_words("above").search(before):
        value, high = value + whole, None
        low = value
    elif _before_words("below").search(before):
        value, low = max(value - whole, 0), None
        high = value
    elif _limit_before("least").search(before) or _right_after("after least").match(after):
        high = None
    elif _limit_before("most").search(before) or _right_after("after most").match(after):
        low = None
    return Amount(value, low, high, number.start, number.end, currency, people, number.weak)


def _currency(folded: str, number: Number) -> str:
    match = _MONEY_AFTER.match(folded, number.end) or _MONEY_BEFORE.search(
        folded[max(0, number.start - _NEAR) : number.start]
    )
    if not match:
        return ""
    sign = match[1].removeprefix("us") if match[1].endswith("$") else match[1]
    return _SIGNS.get(sign) or _SIGNS.get(sign.rstrip("s")) or _SIGNS.get(sign.removesuffix("es"), "")


def _people(folded: str, number: Number) -> bool:
    match = _right_after("people").match(folded, number.end)
    return bool(match) or bool(re.match(r"(?:ppl|pers|ma\b)", folded[number.end :]))


@cache
def _joining() -> re.Pattern[str]:
    return pattern(rf"(?: ?(?:{_all('people')}))? ?(?:{_all('to')}) ?(?:{_all('about')})? ?")


@cache
def _before_words(key: str) -> re.Pattern[str]:
    """The words of a key right before a number, "about" allowed between."""
    return pattern(rf"(?<![^\W_])(?:{_all(key)})(?: (?:{_all('about')}))*(?: (?:a|the|les|die|los|las))? ?$")


@cache
def _limit_before(key: str) -> re.Pattern[str]:
    """As `_before_words`, for words that are limits only when they are not also small words ("de", "von", "from")."""
    words = "|".join(word for word in _words(key) if word not in ("de", "von", "from", "bis", "ab", "desde"))
    return pattern(rf"(?:^|[^\w])(?:{words})(?: (?:{_all('about')}))* ?$")


@cache
def _right_after(key: str) -> re.Pattern[str]:
    return pattern(
        rf"[ -]?(?:[^\W\d_]+ )?(?:{_all(key)})(?![^\W_])" if key == "people" else rf" ?(?:{_all(key)})(?![^\W_])"
    )


@cache
def _after_words(key: str) -> re.Pattern[str]:
    return pattern(rf"(?:(?<![^\W_])|(?=/))(?:{_all(key)})(?![^\W_])")


@cache
def _words(key: str) -> tuple[str, ...]:
    """The phrases of a key in all languages, longest first, escaped."""
    found = {phrase for language in LANGUAGES for phrase in lists("amounts", language).get(key, ())}
    return tuple(re.sub(r"([+.?*/|])", r"\\\1", phrase) for phrase in sorted(found, key=lambda one: (-len(one), one)))


def _all(key: str) -> str:
    return "|".join(_words(key))
