"""What looking companies up costs the first frame of a chat: nothing to look up (the reference), a file on this
machine, a service whose answer is kept, and one that has to be asked first.

Run: python -m bench.enrichment. CPU and wall time of `hello`, the least of five rounds. Prints; never fails.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from plugins.testing.fakes.pdl import KEY, PdlFake
from server import ids, settings
from server.config import folder
from server.config import service as config
from server.db import Database, migrate
from server.enrichment import sources
from server.playbooks import knowing
from server.playbooks import service as playbooks
from server.playbooks.hello import Hello
from server.sections import SECTIONS
from server.settings import ROOT

ROUNDS, HELLOS = 5, 40
PAGE = {"url": "http://localhost/pricing", "path": "/pricing", "title": "", "referrer": "", "query": {}, "utm": {}}


def main() -> None:
    """Measure and print."""
    table = Table("the first frame of a visitor", "CPU ms", "wall ms", "times the reference")
    with tempfile.TemporaryDirectory() as place, PdlFake() as fake:
        os.environ |= {
            "USHER_PRIVATE_HOSTS": "127.0.0.1", "USHER_ENRICHMENT_PDL_KEY": KEY,
            "USHER_ENRICHMENT_PDL_BASE_URL": fake.url,
        }  # fmt: skip
        settings.get.cache_clear()
        ids.use_key("a key for measuring only")
        for n in range(ROUNDS * HELLOS + 1):
            fake.addresses[_address(n)] = {"display_name": "Globex", "website": "globex.com", "confidence": "high"}
        fake.companies["globex.com"] = {"display_name": "Globex", "website": "globex.com", "likelihood": 9}
        cases = {
            "nobody knows addresses (the reference)": ("builtin", "10.0.0.1", False),
            "nobody knows addresses, public address": ("builtin", _address(0), False),
            "a service, private address": ("pdl", "10.0.0.1", False),
            "a service, answer kept": ("pdl", _address(0), False),
            "a service, asked each time": ("pdl", _address(1), True),
        }
        first = 0.0
        for name, (source, address, anew) in cases.items():
            db = _prepared(Path(place) / f"{len(table.rows)}.db", source)
            cpu, wall = _measured(db, address, anew)
            first = first or wall
            table.add_row(name, f"{cpu * 1e3:.2f}", f"{wall * 1e3:.2f}", f"{wall / first:.2f}")
            db.close()
    Console(width=120).print(table)


def _prepared(file: Path, source: str) -> Database:
    db = Database(f"sqlite:///{file}")
    migrate.upgrade(db)
    files = folder.load(ROOT / "server" / "sample")
    kept = [line for line in files["site.yml"].splitlines() if not line.startswith(("adapters:", "enrichment:"))]
    more = [f"adapters: {{enrichment: [{source}]}}", "enrichment: {daily_credits: 100000}"]
    files["site.yml"] = "\n".join([*kept, *more]) + "\n"
    version = config.apply(db, files, author="bench", sections=SECTIONS)
    knowing.warm_up(db, version)
    sources.look_again()
    return db


def _measured(db: Database, address: str, anew: bool) -> tuple[float, float]:
    """Seconds of CPU and by the wall for one hello."""
    _hello(db, address, 0)
    rounds = []
    for turn in range(ROUNDS):
        begun, cpu = time.perf_counter(), time.process_time()
        for n in range(HELLOS):
            number = turn * HELLOS + n + 1
            _hello(db, _address(number) if anew else address, number)
        rounds.append(((time.process_time() - cpu) / HELLOS, (time.perf_counter() - begun) / HELLOS))
    return min(one[0] for one in rounds), min(one[1] for one in rounds)


def _hello(db: Database, address: str, number: int) -> None:
    about = {"site": "acme", "seed": f"0.{number}", "page": PAGE, "device": "desktop", "locale": "en", "zone": ""}
    playbooks.open(db, Hello.from_frame(about, address=address))


def _address(number: int) -> str:
    return f"8.8.{number // 250}.{number % 250 + 1}"


if __name__ == "__main__":
    main()
