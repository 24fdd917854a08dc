"""The server process: gunicorn with gevent workers. Run as `python -m server.serve`, so that gevent patches first."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 - nothing may be imported before the patch
import contextlib  # noqa: E402
import json  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException  # noqa: E402
from gunicorn.workers.ggevent import GeventWorker  # noqa: E402

from server import live, logs, settings  # noqa: E402
from server.app import create_app  # noqa: E402
from server.config import service as config  # noqa: E402
from server.db import AWAY, Database, commit_by, migrate  # noqa: E402
from server.meters import service as meters  # noqa: E402
from server.playbooks import knowing  # noqa: E402
from server.web import connection, stopping  # noqa: E402
from server.worker import Worker  # noqa: E402

GRACEFUL_SECONDS = 2  # after this gunicorn kills; what was not committed by then is rolled back and sent again
GOODBYE_SECONDS = 1
COUNTS_SECONDS = 15


_log = logging.getLogger("usher")
_FAULT = (500, "Something went wrong on our side; please try again in a moment.")
_NO_REQUEST = {
    LimitRequestLine: (414, "The address of this request is too long."),
    LimitRequestHeaders: (431, "The headers of this request are too long."),
    ParseException: (400, "This is not a request that can be read."),
}


class _Done(Exception):
    """Everybody has been answered; the worker need not wait any longer."""


class ChatWorker(GeventWorker):
    """gunicorn's gevent worker, which looks once a second whether it shall end, and would wait for browsers that keep a
    connection they do not use."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._idle: set[Any] = set()
        self._busy = 0
        self._main = gevent.getcurrent()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        self._idle.add(client)
        try:
            super().handle(listener, client, addr)
        finally:
            self._idle.discard(client)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        self._idle.discard(sock)
        self._busy += 1
        try:
            super().handle_request(listener_name, req, sock, addr)
            self._idle.add(sock)
        finally:
            self._busy -= 1

    def run(self) -> None:
        """Until told to stop, and everybody has been answered."""
        self._main = gevent.getcurrent()
        with contextlib.suppress(_Done):
            super().run()

    def say_goodbye(self) -> None:
        """Tell all who wait; end when they and all requests under way have been answered, or when gunicorn kills."""
        _log.info("stopping: saying goodbye to %d sockets", connection.count())
        stopping.begin()
        connection.end_all()
        self.let_go()
        with gevent.Timeout(GOODBYE_SECONDS, False):
            while connection.count() or self._busy:
                gevent.sleep(0.02)
        connection.drop_all()
        if not self._busy:
            gevent.get_hub().loop.run_callback(self._main.throw, _Done)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """One sentence for what is no request, as for every other error; and no address of it in the log."""
        if isinstance(exc, gevent.GreenletExit):
            return
        status, sentence = next((told for kind, told in _NO_REQUEST.items() if isinstance(exc, kind)), _FAULT)
        if status == _FAULT[0]:
            _log.error("a request failed before or after it was answered", exc_info=exc)
        else:
            _log.info("refused what is no request: %s", type(exc).__name__)
        body = json.dumps({"error": {"code": "fault" if status == _FAULT[0] else "no_request", "message": sentence}})
        head = f"HTTP/1.1 {status} Error\r\nConnection: close\r\nContent-Type: application/json\r\n"
        with contextlib.suppress(OSError):
            client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            client.shutdown(socket.SHUT_WR)
            with gevent.Timeout(GOODBYE_SECONDS, False):  # unread bytes would cut the answer off
                while client.recv(65536):
                    gevent.sleep(0)

    def let_go(self) -> None:
        """Close the connections on which no request is being answered."""
        for client in list(self._idle):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RD)


class Server(BaseApplication):
    """gunicorn with our options; the app is built in each worker."""

    def __init__(self, host: str, port: int, workers: int) -> None:
        self.options = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": workers,
            "worker_class": ChatWorker,
            "worker_connections": 12000,
            "graceful_timeout": GRACEFUL_SECONDS,
            "timeout": 60,
            "keepalive": 5,
            "limit_request_line": 8190,
            "loglevel": "warning",
            "proc_name": "usher",
            "post_worker_init": _work,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        app = create_app()
        db = app.extensions["usher_db"]
        live.share_between_processes(db, missed=connection.end_all)  # they come back and ask for what they missed
        _warm_up(db)
        return app


def main() -> None:
    """Check what can be checked, then serve until SIGTERM or SIGINT."""
    given = argparse.ArgumentParser(prog="usher serve")
    given.add_argument("--host", required=True)
    given.add_argument("--port", type=int, required=True)
    given.add_argument("--workers", type=int, required=True)
    asked = given.parse_args()
    logs.set_up()
    _refuse_taken_port(asked.host, asked.port)
    _prepare_database(asked.workers)
    print(f"Usher listens on http://{asked.host}:{asked.port}", file=sys.stderr, flush=True)
    sys.argv = sys.argv[:1]  # gunicorn would read our arguments as its own
    try:
        Server(asked.host, asked.port, asked.workers).run()
    except SystemExit as end:
        logging.shutdown()
        os._exit(end.code if isinstance(end.code, int) else int(bool(end.code)))  # taking Python down takes a second


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(f"Port {port} of {host} cannot be used ({error.strerror}): choose another with --port.")


def _prepare_database(workers: int) -> None:
    """Migrate once, before the workers start; nothing of this connection is inherited by them."""
    db = migrate.open_or_exit(settings.get().database_url)
    if db.is_sqlite and workers > 1:
        sys.exit("SQLite serves one process: use --workers 1, or set USHER_DATABASE_URL to a PostgreSQL database.")
    migrate.upgrade_or_exit(db)
    db.close()


def _warm_up(db: Database) -> None:
    """Read word lists and index articles now, so that the first visitor does not wait for it."""
    for site in config.sites(db):
        if site.active_version_id:
            knowing.warm_up(db, config.version(db, site.active_version_id))


def _work(worker: Any) -> None:
    """Beside the requests of this worker: pings, the outbox, and a goodbye to every socket when it is told to stop."""
    commit_by(gevent.get_hub().threadpool.apply)
    back_room = Worker(worker.wsgi.extensions["usher_db"])
    if settings.get().embedded_worker:
        gevent.spawn(back_room.run, gevent.sleep)
    else:
        gevent.spawn(_keep_counts_for_ever, worker.wsgi.extensions["usher_db"])
    gevent.spawn(_ping_for_ever)
    gevent.spawn(_say_goodbye, worker, back_room)


def _ping_for_ever() -> None:
    while True:
        gevent.sleep(connection.PING_SECONDS)
        connection.ping_all()


def _keep_counts_for_ever(db: Database) -> None:
    """What the requests of this process have called, where no worker of its own does it."""
    while True:
        gevent.sleep(COUNTS_SECONDS)
        with contextlib.suppress(*AWAY):  # they stay for the next time
            meters.keep(db)


def _say_goodbye(worker: Any, back_room: Worker) -> None:
    while worker.alive:
        gevent.sleep(0.05)
    back_room.stopping = True
    worker.say_goodbye()


if __name__ == "__main__":
    main()
