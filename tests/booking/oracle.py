"""A slow second opinion on open slots: walks every minute, reads the local clock, shares nothing with the product."""

from __future__ import annotations

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
    able: dict[datetime, list[str]] = {}
    for rep in problem["reps"]:
        for slot in rep_slots(problem, rep, start, end, lookback_days):
            able.setdefault(slot, []).append(rep["id"])
    needed = len(problem["reps"]) if problem["assignment"] == "collective" else 1
    found = {slot: reps for slot, reps in able.items() if len(reps) >= needed}
    return {slot.strftime("%Y-%m-%dT%H:%M:%SZ"): found[slot] for slot in sorted(found)}


def rep_slots(problem: dict, rep: dict, start: datetime, end: datetime, lookback_days: int) -> list[datetime]:
    length = timedelta(minutes=problem["meeting"]["duration_min"])
    minute = start.replace(second=0, microsecond=0) - timedelta(days=lookback_days)
    working, found, since = False, [], minute
    horizon = minute
    while minute < end + length + MINUTE:
        if works(rep, minute):
            since = since if working else minute
            working = True
            begin = minute + MINUTE - length
            elapsed = (begin - since) / timedelta(minutes=problem["meeting"]["step_min"])
            if begin >= since and elapsed == int(elapsed) and start <= begin < end:
                if since == horizon:
                    raise Unclear
                if takes(problem, rep, begin, begin + length):
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
    return not any(s < e and s < last and first < e for s, e in taken(rep, now)) and below_limits(rep, begin)


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


def below_limits(rep: dict, begin: datetime) -> bool:
    zone = ZoneInfo(rep["time_zone"])
    day = begin.astimezone(zone).date()
    dates = [at(start).astimezone(zone).date() for start, _ in rep.get("bookings", [])]
    same_week = [one for one in dates if one.isocalendar()[:2] == day.isocalendar()[:2]]
    per_day, per_week = rep.get("max_per_day", 10**9), rep.get("max_per_week", 10**9)
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
