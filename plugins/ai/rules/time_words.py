"""Turns a line into symbols of moments: one letter for each word or number that speaks of time, "." for other words.

D weekday · M month · N number · O ordinal · y year · c quarter · H written date · C clock · R day from today ·
X next, Y coming, x the one after next, T this, L last · U unit · W weekend · w every such day · P part of day ·
I in, i within, g ago, + from now · E end, B start, J middle, v later in · F from, K to, A at or to, V before, Q after,
S at · G am, Z pm, o o'clock · h half, q quarter, p past, t minus, & and · n at once · ! not (after: of what
stands before) · | or · l the · a one. A day named morning may be that too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from babel import Locale

from plugins.ai.rules.days import Days
from plugins.ai.rules.number_words import lexicon as number_lexicon
from plugins.ai.rules.spelling import near
from plugins.ai.rules.text import fold, spellings
from plugins.ai.rules.words import lists

_LONGEST = 6
_IN_ONE_WORD = "day+ "  # lines of parts of the day that are written in one word with a weekday
IDLE = ".NlaIFKAk&;"  # symbols that alone are no moment


class Symbol(NamedTuple):
    """A letter of the grammar, with its number (days, hour, count) or name (unit, part of day)."""

    letter: str
    number: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A symbol and its place in the folded text; `minute` and `year` only for clocks and written dates, `days` for
    stretches of days."""

    letter: str
    start: int
    end: int
    number: int = 0
    name: str = ""
    minute: int = 0
    year: int = 0
    days: Days | None = None


_PIECES = re.compile(
    r"""(?P<iso>(?<!\d)\d{4}-\d{1,2}-\d{1,2}(?!\d))
      | (?P<date>(?<![\w.,/])(?<!\d{4}-)\d{1,2}(?P<mark>[./-])\d{1,2}
          (?:(?P=mark)(?:20\d\d|\d\d)(?!\d)|(?P=mark)?)(?![\d:h]|/\d))
      | (?P<clock>(?<![\d,.:])\d{1,2}(?:[:h.]|\ ?h\ )[0-5]\d(?::[0-5]\d)?(?![\d%])|(?<![\w.,])\d{1,2}h(?!\w))
      | (?P<ordinal>(?<![\w.,])\d{1,2}(?:st|nd|rd|th|er|re|eme|e|ten|te|ter|o)\b|(?<![\w.,])\d{1,2}\.(?=\s+[a-z]|\s*$))
      | (?P<quarter>\bq[1-4]\b)
      | (?P<number>(?<![\w.,])\d+(?![.,]\d))
      | (?P<word>[^\W\d_]+)
      | (?P<break>[;!?\n]|\.(?=\s|$))
      | (?P<dash>-)""",
    re.VERBOSE,
)


_PLAIN = ("word", "number", "break", "dash")  # no moment without another piece or a word that says so
_HALVES = re.compile(r"\b([ap])\s?\.\s?m\b(?:\s?\.)?")


def pieces(folded: str) -> list[re.Match[str]]:
    """The words, numbers and written dates of a line, the same for every language."""
    return list(_PIECES.finditer(_HALVES.sub(lambda half: f"{half[1]}m".ljust(len(half.group())), folded)))


def speaks_of_time(pieces: list[re.Match[str]], language: str) -> bool:
    """Can there be a moment in these pieces at all? No for most lines, and then they need not be read."""
    first = _first_words(language)
    return any(piece.lastgroup not in _PLAIN or piece.group() in first or _is_year(piece) for piece in pieces)


def tokens(pieces: list[re.Match[str]], language: str, *, native: bool) -> list[Token]:
    """The symbols of a line as `language` reads them; fillers are left out. `native`: mend slips of spelling too."""
    words = lexicon(language)
    found: list[Token] = []
    place = 0
    while place < len(pieces):
        size, symbol = _phrase(pieces, place, words)
        if symbol is None:
            found.extend(_in_one_word(pieces[place], language) or _single(pieces[place], language, native))
        elif symbol.letter in "DM" and not native and pieces[place].end() - pieces[place].start() < 5:
            found.append(Token(symbol.letter.lower(), pieces[place].start(), pieces[place].end(), symbol.number))
        elif symbol.letter != "k":
            found.append(
                Token(symbol.letter, pieces[place].start(), pieces[place + size - 1].end(), symbol.number, symbol.name)
            )
        place += size
    return found


