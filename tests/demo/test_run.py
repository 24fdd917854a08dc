"""`make demo`: starts with one command, says what is wrong in one line, and stops without a trace."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.source import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two ports nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_one_clear_line(taken_port: int, ports: tuple[int, int], tmp_path: Path):
    ran = subprocess.run(_demo(taken_port, ports[1], tmp_path), cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    advice = f"choose another: make demo PORT={taken_port + 100}"
    assert ran.stderr == f"Port {taken_port} cannot be used (address already in use); {advice}\n"


def test_a_taken_port_of_the_website_is_named_too(taken_port: int, ports: tuple[int, int], tmp_path: Path):
    ran = subprocess.run(_demo(ports[0], taken_port, tmp_path), cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "make demo SITE_PORT=" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_what_is_no_port_is_wrong_usage(tmp_path: Path):
    ran = subprocess.run(_demo("eighty", 1, tmp_path), cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "eighty is no port" in ran.stderr


@pytest.mark.parametrize("told", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_an_evaluator_starts_the_demo_twice_and_stops_it(told: signal.Signals, ports: tuple[int, int], tmp_path: Path):
    data = tmp_path / "a folder" / "demo-data"
    passwords = [_start_and_stop(told, ports, data) for _ in range(2)]
    assert passwords[0] == passwords[1]
    assert (data / "site" / "playbooks" / "pricing.yml").exists()
    for log in data.glob("*.log"):
        assert "Traceback" not in log.read_text()


def _start_and_stop(told: signal.Signals, ports: tuple[int, int], data: Path) -> str:
    """The password printed."""
    usher, site = ports
    running = subprocess.Popen(
        _demo(usher, site, data), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    said = ""
    assert running.stdout
    while "Ctrl-C stops it" not in said:
        line = running.stdout.readline()
        assert line, running.communicate()[1]
        said += line
    children = _children(running.pid)
    assert "Acme Analytics" in _read(f"http://127.0.0.1:{site}/")
    config = urllib.request.Request(
        f"http://127.0.0.1:{usher}/v1/sites/acme/config", headers={"Origin": f"http://127.0.0.1:{site}"}
    )
    assert '"site":"acme"' in _read(config).replace(" ", "")
    running.send_signal(told)
    _, complaints = running.communicate(timeout=30)
    assert (running.returncode, complaints) == (0, "")
    assert len(children) >= 2
    assert not [child for child in children if _is_alive(child)]
    found = re.search(r"owner@acme\.example\s+·\s+(\S+)", said)
    assert found
    return found[1]


def _demo(port: int | str, site_port: int, data: Path) -> list[str]:
    return [sys.executable, "-m", "demo.run", "--port", str(port), "--site-port", str(site_port), "--data", str(data)]


def _read(url: str | urllib.request.Request) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def _children(parent: int) -> list[int]:
    """Processes below `parent`, all generations."""
    pairs = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended since it was listed
            pairs.append((int(file.parent.name), int(file.read_text().rpartition(")")[2].split()[1])))
    found, level = [], {parent}
    while level:
        level = {pid for pid, above in pairs if above in level}
        found += level
    return sorted(found)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
