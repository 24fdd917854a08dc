"""How much text the standard columns of Dynamics take, and texts brought to that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_PERSON = {"firstname": 50, "lastname": 50, "telephone1": 50, "jobtitle": 100, "address1_country": 80}
_DONE = {"subject": 200, "description": 2000}
LONGEST: dict[str, dict[str, int]] = {
    "lead": _PERSON | {"companyname": 100, "subject": 300},
    "contact": _PERSON,
    "account": {"name": 160, "telephone1": 50, "address1_country": 80},
    "opportunity": {"name": 300},
    "task": _DONE,
    "phonecall": _DONE,
    "appointment": {
        "subject": 200, "location": 200, "description": 1_048_576, "category": 250, "subcategory": 250,
    },
    "annotation": {"subject": 500, "notetext": 100_000},
}  # fmt: skip
"""Table → column → MaxLength, by Microsoft's table reference (power-apps/developer/data-platform/reference/entities).
Addresses of e-mail are not here: half of one is somebody else's."""


def fitted(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Texts no longer than their columns, with a mark where the end is left out; all else as it is."""
    most = LONGEST[table]
    return {
        name: linked(value, "", most[name]) if name in most and isinstance(value, str) else value
        for name, value in values.items()
    }


def length(text: str) -> int:
    """As Dataverse counts: an emoji is two (its texts are UTF-16)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """The beginning of a text, with no half of a letter at its end."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * max(most, 0)].decode("utf-16-le", "ignore")


def linked(text: str, url: str, most: int) -> str:
    """A text with a link below it; of one that is too long together the text loses its end, and the link stays."""
    whole = "\n\n".join(filter(None, (text, url)))
    if length(whole) <= most:
        return whole
    below = f"…\n\n{url}" if url else "…"
    return cut(text, most - length(below)) + below


def parts(text: str, most: int) -> Iterator[str]:
    """A text in pieces that are not too long."""
    while text:
        first = cut(text, most)
        yield first
        text = text[len(first) or 1 :]
