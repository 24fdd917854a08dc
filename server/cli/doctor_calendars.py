"""What `usher doctor` says about connected calendars: does the service answer, and who is out because his is silent."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.errors import ConfigError, PluginError
from server.adapters import connections
from server.adapters import service as adapters
from server.booking import service as booking
from server.booking.service import CalendarState
from server.cli.finding import Finding
from server.config import service as config
from server.config.service import Version
from server.db import Database

ANSWER_SECONDS = 5.0


def examine(db: Database) -> list[Finding]:
    """Site by site; nothing for those that keep calendars themselves."""
    found: list[Finding] = []
    for site in config.sites(db):
        version = config.version(db, site.active_version_id) if site.active_version_id else None
        if version is None:
            continue
        with db.reading() as tx:
            states = booking.calendar_states(tx, version)
            serving = connections.serving(tx, version, "calendar")
            name = serving.adapter if serving else ""
        if states:
            found += [_service(db, version, name)] if name else []  # else only reps have connected theirs
            found += [_all(site.key, states), *_odd(site.key, states)]
    return found


def _service(db: Database, version: Version, name: str) -> Finding:
    try:
        adapter = adapters.opened(db, version, "calendar", seconds=ANSWER_SECONDS)
    except ConfigError as problem:
        wrong = [f"USHER_{name.replace('.', '_').upper()}_{field.upper()} {why}" for field, why in problem.problems]
        standard = problem.user_message.startswith(problem.sentence)
        return Finding("FAULT", name, " ".join([problem.sentence if standard else problem.user_message, *wrong]))
    try:
        told = adapter.check()
    except PluginError as problem:
        return Finding("FAULT", name, problem.user_message)
    finally:
        adapter.close()
    if not told.ok:
        return Finding("FAULT", name, told.message)
    answers = f"answers as {told.account}"
    return (
        Finding("note", name, f"{answers}; {' '.join(told.warnings)}")
        if told.warnings
        else Finding("ok", name, answers)
    )


def _all(site: str, states: Sequence[CalendarState]) -> Finding:
    trusted = sum(not one.is_out for one in states)
    read = [one.read_at for one in states if one.read_at is not None]
    oldest = f", the oldest reading is of {min(read):%Y-%m-%d %H:%M} UTC" if read else ""
    return Finding(
        "ok" if trusted == len(states) else "note",
        f"{site} calendars",
        f"{trusted} of {len(states)} can be trusted{oldest}",
    )


def _odd(site: str, states: Sequence[CalendarState]) -> list[Finding]:
    found = []
    for one in states:
        if one.is_out:
            last = f"last read {one.read_at:%Y-%m-%d %H:%M} UTC" if one.read_at else "never read"
            mark = "note" if one.state == "unread" else "FAULT"
            says = f"{one.name} gets no meetings: {one.said.rstrip('.')} ({one.calendar}, {last})"
            found.append(Finding(mark, f"{site} {one.rep}", says))
        if one.not_followed:
            says = f"changes in the calendar of {one.name} are not noticed: {one.not_followed}"
            found.append(Finding("note", f"{site} {one.rep}", says))
    return found
