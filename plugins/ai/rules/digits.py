"""Numbers in digits, whatever the habit of the country: "1.200", "1,200", "1 200", "1'200", "12k", "2,5 Mio"."""

from __future__ import annotations

import re

_SCALES = {
    "k": 1e3,
    "tsd": 1e3,
    "m": 1e6,
    "mm": 1e6,
    "mn": 1e6,
    "mio": 1e6,
    "mln": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "mrd": 1e9,
    "md": 1e9,
}

# Not inside a word, a time or a date ("10:30", "3/12", "v2"), not an ordinal ("2nd"). Three digits after a mark are
# thousands; the last mark with one or two digits is the decimal one.
DIGITS = re.compile(
    r"""(?<![\w:@]) (?<!\w[.,/])
    (?P<digits> [1-9]\d{0,2} (?P<mark>[.,'\ ]) \d{3} (?!\d) (?: (?P=mark) \d{3} (?!\d) )* (?: (?!(?P=mark)) [.,] \d+ )?
      | \d+ (?: [.,] \d+ )? )
    (?: \ ? (?P<scale> k | tsd | mm? | mn | mio | mln | bn? | mrd | md ) (?![^\W_]) \.? (?= \W | $ ) )?
    (?! [.,:]?\d | [/:]\d | (?:st|nd|rd|th|er|e|eme|ere|re|nde?|ro|do|to|a|o)\b | h\d | [^\W\d_]{1,2}\d )""",
    re.VERBOSE,
)


def value(match: re.Match[str]) -> float:
    """What a match of DIGITS is worth; too long a row of digits is worth infinity and is nobody's answer."""
    digits, mark = match["digits"].replace(" ", ""), match["mark"]
    if mark:
        whole = digits.replace(mark, "") if mark != " " else digits
        number = float(whole.replace(",", "."))
    else:
        number = float(digits.replace(",", "."))
    return number * _SCALES.get(match["scale"] or "", 1)


def scale(text: str) -> float:
    """The multiplier letters at the end: 1000 for "12k", else 1."""
    match = DIGITS.fullmatch(text)
    return _SCALES.get(match["scale"] or "", 1.0) if match else 1.0