def _is_year(piece: re.Match[str]) -> bool:
    return piece.lastgroup == "number" and piece.end() - piece.start() == 4


def _phrase(pieces: list[re.Match[str]], place: int, words: dict[str, Symbol]) -> tuple[int, Symbol | None]:
    """The longest phrase that starts here."""
    if pieces[place].lastgroup != "word":
        return 1, None
    texts = []
    for piece in pieces[place : place + _LONGEST]:
        if piece.lastgroup not in ("word", "dash"):
            break
        texts.append(piece.group())
    for size in range(len(texts), 0, -1):
        symbol = words.get(" ".join(text for text in texts[:size] if text != "-"))
        if symbol is not None and texts[size - 1] != "-":
            return size, symbol
    return 1, None


def _single(piece: re.Match[str], language: str, native: bool) -> list[Token]:
    kind, text = piece.lastgroup, piece.group()
    if kind == "mark":
        kind = "date"
    if kind == "word":
        mended = _mended(text, language) if native else None
        symbol = mended or Symbol(".")
        return [Token(symbol.letter, piece.start(), piece.end(), symbol.number, symbol.name)]
    if kind == "ordinal" and text.endswith(".") and language != "de":
        return _number(piece.start(), piece.end() - 1, text[:-1])
    return _DIGITAL[kind or ""](piece.start(), piece.end(), text)


def _in_one_word(piece: re.Match[str], language: str) -> list[Token]:
    """The day and the part of it that one word names: "Donnerstagnachmittag"."""
    if piece.group() not in _compounds(language):
        return []
    day, part, end = _compounds(language)[piece.group()]
    parted = piece.start() + end
    return [
        Token(day.letter, piece.start(), parted, day.number),
        Token(part.letter, parted, piece.end(), name=part.name),
    ]


def _iso(start: int, end: int, text: str) -> list[Token]:
    year, month, day = (int(part) for part in text.split("-"))
    return [Token("H", start, end, day, str(month), year=year)]


def _date(start: int, end: int, text: str) -> list[Token]:
    """Day and month in writing order (the reader knows the country); name keeps the mark."""
    parts = [int(part) for part in re.split(r"[./-]", text) if part]
    mark = next(character for character in text if not character.isdigit())
    if mark == "-" and len(parts) == 2:
        return [Token("N", start, start, parts[0]), Token("K", start, start), Token("N", start, end, parts[1])]
    year = parts[2] + (2000 if parts[2] < 100 else 0) if len(parts) == 3 else 0
    closed = mark if year or text.endswith(mark) or mark == "/" else mark + "?"
    return [Token("H", start, end, parts[0], closed, minute=parts[1], year=year)]


def _clock(start: int, end: int, text: str) -> list[Token]:
    hour, minute = re.match(r"(\d+)\D+(\d*)", text).groups()  # type: ignore[union-attr]
    sure = "sure" if "h" in text or text.startswith("0") else "dot" if "." in text else ""
    return [Token("C", start, end, int(hour), sure, int(minute or 0))] if int(hour) < 25 else [Token(".", start, end)]


def _number(start: int, end: int, text: str) -> list[Token]:
    if len(text) > 4:
        return [Token(".", start, end)]
    return [Token("y" if 1950 <= int(text) <= 2100 else "N", start, end, int(text))]


_DIGITAL = {
    "iso": _iso,
    "date": _date,
    "clock": _clock,
    "number": _number,
    "ordinal": lambda start, end, text: [Token("O", start, end, int(re.sub(r"\D", "", text)))],
    "quarter": lambda start, end, text: [Token("c", start, end, int(text[1]))],
    "break": lambda start, end, text: [Token(";", start, end)],
    "dash": lambda start, end, text: [Token("K", start, end, name="-")],
}


