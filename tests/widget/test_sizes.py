"""What browsers load stays small, is compressed beforehand and named by what is in it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.widget.conftest import NODE, WIDGET

BUDGET = {
    "loader": 2000,
    "greet": 3000,
    "panel": 15_000,
    "booking": 6000,
    "lang-de": 1500,
    "lang-fr": 1500,
    "lang-es": 1500,
}  # bytes, brotli

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


def test_parts_find_each_other_by_their_hashed_names(built: Path, manifest: dict[str, Any]) -> None:
    code = "".join((built / "assets" / manifest[name]["file"]).read_text() for name in ("panel", "greet", "booking"))
    imports = set(re.findall(r'import\("\./([^"]+)"\)', code))
    assert imports == {manifest[name]["file"] for name in ("booking", "lang-de", "lang-fr", "lang-es")}
    assert all(entry["file"].startswith(name + "-") for name, entry in manifest.items())


def test_console_gets_its_scripts(built: Path) -> None:
    assert b"htmx" in (built / "console" / "htmx.min.js").read_bytes()
    assert b"Idiomorph" in (built / "console" / "idiomorph-ext.min.js").read_bytes()


def test_lock_file_names_no_registry_and_every_package_has_a_hash() -> None:
    lock = json.loads((WIDGET / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert not [name for name, package in packages.items() if not package.get("integrity")]
