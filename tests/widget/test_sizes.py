"""What browsers load stays small, is compressed beforehand and named by what is in it; a page hardly feels the chat."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.widget.conftest import NODE, WIDGET
from tests.widget.double import Double

BUDGET = {
    "loader": 2000,
    "pinned": 2000,
    "greet": 4500,
    "inline": 1000,
    "panel": 15_000,
    "booking": 6000,
    "lang-de": 1500,
    "lang-fr": 1500,
    "lang-es": 1500,
}  # bytes, brotli

PAGE = "<!doctype html><title>Acme</title><body><h1>Acme</h1>" + "<p>A paragraph that can be read.</p>" * 60
SEEN = """(async () => {
  const tag = document.querySelector("script");
  while (tag && !document.querySelector("usher-chat")?.shadowRoot.firstChild) await new Promise(requestAnimationFrame);
  while (performance.now() < 1500) await new Promise((done) => setTimeout(done, 50)); // its playbook's moment
  let shift = 0;
  const add = (list) => list.getEntries().forEach((it) => (shift += it.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  await new Promise((done) => setTimeout(done));
  const inside = (it) => [...it.childNodes, ...(it.shadowRoot ? [it.shadowRoot] : [])];
  const nodes = (it) => inside(it).reduce((sum, child) => sum + nodes(child), 1);
  const stored = localStorage.length + sessionStorage.length + document.cookie.length;
  return { shift, stored, nodes: nodes(document) };
})()"""
UNPACK = "process.stdout.write(zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])))"


@pytest.fixture
def manifest(built: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((built / "assets" / "manifest.json").read_text())
    return found


@pytest.mark.parametrize("name", BUDGET)
def test_each_file_keeps_its_budget(built: Path, manifest: dict[str, Any], name: str) -> None:
    size = (built / "assets" / (manifest[name]["file"] + ".br")).stat().st_size
    assert 0 < size <= BUDGET[name]
    assert size == manifest[name]["br"]


@pytest.mark.parametrize("name", BUDGET)
def test_compressed_files_hold_the_same_and_the_integrity_hash_is_right(
    built: Path, manifest: dict[str, Any], name: str
) -> None:
    file = built / "assets" / manifest[name]["file"]
    code = file.read_bytes()
    assert subprocess.run([NODE, "-e", UNPACK, str(file) + ".br"], check=True, capture_output=True).stdout == code
    assert gzip.decompress(file.with_name(file.name + ".gz").read_bytes()) == code
    assert manifest[name]["sri"] == "sha384-" + base64.b64encode(hashlib.sha384(code).digest()).decode()


LOADS = {
    "pinned": {"greet"},
    "greet": {"panel", "inline"},
    "panel": {"booking", "lang-de", "lang-fr", "lang-es"},
    "loader": set(),
}


@pytest.mark.parametrize("name", LOADS)
def test_each_file_knows_the_integrity_of_those_it_loads(built: Path, manifest: dict[str, Any], name: str) -> None:
    code = (built / "assets" / manifest[name]["file"]).read_text()
    assert {part for part, entry in manifest.items() if entry["pin"] in code} == LOADS[name]
    assert "pin:" not in code


def test_all_files_of_a_build_share_its_hash(manifest: dict[str, Any]) -> None:
    hashes = {entry["file"].removeprefix(f"{name}-") for name, entry in manifest.items()}
    assert len(hashes) == 1


def test_earlier_builds_stay_but_not_for_ever(tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    for at in range(12):
        for file in (f"pinned-{at:010x}.js", f"panel-{at:010x}.js.br"):
            (assets / file).write_text("//")
            os.utime(assets / file, (at, at))
    subprocess.run([NODE, str(WIDGET / "build.mjs"), str(tmp_path)], check=True, capture_output=True)
    kept = {file.name for file in assets.iterdir()}
    assert {file for file in kept if "00000" in file} == {
        name for at in range(3, 12) for name in (f"pinned-{at:010x}.js", f"panel-{at:010x}.js.br")
    }
    assert set(entry["file"] for entry in json.loads((assets / "manifest.json").read_text()).values()) <= kept


@pytest.mark.browser
def test_page_with_a_chat_costs_next_to_nothing_more_than_the_page_alone(
    visit: Callable[..., Page], double: Double
) -> None:
    """Before anybody touches it: requests, DOM nodes, heap after collection, shifts of the layout, storage, sockets."""
    double.pages["alone"] = PAGE, {}
    double.pages["chat"] = PAGE + f'<script async src="{double.usher}/w.js" data-site="acme"></script>', {}
    alone, chat = (cost(visit(path, wait=False)) for path in ("alone", "chat"))
    added = {name: chat[name] - alone[name] for name in alone}
    assert double.requests == ["/w.js", "/v1/sites/acme/config"]  # no socket among them
    assert 0 < added["nodes"] <= 8, added
    assert added["shift"] == added["stored"] == 0, added
    assert 0 < added["heap"] <= 150_000, added


def cost(page: Page) -> dict[str, float]:
    """By the debugger alone: what playwright puts into a page to find elements would be counted too."""
    cdp = page.context.new_cdp_session(page)
    seen = cdp.send("Runtime.evaluate", {"expression": SEEN, "awaitPromise": True, "returnByValue": True})
    heaps = []
    for _ in range(3):
        cdp.send("HeapProfiler.collectGarbage")
        heaps.append(cdp.send("Runtime.getHeapUsage")["usedSize"])
    return {"heap": min(heaps), **seen["result"]["value"]}


def test_console_gets_its_scripts(built: Path) -> None:
    assert b"htmx" in (built / "console" / "htmx.min.js").read_bytes()
    assert b"Idiomorph" in (built / "console" / "idiomorph-ext.min.js").read_bytes()


def test_lock_file_names_no_registry_and_every_package_has_a_hash() -> None:
    lock = json.loads((WIDGET / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert not [name for name, package in packages.items() if not package.get("integrity")]