@cache
def lexicon(language: str) -> dict[str, Symbol]:
    """Folded phrase → symbol: numbers, then names of days and months, then the phrases of `words/times`."""
    found = {
        word: Symbol("N", int(meaning.value))
        for word, meaning in number_lexicon(language, native=True).items()
        if meaning.kind == "add" and meaning.value == int(meaning.value) and meaning.value < 60
    }
    found.update({word: symbol for word, symbol in _calendar(language).items() if word not in found})  # French "sept"
    said: dict[str, Symbol] = {}
    for key, phrases in lists("times", language).items():
        if key.startswith(_IN_ONE_WORD):
            continue
        letter, _, rest = key.partition(" ")
        count, _, name = rest.partition(" ")
        counted = count.lstrip("-").isdigit()
        number = int(count) if counted else 0
        for phrase in phrases:
            for spelt in spellings(phrase.replace("'", " ").replace("-", " ")):
                said.setdefault(spelt, Symbol(letter, number, name if counted else rest))
    return {**found, **said}


@cache
def _first_words(language: str) -> frozenset[str]:
    """The words with which phrases begin that may make a moment; numbers and fillers alone make none."""
    return (
        frozenset(
            phrase.split(" ")[0] for phrase, symbol in lexicon(language).items() if symbol.letter not in f"{IDLE}k"
        )
        | _compounds(language).keys()
    )


@cache
def _compounds(language: str) -> dict[str, tuple[Symbol, Symbol, int]]:
    """Word → the weekday and the part of day that it is made of, and where the second begins."""
    found: dict[str, tuple[Symbol, Symbol, int]] = {}
    days = [(word, symbol) for word, symbol in lexicon(language).items() if symbol.letter == "D" and len(word) > 5]
    for key, phrases in lists("times", language).items():
        if key.startswith(_IN_ONE_WORD):
            part = Symbol("P", name=key.removeprefix(_IN_ONE_WORD))
            endings = [spelt for phrase in phrases for spelt in spellings(phrase)]
            found |= {f"{day}{ending}": (symbol, part, len(day)) for day, symbol in days for ending in endings}
    return found


def _calendar(language: str) -> dict[str, Symbol]:
    """Days and months from CLDR, long and short; short names that are also other words are weak (d, m)."""
    locale = Locale(language)
    found: dict[str, Symbol] = {}
    for letter, names in (("D", locale.days), ("M", locale.months)):
        for width in ("abbreviated", "wide"):
            for number, name in names["format"][width].items():
                for spelt in spellings(name.rstrip(".")):
                    short = len(spelt) < 4 and (language != "en" or spelt in ("sat", "sun", "mar", "may", "jan"))
                    found[spelt] = Symbol(letter.lower() if short and spelt != "mai" else letter, number)
                    if letter == "D" and width == "wide":
                        found.update(_plural(spelt, number, language))
    return found


def _plural(day: str, number: int, language: str) -> dict[str, Symbol]:
    """ "mondays", "montags", "lundis", "los lunes": every such day."""
    if language == "es":
        return {f"los {day}": Symbol("w", number + 10), f"los {day.rstrip('s')}s": Symbol("w", number + 10)}
    return {f"{day}s": Symbol("w", number + 10), f"jeden {day}": Symbol("w", number + 10)}


@cache
def _long_names(language: str) -> dict[str, Symbol]:
    names = {word: symbol for word, symbol in _calendar(language).items() if len(word) > 5 and symbol.letter in "DM"}
    for word in ("tomorrow", "morning", "afternoon", "uebermorgen", "nachmittag", "vormittag", "manana", "proximo"):
        if word in lexicon(language):
            names[word] = lexicon(language)[word]
    return names


@cache
def _mended(word: str, language: str) -> Symbol | None:
    """The day, month or hour of day that was meant by "thrusday" or "tommorow"."""
    if len(word) < 5 or word != fold(word):
        return None
    for meant, symbol in _long_names(language).items():
        if word[0] == meant[0] and near(word, meant):
            return symbol
    return None
