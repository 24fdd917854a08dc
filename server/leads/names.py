"""When two names are the same company's: legal forms, accents, case and punctuation aside."""

from __future__ import annotations

import re
import unicodedata

from cleanco import basename

LONGEST = 255
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})


def name_key(name: str) -> str:
    """What a company's name is compared by, "" when nothing is left: "Société Générale S.A." → "societe generale"."""
    told = " ".join(name.split())
    return _plain(basename(told) or told)[:LONGEST]


def _plain(name: str) -> str:
    """Letters and digits of the name, without marks, in lower case."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    bare = "".join(one for one in folded if not unicodedata.combining(one))
    return " ".join(re.sub(r"[^\w]+|_", " ", bare.replace("&", " and ").replace("'", "").replace("’", "")).split())
