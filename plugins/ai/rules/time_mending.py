"""Mends rows of time symbols before and between the grammars: what a neighbour decides about a word."""

from __future__ import annotations

from dataclasses import replace

from plugins.ai.rules.time_words import Token

_WEAK_NEEDS = {"d": ("XYTLNOHCPKS|&Ddt", "NOHCPKS|&DdAtM"), "m": ("INOXTLEBJQVKF|", "NOyK")}


def half_day(token: Token) -> Token:
    """ "pm" or "de la tarde" that belongs to no hour is a part of the day."""
    names = {"G": "morning", "Z": "afternoon"}
    return replace(token, letter="P", name=names[token.letter]) if token.letter in names else token


def hours(row: list[Token]) -> list[Token]:
    """Bare hours beside a day or an alternative: "Monday 10", "10 or 11 on Monday"."""
    result = list(row)
    for place in [*range(len(row) - 1, -1, -1), *range(len(row))]:
        letters = "".join(token.letter for token in result[max(0, place - 2) : place + 3])
        middle = min(place, 2)
        before, after = letters[:middle], letters[middle + 1 :]
        beside = before.endswith(("0", "C|")) and not after.startswith((".", "U", "K", "A"))
        if row[place].letter == "H" and row[place].name == ".?" and beside and row[place].minute < 60:
            result[place] = replace(row[place], letter="C", name="")  # "tomorrow 10.30"
        elif row[place].letter == "N" and row[place].number <= 24 and (beside or after.startswith(("0", "|C"))):
            result[place] = replace(row[place], letter="C")
    return result


def promoted(symbols: list[Token], *, native: bool, alone: bool) -> list[Token]:
    """Short names that are also other words ("sun", "may", "do.") count when a moment stands beside them."""
    result = list(symbols)
    for place, token in enumerate(symbols):
        before = symbols[place - 1].letter if place else "^"
        if token.letter == "R" and token.name and before in "DRT":
            result[place] = replace(token, letter="P", name=token.name)
        if token.letter in "dm":
            after = symbols[place + 1].letter if place + 1 < len(symbols) else "$"
            left, right = _WEAK_NEEDS[token.letter]
            beside = before in left or after in right
            sure = beside and (native or token.letter == "m") or (native and alone)
            result[place] = replace(token, letter=token.letter.upper() if sure else ".")
    return result


def joined(symbols: list[Token]) -> list[Token]:
    """ "twenty nine" and "thirty first" are one number; "tonight" is a day and an evening."""
    result: list[Token] = []
    for token in symbols:
        if _hyphenated(result, token):
            result.pop()
        last = result[-1] if result else None
        tens = last is not None and last.letter == "N" and last.number in (20, 30, 40, 50)
        if last is not None and tens and token.letter in "NO" and 0 < token.number < 10 and token.start - last.end < 3:
            result[-1] = replace(token, start=last.start, number=last.number + token.number)
        elif token.letter == "R" and token.name == "evening":
            result += [replace(token, name=""), replace(token, letter="P", name="evening")]
        else:
            result.append(token)
    return result


def articles(symbols: list[Token]) -> list[Token]:
    """ "a week", "eine Stunde", "une heure": the article counts as one before a unit or an hour; else it is dropped."""
    result = []
    for place, token in enumerate(symbols):
        after = symbols[place + 1].letter if place + 1 < len(symbols) else "$"
        before = symbols[place - 1].letter if place else "^"
        if token.letter == "a":
            if after in "Uo" or (before in "SA" and after in "$;GZ&"):
                result.append(replace(token, letter="N", number=1))
        elif token.letter != "l" or after in "NO":
            result.append(token)
    return result


def _hyphenated(before: list[Token], token: Token) -> bool:
    """ "twenty-seven": a dash right between tens and ones."""
    if len(before) < 2 or before[-1].name != "-" or token.letter not in "NO":
        return False
    return before[-2].letter == "N" and before[-2].number in (20, 30, 40, 50) and 0 < token.number < 10
