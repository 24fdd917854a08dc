"""Commands that run the server and its workers."""

from __future__ import annotations

import os
import sys

import click

from server import settings


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


COMMANDS = (serve, worker)
