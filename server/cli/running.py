"""Commands that run the server, and look at how it is."""

from __future__ import annotations

import os
import sys

import click

from server import settings
from server.cli import doctor
from server.cli.terminal import out


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; more than one needs PostgreSQL.",
)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the widget, the chat and the console; the outbox worker runs inside."""
    settings.get()  # a setting that makes no sense is told here, in one sentence
    asked = ["--host", host, "--port", str(port), "--workers", str(workers)]
    os.execv(sys.executable, [sys.executable, "-m", "server.serve", *asked])  # noqa: S606 - ourselves, with gevent first


@click.command()
def worker() -> None:
    """Run one more worker for reactions and deliveries."""
    settings.get()
    os.execv(sys.executable, [sys.executable, "-m", "server.work"])  # noqa: S606 - ourselves, with logging set up


@click.command("doctor")
def examine() -> int:
    """Say what is configured, reachable and missing."""
    findings = doctor.examine(settings.get())
    for finding in findings:
        out.print(f"{finding.mark} {finding.what}: {finding.says}", markup=False)
    return 1 if any(finding.is_fault for finding in findings) else 0


COMMANDS = (serve, worker, examine)
