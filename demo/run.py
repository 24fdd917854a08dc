"""`make demo`: prepares demo-data/, starts Usher and the company website, and ends both when it is told to stop."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 10
_say = Console(highlight=False)


class CannotStart(Exception):
    """One sentence for the person at the keyboard."""


@dataclass(frozen=True)
class Ports:
    """Where the two servers listen; both on this machine only."""

    usher: int
    site: int

    @property
    def usher_url(self) -> str:
        return f"http://localhost:{self.usher}"

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self.site}"


@dataclass(frozen=True)
class Child:
    """A server that we started, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def has_ended(self) -> bool:
        return self.process.poll() is not None


def main() -> None:
    """`python -m demo.run --port 8000 --site-port 8010`; exit 1 with one line when it cannot start."""
    options = argparse.ArgumentParser(description="Start Usher and a sample company website.")
    options.add_argument("--port", type=_port, default=8000, help="Usher's port")
    options.add_argument("--site-port", type=_port, default=8010, help="the website's port")
    options.add_argument("--data", type=Path, default=Path("demo-data"), help="folder for everything that is kept")
    given = options.parse_args()
    stop = _stop_when_told()
    try:
        run(Ports(given.port, given.site_port), given.data.resolve(), stop)
    except CannotStart as problem:
        sys.exit(str(problem))


def run(ports: Ports, data: Path, stop: Event) -> None:
    """Everything, until `stop` is set or a server ends by itself. Raises CannotStart."""
    _refuse_taken(ports)
    data.mkdir(parents=True, exist_ok=True)
    environment = _environment(ports, data)
    _say.print(f"Preparing {data.name}/ …")
    sign_in = _prepare(ports, data, environment)
    children: list[Child] = []
    try:
        for name, command in _commands(ports, data).items():
            children.append(_start(name, command, data / f"{name}.log", environment))
        _wait_for(ports, children, stop)
        if not stop.is_set():
            _say.print(_box(ports, data, sign_in))
        while not stop.wait(0.5):
            _fail_if_ended(children)
    finally:
        _end(children)


def _stop_when_told() -> Event:
    stop = Event()

    def told(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, told)
    return stop


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port; a port is a number from 1 to 65535")
    return int(text)


def _refuse_taken(ports: Ports) -> None:
    if ports.usher == ports.site:
        raise CannotStart("Usher and the website need two ports: make demo PORT=8000 SITE_PORT=8010")
    for port, how in ((ports.usher, "PORT"), (ports.site, "SITE_PORT")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                reason = (error.strerror or "not allowed").lower()
                raise CannotStart(
                    f"Port {port} cannot be used ({reason}); choose another: make demo {how}={port + 100}"
                ) from None


def _environment(ports: Ports, data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
    return kept | {
        "USHER_DATABASE_URL": f"sqlite:///{data / 'usher.db'}",
        "USHER_PUBLIC_URL": ports.usher_url,
        "USHER_MAIL_TO": "mailbox",
        "USHER_MAILBOX_DIR": str(data / "mailbox"),
        "PYTHONUNBUFFERED": "1",
    }


def _prepare(ports: Ports, data: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Site folder, people and calendars; what to sign in with. In a process of its own, which reads the settings."""
    command = [sys.executable, "-m", "demo.prepare", str(data), ports.site_url, f"http://127.0.0.1:{ports.site}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise CannotStart(done.stderr.strip() or "The demo could not be prepared.")
    return dict(json.loads(done.stdout))


def _commands(ports: Ports, data: Path) -> dict[str, list[str]]:
    usher = [sys.executable, "-c", "from server.cli import main; main()"]
    mailbox = str(data / "mailbox")
    return {
        "usher": [*usher, "serve", "--port", str(ports.usher)],
        "site": [
            sys.executable,
            "-m",
            "demo.site",
            "--port",
            str(ports.site),
            "--usher",
            ports.usher_url,
            "--mailbox",
            mailbox,
        ],
    }


def _start(name: str, command: list[str], log: Path, environment: dict[str, str]) -> Child:
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches us alone, and we end the children in order.
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Child(name, process, log)


def _wait_for(ports: Ports, children: list[Child], stop: Event) -> None:
    until = time.monotonic() + START_SECONDS
    for url in (f"http://127.0.0.1:{ports.usher}/healthz", f"http://127.0.0.1:{ports.site}/"):
        while not _answers(url):
            _fail_if_ended(children)
            if time.monotonic() > until:
                raise CannotStart(f"{url} did not answer within {START_SECONDS} seconds; see {children[0].log}.")
            if stop.wait(0.1):
                return


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _fail_if_ended(children: list[Child]) -> None:
    for child in children:
        if child.has_ended():
            last = child.log.read_text(errors="replace").strip().splitlines()[-8:]
            raise CannotStart("\n".join([f"{child.name} ended by itself; its last lines ({child.log}):", *last]))


def _end(children: list[Child]) -> None:
    for child in children:
        if not child.has_ended():
            child.process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def _box(ports: Ports, data: Path, sign_in: dict[str, Any]) -> Panel:
    lines = Table.grid(padding=(0, 2))
    lines.add_row("Company website", ports.site_url)
    lines.add_row("Mails sent", f"{ports.site_url}/mail")
    lines.add_row("Usher's console", f"{ports.usher_url}/")
    lines.add_row("  sign in as", f"{sign_in['email']}  ·  {sign_in['password']}")
    lines.add_row("Site folder", f"{data.name}/site  (edit, then run make demo again)")
    lines.add_row("Logs", f"{data.name}/usher.log, {data.name}/site.log")
    return Panel(lines, title="Usher is running", subtitle="Ctrl-C stops it", expand=False, padding=(1, 2))


if __name__ == "__main__":
    main()
