"""What a record of the CRM tells us that we did not know: each field compared with what both sides last agreed on, so
that our own words that come back, and old news told again, change nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plugins.crm import RemoteField
from server.sync import fates
from server.sync.ours import field_of
from server.sync.schema import Crm, Mapped
from server.sync.values import HUMAN, Value

_TYPES = {"number": "number", "boolean": "boolean"}


@dataclass(frozen=True)
class News:
    """One field that somebody changed there. `value` in our words and type; None: emptied. `stands`: a person has said
    otherwise here, which stands above the CRM."""

    mapped: Mapped
    theirs: Any
    value: Any = None
    stands: bool = False


@dataclass(frozen=True)
class Compared:
    """`told` is what both sides agree on from now on, `seen` when it was said, where order matters."""

    news: list[News] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)


def compare(
    crm: Crm,
    on: str,
    there: Mapping[str, Any],
    ours: Mapping[str, Value],
    link: Any,
    *,
    said_at: datetime | None = None,
) -> Compared:
    """`there`: what the record holds, by their names; `link`: its row, None before there is one. `said_at`: these are
    only some of its values, from a message of that moment, which may come after younger ones."""
    told, saying, seen = (dict(getattr(link, name, None) or {}) for name in ("told", "saying", "seen"))
    news = []
    for mapped in crm.of(on):
        name = mapped.theirs
        if not mapped.comes_in or (said_at is not None and (name not in there or _is_older(seen.get(name), said_at))):
            continue
        if said_at is not None:
            seen[name] = said_at.isoformat()
        value = there.get(name)
        if fates.holds(value, told.get(name)) or (fates.empty(value) and fates.empty(told.get(name))):
            continue
        told[name] = None if fates.empty(value) else value
        if name in saying and fates.holds(value, saying[name]):
            continue
        if one := _news(mapped, value, ours.get(mapped.ours)):
            news.append(one)
    return Compared(news, told, seen)


def confirmed(link: Any, there: Mapping[str, Any] | None) -> dict[str, Any]:
    """What both sides agree on, with what we were writing when no answer came and which stands there all the same."""
    told, saying = dict(link.told), dict(link.saying or {})
    arrived = {name: said for name, said in saying.items() if there is not None and fates.holds(there.get(name), said)}
    return {**told, **arrived}


def in_our_type(ours: str, value: Any) -> Any:
    """The CRM's value in the type of ours; one that does not fit stays a text."""
    known = field_of(ours)
    if known is None or fates.empty(value):
        return value
    if known.type == "choices" and not isinstance(value, list | tuple):
        return [one.strip() for one in str(value).replace(";", ",").split(",") if one.strip()]
    if known.type in _TYPES:
        fitted, wrong = fates.fitting(value, RemoteField(ours, ours, _TYPES[known.type]))
        return value if wrong else fitted
    return list(value) if isinstance(value, tuple) else value


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Names whose values mean something else."""
    for name in {**before, **after}:
        if not fates.same(before.get(name), after.get(name)):
            yield name


def _news(mapped: Mapped, value: Any, ours: Value | None) -> News | None:
    """None where we say the same already."""
    if fates.empty(value):
        return News(mapped, None)
    said = in_our_type(mapped.ours, fates.back(mapped, value))
    if ours is not None and fates.holds(value, fates.translated(mapped, ours.value)):
        return None
    return News(mapped, value, said, stands=ours is not None and ours.origin == HUMAN)


def _is_older(seen: str | None, said_at: datetime) -> bool:
    return seen is not None and said_at < datetime.fromisoformat(seen)
