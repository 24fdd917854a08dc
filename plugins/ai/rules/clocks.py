"""Times of day: "14h30", "half past three", "halb drei", "tres menos cuarto", "2-4pm", "after lunch" become windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time

from plugins.ai import PartOfDay, TimeWish
from plugins.ai.rules.time_grammar import Frame, Grammar
from plugins.ai.rules.time_words import Token


def _clock(hour: int, minute: int, among: Sequence[Token], sure: str = "") -> Token | None:
    if not (0 <= hour <= 24 and 0 <= minute < 60):
        return None
    letters = {token.letter for token in among}
    late = "Z" in letters or any(token.letter == "P" and token.name != "morning" for token in among)
    if late and hour < 12:
        hour, sure = hour + 12, "sure"
    elif "G" in letters or "P" in letters:
        hour, sure = hour % 12 if hour == 12 else hour, "sure"
    return Token("C", among[0].start, among[-1].end, hour % 24, sure, minute)


def _past(tokens: Sequence[Token], _: Frame) -> Token | None:
    """Minutes or a quarter, then the hour: "ten past three", "viertel nach drei"."""
    hour = tokens[-1] if tokens[-1].letter != "o" else tokens[-2]
    minutes = tokens[0].number if tokens[0].letter == "N" else 15
    if tokens[1].letter == "U" and tokens[1].name != "minute":
        return None
    return _clock(hour.number, minutes, [tokens[0], hour, tokens[-1]])


def _minus(tokens: Sequence[Token], _: Frame) -> Token | None:
    """Minutes or a quarter, then the hour they are missing from: "quarter to four", "zehn vor drei"."""
    hour = tokens[-1] if tokens[-1].letter != "o" else tokens[-2]
    minutes = tokens[0].number if tokens[0].letter == "N" else 15
    if tokens[0].letter == "N" and not _five(tokens):
        return None
    return _clock((hour.number - 1) % 24, 60 - minutes, [tokens[0], hour, tokens[-1]])


def _half(tokens: Sequence[Token], _: Frame) -> Token | None:
    """ "half past three" and British "half three" are 3:30, German "halb drei" is 2:30."""
    german = tokens[0].name == "to"
    hour = next(token for token in tokens if token.letter in "NC")
    return _clock((hour.number - 1) % 12 or 12 if german else hour.number, 30, tokens)


def _then(tokens: Sequence[Token], _: Frame) -> Token | None:
    """The hour, then what is added: "tres y media", "deux heures et quart", "10 Uhr 30"."""
    last = tokens[-1] if tokens[-1].letter in "hqN" else tokens[-2]
    minutes = {"h": 30, "q": 15}.get(last.letter, last.number)
    return _clock(tokens[0].number, minutes, tokens, tokens[0].name)


def _less(tokens: Sequence[Token], _: Frame) -> Token | None:
    """The hour, then what is missing: "tres menos cuarto", "huit heures moins dix"."""
    last = tokens[-1]
    minutes = 15 if last.letter == "q" else last.number
    return _clock((tokens[0].number - 1) % 24, 60 - minutes, tokens) if 0 < minutes < 30 else None


def _minutes(tokens: Sequence[Token], _: Frame) -> Token | None:
    """Hour and minutes as two numbers: "at six thirty", "las ocho y veinte"."""
    hour, minute = (token.number for token in tokens if token.letter == "N")
    return _clock(hour, minute, tokens) if 9 < minute < 60 and (minute > 12 or tokens[0].letter != "l") else None


def _dotted(tokens: Sequence[Token], _: Frame) -> Token | None:
    """ "at 2.30", "8.30pm", "10.30 Uhr": a dot between hour and minutes."""
    written = next(token for token in tokens if token.letter == "H")
    return _clock(written.number, written.minute, tokens) if written.name == ".?" else None


def _hour(tokens: Sequence[Token], _: Frame) -> Token | None:
    first = next(token for token in tokens if token.letter in "NC")
    return _clock(first.number, first.minute, tokens, first.name)


def _at(tokens: Sequence[Token], _: Frame) -> Token | None:
    made = _clock(tokens[-1].number, 0, tokens)
    return replace(made, letter="C") if made else None


CLOCKS = Grammar(
    ("h[LpQ]?[NC]o?[GZ]?", _half),
    ("[qN][LpQ]Co?", _past),
    ("[qN]U?[LpQ][NC]o?", _past),
    ("q&No?", _past),
    ("[qN][KVAt][NC]o?[GZ]?", _minus),
    ("[NC]o?&[hq][GZ]?", _then),
    ("No[hqN](?![oUM])[GZ]?", _then),
    ("[NC]o?tl?[qN]", _less),
    ("[NC]o[GZ]?", _hour),
    ("[NC][GZ]", _hour),
    ("NP", _hour),
    ("[SAl]N&NZ?(?![UM0])", _minutes),
    ("SNN[GZP]?(?![UM0.])", _minutes),
    ("NN[GZP]", _minutes),
    ("[SA]H[GZ]?", _dotted),
    ("H[GZo]", _dotted),
    ("[SA]N(?![.UM0KAo]|[LpQVt][NC]|U)", _at),
)


def _five(tokens: Sequence[Token]) -> bool:
    """ "ten to four" tells the time, "2 to 4" a stretch: minutes come in fives and the word is not a dash."""
    return tokens[0].number in (5, 10, 20, 25) and tokens[1].name != "-" and tokens[1].letter in "Vt"


def _window(tokens: Sequence[Token], _: Frame) -> Token | None:
    """Two ends: "2-4pm", "between 10 and noon", "de 14h à 16h"."""
    ends = [token for token in tokens if token.letter in "NC"]
    first, last = ends[0], ends[1]
    if first.letter == "N" and last.letter == "N" and tokens[0].letter != "F" and len(tokens) < 4:
        return None
    if first.number > 24 or last.number > 24:
        return None
    start, end = _spread(first, last)
    return Token("t", tokens[0].start, tokens[-1].end, start, _text(end, last.minute), first.minute)


def _spread(first: Token, last: Token) -> tuple[int, int]:
    """Hours of both ends: "2-4pm" is all afternoon, "9 to 5" ends in the evening."""
    start, end = first.number, last.number
    if last.name != "sure" and end <= 7 and (end <= start or start < 7):
        end += 12
    if first.name != "sure" and start < 12 and start + 12 < end and (start < 7 or start + 12 <= end - 1 and start < 7):
        start += 12
    return start, end


def _text(hour: int, minute: int) -> str:
    return f"{hour % 24:02}:{minute:02}"


def _bound(tokens: Sequence[Token], _: Frame) -> Token | None:
    """One end: "after 4", "before noon", "ab 15 Uhr"."""
    last = tokens[-1]
    if last.number > 24:
        return None
    hour = daytime(last)
    if tokens[0].letter in "QF":
        return Token("t", tokens[0].start, last.end, hour, "", last.minute)
    if tokens[0].name == "strict":  # "before noon" is over at noon
        before = hour * 60 + last.minute - 1
        return Token("t", tokens[0].start, last.end, -1, _text(before // 60, before % 60)) if before > 0 else None
    return Token("t", tokens[0].start, last.end, -1, _text(hour, last.minute))


WINDOWS = Grammar(
    ("F?[NC]o?[GZ]?[KA&]l?S?C", _window),
    ("FN[KA&]l?N(?![.UM0])", _window),
    ("F?CKN(?![.UM0])", _window),
    ("[VK]S?l?C", _bound),
    ("[QF]S?l?C", _bound),
    ("[VQ]S?N(?=$|[;!|])", _bound),
)


def daytime(clock: Token, part: PartOfDay = PartOfDay.ANY) -> int:
    """The hour on a 24-hour clock: nobody meets at three at night, so "at 3" is 15:00 unless it says morning."""
    hour = clock.number
    if clock.name == "sure" or hour >= 12:
        return hour % 24
    if part in (PartOfDay.AFTERNOON, PartOfDay.EVENING) or (part is not PartOfDay.MORNING and 1 <= hour <= 6):
        return hour + 12
    return hour


def wish(token: Token, part: PartOfDay = PartOfDay.ANY) -> TimeWish:
    """A clock or a window as a wish without a day."""
    if token.letter == "C":
        return TimeWish(at=time(daytime(token, part) % 24, token.minute))
    end = time.fromisoformat(token.name) if token.name else None
    start = time(token.number % 24, token.minute) if token.number >= 0 else None
    if start and end and start == end:
        end = None
    return TimeWish(not_before=start, not_after=end)
