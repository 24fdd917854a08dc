"""A slow second opinion on open slots: walks every minute, reads the local clock, shares nothing with the product."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Unclear(Exception):
    """The working block began before the oracle's horizon, so its grid is not known to it."""


def slots(problem: dict[str, Any], lookback_days: int = 9) -> dict[str, list[str]]:
    """Open slots and who can take them: {ISO start: [ids]}."""
    start, end = at(problem["range"]["start"]), at(problem["range"]["end"])
    rule = problem.get("first_of_day")
    able: dict[datetime, list[str]] = {}
    for rep in problem["reps"]:
        for slot in rep_slots(problem, rep, start - timedelta(hours=27 if rule else 0), end, lookback_days):
            able.setdefault(slot, []).append(rep["id"])
    needed = len(problem["reps"]) if problem["assignment"] == "collective" else 1
    found = {slot: able[slot] for slot in sorted(able) if len(able[slot]) >= needed}
    if rule:
        found = {slot: reps for slot, reps in found.items() if earlier_that_day(rule, slot, found) < rule["count"]}
    return {slot.strftime("%Y-%m-%dT%H:%M:%SZ"): reps for slot, reps in found.items() if slot >= start}


def earlier_that_day(rule: dict[str, Any], slot: datetime, opened: Iterable[datetime]) -> int:
    zone = ZoneInfo(rule["time_zone"])
    day = slot.astimezone(zone).date()
    return sum(other < slot and other.astimezone(zone).date() == day for other in opened)


def reason(problem: dict[str, Any], rep: dict[str, Any], start: datetime) -> str:
    """The first rule that forbids this rep this start, "free" when none does; limits and first times of a day last."""
    meeting, now = problem["meeting"], at(problem["now"])
    end = start + timedelta(minutes=meeting["duration_min"])
    before, after = (timedelta(minutes=meeting.get(f"buffer_{side}_min", 0)) for side in ("before", "after"))
    held = [(at(hold["start"]), at(hold["end"])) for hold in rep.get("holds", []) if at(hold["expires"]) > now]
    busy = taken(rep | {"holds": []}, now)
    since = began(rep, start)
    elapsed = (start - since) / timedelta(minutes=meeting["step_min"]) if since else 0
    rules = {
        "window": in_window(problem.get("window"), now, start),
        "notice": start >= now + timedelta(minutes=meeting.get("min_notice_min", 0)),
        "outside_hours": since is not None and all(works(rep, minute) for minute in minutes(start, end)),
        "off_grid": elapsed == int(elapsed),
        "busy": not meets(busy, start, end),
        "hold": not meets(held, start - before, end + after),
        "buffer": not meets(busy, start - before, end + after),
        "limit": below_limits(rep, start, meeting),
    }
    return next((name for name, kept in rules.items() if not kept), "free")


def minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    minute = start.replace(second=0)
    while minute < end:
        yield minute
        minute += MINUTE


def began(rep: dict[str, Any], start: datetime, lookback_days: int = 9) -> datetime | None:
    """When the working block around a moment began, None outside of one."""
    minute = start.replace(second=0, microsecond=0)
    if not works(rep, minute):
        return None
    while works(rep, minute - MINUTE):
        minute -= MINUTE
        if start - minute > timedelta(days=lookback_days):
            raise Unclear
    return minute


def rep_slots(problem: dict, rep: dict, start: datetime, end: datetime, lookback_days: int) -> list[datetime]:
    length = timedelta(minutes=problem["meeting"]["duration_min"])
    minute = start.replace(second=0, microsecond=0)
    found, since = [], began(rep, minute, lookback_days)
    working = since is not None
    while minute < end + length + MINUTE:
        if works(rep, minute):
            since = since if working and since else minute
            working = True
            begin = minute + MINUTE - length
            elapsed = (begin - since) / timedelta(minutes=problem["meeting"]["step_min"])
            on_grid = begin >= since and elapsed == int(elapsed)
            if on_grid and start <= begin < end and takes(problem, rep, begin, begin + length):
                found.append(begin)
        else:
            working = False
        minute += MINUTE
    return found


