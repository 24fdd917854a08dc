"""Fills the demo's data folder: site folder applied, people who may sign in, calendars that are not empty.

Run by demo/run.py as `python -m demo.prepare FOLDER ORIGIN…` with USHER_* set; prints the owner's sign-in as JSON.
Twice is once: what is there is kept, so the owner's edits of FOLDER/site and all bookings stay.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from server import clock, ids, settings
from server.booking import service as booking
from server.config import folder
from server.config import service as config
from server.config.service import Version
from server.db import Database, migrate
from server.errors import UsherError
from server.events import Actor
from server.people import service as people
from server.routing.team import Rep, Team
from server.sections import SECTIONS

SAMPLE = Path(__file__).resolve().parent.parent / "server" / "sample"
OWNER = {"email": "owner@acme.example", "name": "Ida Owner", "role": "owner", "rep": ""}
BUSY = ((9, 60, "Team meeting"), (11, 90, "Customer visit"), (14, 60, "Pipeline review"), (15, 120, "Training"))
OTHERS = (
    {"email": "marketing@acme.example", "name": "Mary Marketing", "role": "marketing", "rep": ""},
    {"email": "lead@acme.example", "name": "Susan Supervisor", "role": "supervisor", "rep": ""},
    {"email": "grace@acme.example", "name": "Grace Hopper", "role": "rep", "rep": "grace"},
    {"email": "linus@acme.example", "name": "Linus Pauling", "role": "rep", "rep": "linus"},
    {"email": "margaret@acme.example", "name": "Margaret Hamilton", "role": "rep", "rep": "margaret"},
    {"email": "dennis@acme.example", "name": "Dennis Ritchie", "role": "rep", "rep": "dennis"},
    {"email": "joan@acme.example", "name": "Joan Clarke", "role": "rep", "rep": "joan"},
)


def main() -> None:
    """Prepare; one sentence on stderr and exit 1 when something is wrong."""
    data, origins = Path(sys.argv[1]), sys.argv[2:]
    try:
        print(json.dumps(prepare(data, origins)))
    except UsherError as error:
        sys.exit(f"{data / 'site'} cannot be used:\n{error.message}")


def prepare(data: Path, origins: list[str]) -> dict[str, str]:
    """Everything; the owner's e-mail and password."""
    of = settings.get()
    of.mailbox_dir.mkdir(parents=True, exist_ok=True)
    ids.use_key(of.key())
    db = Database(of.database_url)
    migrate.upgrade(db)
    files = site_folder(data / "site", origins)
    version = config.apply(db, files, author="make demo", note="demo", sections=SECTIONS)
    fill_calendars(db, version)
    passwords = add_people(db, data / "sign-in.json")
    db.close()
    return {"email": OWNER["email"], "password": passwords[OWNER["email"]]}


def site_folder(path: Path, origins: list[str]) -> folder.Files:
    """The files of `path`, a copy of the sample at first, allowing the demo's own pages to show the chat."""
    if not path.exists():
        shutil.copytree(SAMPLE, path)
    files = folder.load(path)
    listed = "origins:\n" + "".join(f"  - {origin}\n" for origin in origins)
    files["site.yml"] = re.sub(r"(?m)^origins:.*\n(?:  - .*\n)*", listed, files["site.yml"])
    folder.write({"site.yml": files["site.yml"]}, path)
    return files


def add_people(db: Database, keep: Path) -> dict[str, str]:
    """The demo's users, each with a password made once and kept in a file only this user can read."""
    known: dict[str, str] = json.loads(keep.read_text()) if keep.exists() else {}
    with db.reading() as tx:
        there = {user.email for user in people.everybody(tx)}
    for person in (OWNER, *OTHERS):
        if person["email"] not in there:
            known[person["email"]] = _add(db, person)
    keep.touch(mode=0o600)
    keep.write_text(json.dumps(known, indent=2) + "\n")
    return known


def fill_calendars(db: Database, version: Version) -> None:
    """A few hours a week in which the reps are busy, for two weeks; none is added while some lie ahead."""
    now = clock.now()
    with db.transaction() as tx:
        for rep in version.part(Team).reps:
            if not booking.own_times_of(tx, version.site_id, rep.id, now):
                for start, minutes, title in _busy(rep, now):
                    wanted = booking.OwnTime(
                        "blocked", rep.zone, start, start + timedelta(minutes=minutes), title=title
                    )
                    booking.add_own_time(tx, version.site_id, rep.id, wanted, by=Actor("system", "", "make demo"))


def _busy(rep: Rep, now: datetime) -> Iterator[tuple[datetime, int, str]]:
    """(start on the rep's clock, minutes, title), those ahead, spread so that no two calendars look alike."""
    today, zone = now.astimezone(ZoneInfo(rep.zone)).date(), ZoneInfo(rep.zone)
    spread = sum(map(ord, rep.id))
    for day in (today + timedelta(days=ahead) for ahead in range(14)):
        if day.weekday() < 5:
            hour, minutes, title = BUSY[(spread + day.toordinal()) % len(BUSY)]
            start = datetime.combine(day, time(hour))
            if start.replace(tzinfo=zone) > now:
                yield start, minutes, title


def _add(db: Database, person: dict[str, Any]) -> str:
    password = secrets.token_urlsafe(9)
    people.add(
        db,
        email=person["email"],
        name=person["name"],
        role=person["role"],
        rep=person["rep"] or None,
        password=password,
    )
    return password


if __name__ == "__main__":
    main()
