"""What our values are called in the CRM, as the mapping's form shows and reads it: a line `ours = theirs` for each.

What a line could not say plainly stands in quotes, as in JSON. A comma or semicolon begins another pair only where a
new `name =` follows, so `lost = Unqualified, bad timing` is one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NEXT = r"[,;](?=[^,;=]*[^,;=\s][^,;=]*=)"
_PAIR = re.compile(rf'({_QUOTED}|[^"=][^=]*?)\s*=\s*({_QUOTED}|[^"].*)')
_ODD_NAME = re.compile(r'[=,;"\x00-\x1f]|^\s|\s$|^$')
_ODD_VALUE = re.compile(rf'^"|[\x00-\x1f]|^\s|\s$|^$|{_NEXT}')


def shown(values: Mapping[str, str]) -> str:
    """One line for each."""
    return "\n".join(f"{_said(ours, _ODD_NAME)} = {_said(theirs, _ODD_VALUE)}" for ours, theirs in values.items())


def read(text: str) -> dict[str, str]:
    """What `shown` shows, or a person typed. ValueError with a sentence for what is no pair."""
    lines = [line.strip() for line in text.replace("\r\n", "\n").split("\n")]
    pieces = [piece.strip() for line in lines for piece in ([line] if '"' in line else re.split(_NEXT, line)) if piece]
    found: dict[str, str] = {}
    for piece in pieces:
        name, value = _pair(piece)
        if name in found:
            raise ValueError(f"“{name}” stands there twice, allowed once.")
        found[name] = value
    return found


def _pair(piece: str) -> tuple[str, str]:
    match = _PAIR.fullmatch(piece)
    try:
        if match is not None and (match[2][0] == '"' or not re.search(_NEXT, match[2])):
            return _meant(match[1]), _meant(match[2])
    except ValueError:
        pass
    raise ValueError(f"“{piece}” is no pair; write one on each line, such as new = Open.")


def _meant(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text


def _said(text: str, odd: re.Pattern[str]) -> str:
    return json.dumps(text, ensure_ascii=False) if odd.search(text) else text