def works(rep: dict, minute: datetime) -> bool:
    for zone in {rep["time_zone"], *(trip["time_zone"] for trip in rep.get("travel", []))}:
        local = minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for day in (local.date(), local.date() - timedelta(days=1)):
            if zone_on(rep, day) == zone and any(covers(rep, day, span, local, minute) for span in hours_on(rep, day)):
                return True
    return False


def covers(rep: dict, day: date, span: dict, local: datetime, minute: datetime) -> bool:
    begin = datetime.combine(day, datetime.min.time()) + clock(span["start"])
    finish = datetime.combine(day, datetime.min.time()) + clock(span["end"])
    if finish <= begin:
        finish += timedelta(days=1)
    if not begin <= local < finish:
        return False
    tomorrow = day + timedelta(days=1)
    if any(entry["date"] == tomorrow.isoformat() for entry in rep.get("overrides", [])):
        return minute.astimezone(ZoneInfo(zone_on(rep, tomorrow))).date() < tomorrow
    return True


def hours_on(rep: dict, day: date) -> list[dict]:
    own = [entry for entry in rep.get("overrides", []) if entry["date"] == day.isoformat()]
    if own:
        return [span for entry in own for span in entry["hours"]]
    return [rule for rule in rep["working_hours"] if DAYS[day.weekday()] in rule["days"]]


def zone_on(rep: dict, day: date) -> str:
    for trip in rep.get("travel", []):
        if trip["from"] <= day.isoformat() <= trip["to"]:
            return trip["time_zone"]
    return rep["time_zone"]


def takes(problem: dict, rep: dict, begin: datetime, finish: datetime) -> bool:
    meeting, now = problem["meeting"], at(problem["now"])
    if begin < now + timedelta(minutes=meeting.get("min_notice_min", 0)):
        return False
    if not in_window(problem.get("window"), now, begin):
        return False
    first = begin - timedelta(minutes=meeting.get("buffer_before_min", 0))
    last = finish + timedelta(minutes=meeting.get("buffer_after_min", 0))
    return not meets(taken(rep, now), first, last) and below_limits(rep, begin, meeting)


def meets(spans: Iterable[tuple[datetime, datetime]], first: datetime, last: datetime) -> bool:
    return any(s < e and s < last and first < e for s, e in spans)


def taken(rep: dict, now: datetime) -> list[tuple[datetime, datetime]]:
    spans = [(at(s), at(e)) for s, e in (*rep.get("busy", []), *rep.get("bookings", []))]
    spans += [(at(hold["start"]), at(hold["end"])) for hold in rep.get("holds", []) if at(hold["expires"]) > now]
    for event in rep.get("busy_all_day", []):
        if event.get("show_as") != "free":
            first = date.fromisoformat(event["date"])
            last = date.fromisoformat(event.get("end_date", (first + timedelta(days=1)).isoformat()))
            zone = ZoneInfo(event["time_zone"])
            spans.append((midnight(first, zone), midnight(last, zone)))
    return spans


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """First minute whose local date is `day` or later, found by walking."""
    minute = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=27)
    while minute.astimezone(zone).date() < day:
        minute += MINUTE
    return minute


def below_limits(rep: dict, begin: datetime, meeting: dict) -> bool:
    zone = ZoneInfo(rep["time_zone"])
    day = begin.astimezone(zone).date()
    dates = [at(start).astimezone(zone).date() for start, _ in rep.get("bookings", [])]
    same_week = [one for one in dates if one.isocalendar()[:2] == day.isocalendar()[:2]]
    per_day, per_week = (min(of.get(key, 10**9) for of in (rep, meeting)) for key in ("max_per_day", "max_per_week"))
    return dates.count(day) < per_day and len(same_week) < per_week


def in_window(window: dict | None, now: datetime, begin: datetime) -> bool:
    if window is None:
        return True
    day = begin.astimezone(ZoneInfo(window["time_zone"])).date()
    if window["kind"] == "dates":
        return window["from"] <= day.isoformat() <= window["to"]
    return day <= now.astimezone(ZoneInfo(window["time_zone"])).date() + timedelta(days=window["days"])


def clock(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
