"""Which of the offered times a visitor takes: "the second one", "Tuesday at 2", "the earliest"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, tzinfo

from plugins.ai import Option, PartOfDay, TimeWish
from plugins.ai.rules.options import placed, yes_or_no
from plugins.ai.rules.phrasebook import book, plain

_HOURS = {
    PartOfDay.MORNING: (6, 12),
    PartOfDay.NOON: (11, 14),
    PartOfDay.AFTERNOON: (12, 17),
    PartOfDay.EVENING: (17, 21),
}


def slot(
    folded: str, options: Sequence[Option], wishes: Sequence[TimeWish], zone: tzinfo | None
) -> tuple[datetime | None, bool]:
    """The start taken, in UTC; or None and whether several fit. Ids of `options` are ISO 8601 with offset."""
    starts = {option.id: _start(option.id) for option in options}
    words = plain(folded)
    keys = {hit.key for hit in book("choices").find(words)}
    fitting = [start for start in starts.values() if start and fits(start, wishes, zone)] if wishes else []
    if "earliest" in keys or "latest" in keys:
        among = sorted(fitting or [start for start in starts.values() if start])
        return (among[0 if "earliest" in keys else -1], False) if among else (None, False)
    place = placed(folded, len(options))
    said = starts.get(options[place].id) if place is not None else None
    if not wishes:
        return _without_time(words, starts, said, keys)
    if len(fitting) == 1 and (said is None or said == fitting[0] or len(words) > 1):
        return fitting[0], False
    if said is not None and (said in fitting or (len(words) == 1 and not fitting)):
        return said, False
    return None, len(fitting) > 1 or bool(fitting and said)


def fits(start: datetime, wishes: Sequence[TimeWish], zone: tzinfo | None) -> bool:
    """Whether a start meets one of the wishes and none of the refusals."""
    local = start.astimezone(zone)
    if any(_meets(local, wish) for wish in wishes if wish.negated):
        return False
    wanted = [wish for wish in wishes if not wish.negated]
    return not wanted or any(_meets(local, wish) for wish in wanted)


def _meets(local: datetime, wish: TimeWish) -> bool:
    day, clock = local.date(), local.time().replace(tzinfo=None)
    if (wish.first and day < wish.first) or (wish.last and day > wish.last):
        return False
    if wish.weekdays and day.weekday() not in wish.weekdays:
        return False
    if wish.part in _HOURS and not _HOURS[wish.part][0] <= clock.hour < _HOURS[wish.part][1]:
        return False
    if wish.at is not None and clock != wish.at:
        return False
    return not ((wish.not_before or time.min) > clock or clock > (wish.not_after or time.max))


def _without_time(
    words: list[str], starts: dict[str, datetime | None], said: datetime | None, keys: set[str]
) -> tuple[datetime | None, bool]:
    if said is not None:
        return said, False
    offered = [start for start in starts.values() if start]
    if offered and (("any" in keys and len(words) < 6) or (len(offered) == 1 and yes_or_no(words) == "yes")):
        return min(offered), False
    return None, yes_or_no(words) == "yes"


def _start(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
