"""The server and the worker as processes: they start, refuse a taken port in one line, and stop when told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from server.db import Database, migrate
from server.outbox import service as outbox
from tests.processes import ROOT, answers, free_port, kill, wait_until

USHER = [sys.executable, "-c", "from server.cli import main; main()"]


@pytest.fixture
def start(tmp_path):
    """`start("serve", …)`: the command as a process of its own, ended with the test."""
    environment = {
        **os.environ,
        "USHER_DATABASE_URL": f"sqlite:///{tmp_path}/usher.db",
        "USHER_WORKER_POLL_SECONDS": "0.05",
        "PYTHONPATH": str(ROOT),
    }
    started = []

    def run(*arguments, **more):
        command = [*USHER, *map(str, arguments)]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        kill(process)
        process.communicate()


def test_it_serves_until_it_is_told_to_stop(start):
    port = free_port()
    server = start("serve", "--port", port)
    wait_until(lambda: answers(port), seconds=40, what="the server answering")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
        assert answer.status == 200
    server.send_signal(signal.SIGTERM)
    assert server.wait(10) == 0
    assert "Traceback" not in server.stderr.read()


def test_a_taken_port_is_one_line(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = start("serve", "--port", port)
        assert server.wait(40) == 1
    said = server.stderr.read()
    assert said.startswith(f"Port {port} of 127.0.0.1 cannot be used")
    assert said.count("\n") == 1


def test_several_processes_need_postgresql_and_it_says_so(start):
    server = start("serve", "--port", free_port(), "--workers", 2)
    assert server.wait(40) == 1
    assert server.stderr.read() == (
        "SQLite serves one process: use --workers 1, or set USHER_DATABASE_URL to a PostgreSQL database.\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("USHER_SMTP_PORT", "many"), ("USHER_MAIL_TO", "pigeon"), ("USHER_DATABASE_URL", "mysql://x")],
)
@pytest.mark.parametrize("command", [("versions",), ("serve", "--port", "1"), ("worker",)])
def test_a_setting_that_makes_no_sense_is_one_sentence(start, name, value, command):
    process = start(*command, **{name: value})
    assert process.wait(40) == 1
    said = process.stderr.read()
    assert name in said
    assert "Traceback" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("place", ["/proc/nowhere/usher.db", "{tmp}/no-database.db"])
@pytest.mark.parametrize("command", [("versions",), ("serve", "--port", "8999"), ("worker",)])
def test_a_place_that_cannot_hold_the_database_is_one_sentence(start, tmp_path, command, place):
    (tmp_path / "no-database.db").write_text("a shopping list " * 1000)
    process = start(*command, USHER_DATABASE_URL="sqlite:///" + place.format(tmp=tmp_path))
    assert process.wait(60) == 1
    said = process.stderr.read()
    assert "Traceback" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", [("versions",), ("serve", "--port", "8999"), ("worker",)])
def test_a_database_that_is_away_is_one_sentence(start, command):
    process = start(*command, USHER_DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/usher")
    assert process.wait(60) == 1
    said = process.stderr.read()
    assert said.startswith("The database does not answer")
    assert said.count("\n") == 1


def test_a_worker_of_its_own_delivers_and_stops(start, tmp_path):
    db = Database(f"sqlite:///{tmp_path}/usher.db")
    migrate.upgrade(db)
    with db.transaction() as tx:
        payload = {"mail": {"to": "ada@globex.example", "subject": "hi", "text": "hi"}}
        outbox.queue(tx, site_id="sit_gone", kind="notify", operation="send_mail", payload=payload, key="one")
    worker = start("worker")

    def tried():
        with db.reading() as tx:
            return outbox.by_key(tx, "one").attempts

    wait_until(tried, seconds=40, what="the delivery being tried")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 0
    db.close()
