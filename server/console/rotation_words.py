"""How pools, turns and picks are said on the pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from flask import url_for
from markupsafe import Markup, escape

from server.console import glass, here
from server.routing.schema import Pool
from server.routing.service import Share
from server.routing.team import Credit

POLICIES = {
    "balanced": "Balanced: of those who are free, whoever is furthest below their share gets the meeting.",
    "availability": "By availability: of those who are free, the highest priority, then whoever has waited longest.",
    "strict": "Strict: only the times of whoever is next in turn are offered.",
}
PERIODS = {"day": "day", "week": "week, from Monday", "month": "calendar month", "quarter": "quarter"}
KINDS = {
    "assigned": ("Given", "info"),
    "reassigned_to": ("Taken over", "info"),
    "reassigned_away": ("Handed on", ""),
    "released": ("Hold came to nothing", "plain"),
    "cancelled": ("Back: cancelled", "good"),
    "no_show": ("Back: no-show", "good"),
    "disqualified": ("Back: no fit", "good"),
    "calibration": ("By hand", "warn"),
    "joined": ("Joined", "mine"),
    "left": ("Left", "plain"),
}
_STAMPS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?: to (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?")
_BUSY = re.compile(r"not free: (the buffer meets )?(meeting |the calendar|time of their own|out of office)")
_MEETING = re.compile(r"\bmeeting (mtg_[0-9a-z]{26})\b")


def policy(pool: Pool) -> str:
    """By which rule the next one is chosen."""
    lead = f" Nobody gets {pool.max_lead} or more ahead of the lowest count." if pool.max_lead else ""
    return POLICIES[pool.policy] + lead


def period(pool: Pool, since: datetime) -> str:
    """Which meetings count."""
    if pool.period == "rolling":
        return f"Counted over the last {pool.rolling_days} days, in {pool.zone}."
    return f"Counted by {PERIODS[pool.period]} in {pool.zone}; this one since {glass.day(since, pool.zone)}."


def credit(rules: Credit) -> str:
    """When a turn comes back."""
    late = rules.late_cancel_minutes
    cancelled = "is cancelled" + (f" (not by the visitor within {_length(late)} before it)" if late else "")
    reasons = [
        text
        for given, text in (
            (rules.cancelled, cancelled),
            (rules.no_show, "is a no-show"),
            (rules.disqualified, "was with a lead that is disqualified"),
        )
        if given
    ]
    return f"A turn comes back when its meeting {_listed(reasons)}." if reasons else "A turn never comes back."


def number(value: Fraction | str | None) -> Markup:
    """A count as people read it; hovering shows the exact fraction."""
    if value is None:
        return Markup("–")
    exact = Fraction(value)
    if exact.denominator == 1:
        return escape(signed_minus(str(exact.numerator)))
    short = signed_minus(f"{float(exact):.2f}".rstrip("0").rstrip("."))
    return Markup('<span title="exactly {}">{}</span>').format(signed_minus(str(exact)), short)


def change(value: Fraction | str) -> Markup:
    """An amount of the ledger: with its sign."""
    return Markup("<span>{}{}</span>").format("+" if Fraction(value) > 0 else "", number(value))


def signed_minus(text: str) -> str:
    """A minus that is as wide as a plus."""
    return text.replace("-", "\N{MINUS SIGN}")


def distance(value: Fraction) -> Markup:
    """How far below or above the share."""
    if not value:
        return Markup("on it")
    return Markup("<span>{} {}</span>").format(number(abs(value)), "below" if value > 0 else "above")


def farthest(shares: Sequence[Share]) -> Fraction:
    """How far the one stands from the ideal share who stands farthest."""
    return max((abs(one.ideal - one.count) for one in shares), default=Fraction(0))


def told(text: str, zone: str, names: dict[str, str] | None = None, of: str = "") -> Markup:
    """A reason of a trace: moments in the zone, other meetings as links, the chosen rep by name. With what others
    (`of`) are busy is for those who look after all meetings."""
    if _BUSY.match(text) and of != here.user().rep and not here.may("see_all_meetings"):
        text = "not free: busy"
    for rep, name in (names or {}).items():
        found = re.search(rf"(?:^|(?<= as )){re.escape(rep)}(?=[ ,])", text)
        text = f"{text[: found.start()]}{name}{text[found.end() :]}" if found else text
    text = str(escape(text))
    text = _STAMPS.sub(lambda found: _span(found[1], found[2], zone), text)
    return Markup(_MEETING.sub(lambda found: _link(found[1]), text))  # noqa: S704 (escaped above)


def _span(start: str, end: str | None, zone: str) -> str:
    first = datetime.fromisoformat(start)
    if end is None:
        return glass.moment(first, zone)
    last = datetime.fromisoformat(end)
    same = glass.day(first, zone) == glass.day(last, zone)
    return f"{glass.moment(first, zone)} – {glass.time(last, zone) if same else glass.moment(last, zone)}"


def _link(meeting_id: str) -> str:
    if not here.may("see_all_meetings"):
        return "another meeting"
    return f'<a href="{escape(url_for("console.meetings.show", meeting_id=meeting_id))}">another meeting</a>'


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _length(minutes: int) -> str:
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise ValueError(minutes)
