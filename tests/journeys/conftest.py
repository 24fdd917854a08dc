"""A whole town for a journey: the sample site folder applied, Usher, the company website, and a real SMTP server."""

from __future__ import annotations

import email
import email.policy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, BrowserContext, Page

from server import settings
from server.config import folder
from server.config import service as config
from server.db import Database, migrate
from server.people import service as people
from server.sections import SECTIONS
from tests.processes import ROOT, free_port, kill, running, wait_until

# At the desk nothing moves, so that no press waits for a button to come to rest; on the phone everything does.
DESKTOP = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
ON_ONE = ["desktop", "phone"] if os.environ.get("USHER_SOAK") else ["phone"]
"""Devices for what is the same on each: one in every run, all in the long version."""
OWNER = ("owner@acme.example", "a long password for tests")
REPS = ("grace", "linus", "margaret", "dennis", "joan")


class Postbox:
    """What the SMTP server took, in order."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.content)
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        mails = [email.message_from_bytes(raw, EmailMessage, policy=email.policy.default) for raw in self.raw]
        return [mail for mail in mails if address in str(mail["To"])]

    def wait_for(self, address: str, count: int) -> list[EmailMessage]:
        wait_until(lambda: len(self.to(address)) >= count, what=f"mail number {count} to {address}")
        return self.to(address)


@dataclass
class Town:
    """Where everything is."""

    usher_url: str
    site_url: str
    environment: dict[str, str]
    postbox: Postbox
    port: int
    data: Path
    ends: ExitStack
    workers: int = 1
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def server(self) -> subprocess.Popen[bytes]:
        return self.servers[-1]

    def usher(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the command `usher`."""
        command = [sys.executable, "-c", "from server.cli import main; main()", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, **self.environment}, capture_output=True, text=True, **options
        )

    def kill_and_restart(self) -> None:
        """kill -9, then a new server on the same database."""
        kill(self.server)
        self.start()

    def start(self) -> None:
        serving = running("-m", "server.serve", *self._arguments(), port=self.port, environment=self.environment)
        self.servers.append(self.ends.enter_context(serving))

    def _arguments(self) -> list[str]:
        return ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)]


@pytest.fixture(scope="session")
def assets() -> Path:
    """The widget, built as `make assets` builds it, when it is not there yet."""
    built = settings.get().assets_dir
    if not (built / "manifest.json").is_file():
        subprocess.run(["node", "widget/build.mjs", str(built)], cwd=ROOT, check=True)
    return built


@contextmanager
def town_at(
    data: Path, edit: Callable[[folder.Files], None] | None = None, *, database_url: str = "", workers: int = 1
) -> Iterator[Town]:
    """A town in an empty folder; `edit` may change the sample site folder first."""
    postbox, port, site_port, smtp_port = Postbox(), free_port(), free_port(), free_port()
    environment = {
        "USHER_DATABASE_URL": database_url or f"sqlite:///{data}/usher.db",
        "USHER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "USHER_MAIL_TO": "smtp",
        "USHER_SMTP_PORT": str(smtp_port),
        "USHER_WORKER_POLL_SECONDS": "0.05",
        "PYTHONUNBUFFERED": "1",
    }
    smtp = Controller(postbox, hostname="127.0.0.1", port=smtp_port)
    with ExitStack() as ends:
        smtp.start()
        ends.callback(smtp.stop)
        urls = [f"http://127.0.0.1:{one}" for one in (port, site_port)]
        town = Town(urls[0], urls[1], environment, postbox, port, data, ends, workers)
        _settle(town, edit)
        site = ("-m", "demo.site", "--port", str(site_port), "--usher", town.usher_url, "--mailbox", str(data))
        ends.enter_context(running(*site, port=site_port))
        town.start()
        yield town


def _settle(town: Town, edit: Callable[[folder.Files], None] | None) -> None:
    files = folder.load(ROOT / "server" / "sample")
    files["site.yml"] = _with_origin(files["site.yml"], town.site_url)
    if edit:
        edit(files)
    folder.write(files, town.data / "site")
    db = Database(town.environment["USHER_DATABASE_URL"])
    migrate.upgrade(db)
    config.apply(db, files, author="journey", sections=SECTIONS)
    people.add(db, email=OWNER[0], name="Olga Owner", role="owner", password=OWNER[1])
    for rep in REPS:
        people.add(db, email=f"{rep}@acme.example", name=rep.title(), role="rep", rep=rep, password=OWNER[1])
    db.close()


def _with_origin(site: str, origin: str) -> str:
    lines = [line for line in site.splitlines() if not line.startswith("  - http")]
    at = next(n for n, line in enumerate(lines) if line.startswith("origins:"))
    return "\n".join([*lines[:at], "origins:", f"  - {origin}", *lines[at + 1 :]]) + "\n"


@pytest.fixture(scope="module")
def town(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_at(tmp_path_factory.mktemp("town")) as settled:
        yield settled


@pytest.fixture(params=["desktop", "phone"])
def device(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DESKTOP if request.param == "desktop" else PHONE


@pytest.fixture
def context(browser: Browser, device: dict[str, Any]) -> Iterator[BrowserContext]:
    opened = browser.new_context(**device, locale="en-GB", timezone_id="Europe/Berlin")
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
