"""What a page feels of the chat before anybody touches it, beside the page alone and a floor that only draws a button.

Run: python bench/page_cost.py [runs]. Chromium with the CPU slowed down four times and the cache off, a fresh profile
for every run, the three pages taking turns; medians. `floor.js` is a prototype of this bench's own. Never fails. Times
hold for the machine and what else it does; the other columns do not.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUNS, SLOWER, SETTLED_MS = 5, 4, 2500
TEXT = "Acme counts what matters, in one place, for everybody who decides. " * 6
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Acme</title><body><h1>Acme</h1>'
    + "".join(f"<h2>Section {n}</h2><p>{TEXT}</p><p>{TEXT}</p>" for n in range(12))
    + "{tag}</body></html>"
)
TAGS = {
    "page alone": '<button id="alone">Chat</button>',
    "floor": '<script async src="/floor.js"></script>',
    "Usher": '<script async src="{usher}/w.js" data-site="acme"></script>',
}
LAUNCHERS = {"page alone": "#alone", "floor": "bench-floor", "Usher": "usher-chat"}
# Measured on 2026-11-21 on local copies in the same way: KB, launcher ms and blocking ms added to the page alone.
OTHERS = {
    "Cal button (no chat)": (14.9, 167, 1),
    "Papercups": (101.8, 916, 319),
    "Typebot": (160.6, 578, 180),
    "Chatwoot 4.2": (362.9, 1054, 365),
    "Rocket.Chat 1.13": (372.3, 1712, 765),
    "n8n chat 1.37": (471.2, 1243, 839),
}
WATCH = """(selector) => {
  const seen = (window.seen = { launcher: null, shift: 0, blocking: 0 });
  const look = () => {
    const it = document.querySelector(selector);
    const drawn = it?.shadowRoot ? it.shadowRoot.querySelector("button") : it;
    if (drawn?.getBoundingClientRect().width > 4) seen.launcher = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  const watch = (type, use) =>
    new PerformanceObserver((all) => all.getEntries().forEach(use)).observe({ type, buffered: true });
  watch("layout-shift", (it) => (seen.shift += it.value));
  watch("longtask", (it) => (seen.blocking += Math.max(0, it.duration - 50)));
}"""
COLUMNS = (
    "requests", "KB", "launcher ms", "script ms", "blocking ms", "heap KB", "nodes", "listeners", "sockets", "CLS",
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    files()
    with serving() as (usher, site):
        config_size(usher, site)  # the first answer takes a server longer than all that follow
        found: dict[str, list[dict[str, float]]] = {name: [] for name in TAGS}
        for _ in range(runs):
            for number, name in enumerate(TAGS):
                found[name].append(visit(f"{site}/{number}", LAUNCHERS[name]))
    table(found, runs)
    others()


def files() -> None:
    """The bytes of every file that was built."""
    from rich.console import Console
    from rich.table import Table

    from server import built

    shown = Table("file", "brotli", "gzip", "raw")
    for name, entry in built.manifest().items():
        shown.add_row(name, *(f"{entry[kind]:,}" for kind in ("br", "gz", "raw")))
    Console().print(shown)


def config_size(usher: str, site: str) -> None:
    """The bytes of the config as they are sent."""
    import requests

    answer = requests.get(f"{usher}/v1/sites/acme/config", headers={"Origin": site}, stream=True, timeout=10)
    packed = len(answer.raw.read(decode_content=False))
    print(f"config of the sample site, as sent: {packed:,} bytes, {answer.headers['Content-Encoding']}")


@contextmanager
def serving() -> Iterator[tuple[str, str]]:
    """The real app on a fresh database with the sample site, and a website with the three pages; their origins."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"USHER_SECRET_KEY": "only for this bench", "USHER_DATABASE_URL": f"sqlite:///{folder}/bench.db"}
        address: dict[str, str] = {}
        site = make_server("127.0.0.1", 0, website(address), threaded=True)
        address["site"] = f"http://localhost:{site.port}"
        usher = make_server("127.0.0.1", 0, app(address["site"]), threaded=True)
        address["usher"] = f"http://127.0.0.1:{usher.port}"
        for server in (site, usher):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address["usher"], address["site"]
        site.shutdown()
        usher.shutdown()


def app(origin: str) -> Any:
    """Usher with the sample site, which `origin` may show."""
    from server import settings
    from server.app import create_app
    from server.config import folder
    from server.config import service as config
    from server.db import Database, migrate
    from server.sections import SECTIONS

    settings.get.cache_clear()
    db = Database(settings.get().database_url)
    migrate.upgrade_or_exit(db)
    files = folder.load(ROOT / "server" / "sample")
    files["site.yml"] = files["site.yml"].replace("http://localhost:8010", origin)
    config.apply(db, files, author="bench", sections=SECTIONS)
    return create_app(db)


def website(address: dict[str, str]) -> Any:
    """`/0`, `/1` and `/2` are the page with each of the tags."""
    from flask import Flask, Response

    site = Flask("website")
    tags = list(TAGS.values())
    floor = (ROOT / "bench" / "floor.js").read_text()

    @site.get("/<int:number>")
    def page(number: int) -> str:
        return PAGE.replace("{tag}", tags[number].format(**address))

    @site.get("/floor.js")
    def script() -> Response:
        return Response(floor, mimetype="text/javascript")

    return site


def visit(url: str, launcher: str) -> dict[str, float]:
    """One visit with a profile of its own; nobody touches the page."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("USHER_TEST_CHROMIUM") or "/usr/bin/chromium"
    flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=path if Path(path).exists() else None, args=flags
        )
        try:
            return measure(context, url, launcher)
        finally:
            context.close()


def measure(context: Any, url: str, launcher: str) -> dict[str, float]:
    page = context.pages[0]
    cdp = context.new_cdp_session(page)
    seen = {"requests": 0.0, "bytes": 0.0, "sockets": 0.0}

    def count(what: str, of: Any) -> None:
        seen[what] += of

    cdp.on("Network.requestWillBeSent", lambda event: count("requests", not event["request"]["url"].endswith(".ico")))
    cdp.on("Network.loadingFinished", lambda event: count("bytes", event["encodedDataLength"]))
    cdp.on("Network.webSocketCreated", lambda event: count("sockets", 1))
    for method, parameters in (
        ("Network.enable", {}),
        ("Network.setCacheDisabled", {"cacheDisabled": True}),
        ("Performance.enable", {"timeDomain": "timeTicks"}),
        ("Emulation.setCPUThrottlingRate", {"rate": SLOWER}),
    ):
        cdp.send(method, parameters)
    page.add_init_script(f"({WATCH})({json.dumps(launcher)})")
    page.goto(url)
    page.wait_for_timeout(SETTLED_MS)  # asking the page meanwhile would cost it time, too
    metrics = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    page.wait_for_function("seen.launcher")
    told = page.evaluate("seen")
    for _ in range(2):
        cdp.send("HeapProfiler.collectGarbage")
    heap = cdp.send("Runtime.getHeapUsage")["usedSize"]
    return {
        "requests": seen["requests"],
        "KB": seen["bytes"] / 1000,
        "launcher ms": told["launcher"],
        "script ms": metrics["ScriptDuration"] * 1000,
        "blocking ms": told["blocking"],
        "heap KB": heap / 1000,
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
        "sockets": seen["sockets"],
        "CLS": told["shift"],
    }


def table(found: dict[str, list[dict[str, float]]], runs: int) -> None:
    """The page alone as it is, the others as what they add to it."""
    from rich.console import Console
    from rich.table import Table

    middle = {
        name: {key: statistics.median(one[key] for one in all_) for key in COLUMNS} for name, all_ in found.items()
    }
    alone = middle["page alone"]
    shown = Table("", *COLUMNS, title=f"CPU {SLOWER}x slower, medians of {runs} fresh profiles; + is what is added")
    shown.add_row("page alone", *(f"{alone[key]:,.1f}" for key in COLUMNS))
    for name in ("floor", "Usher"):
        shown.add_row(name, *(f"{middle[name][key] - alone[key]:+,.1f}" for key in COLUMNS))
    Console(width=150).print(shown)


def others() -> None:
    """What others were measured to add, for context."""
    from rich.console import Console
    from rich.table import Table

    shown = Table("added by", "KB", "launcher ms", "blocking ms", title="others, measured 2026-11-21 on local copies")
    for name, numbers in OTHERS.items():
        shown.add_row(name, *(f"+{number:,}" for number in numbers))
    Console().print(shown)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
