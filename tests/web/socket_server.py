"""A server with one socket door, for the tests of the connection class: `python socket_server.py PORT`."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

import gevent  # noqa: E402
from flask import Flask  # noqa: E402
from flask_sock import Sock  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402
from simple_websocket import ConnectionClosed  # noqa: E402

from server.web import connection  # noqa: E402

app = Flask(__name__)
app.config["SOCK_SERVER_OPTIONS"] = connection.SERVER_OPTIONS
inner = app.wsgi_app
app.wsgi_app = lambda environ, start: inner({**environ, "HTTP_SEC_WEBSOCKET_EXTENSIONS": ""}, start)
sock = Sock(app)
links = set()
sent = []


@sock.route("/socket")
def door(ws):
    link = connection.Connection(ws)
    links.add(link)
    try:
        while True:
            obey(link, link.receive())
    except ConnectionClosed:
        pass
    finally:
        links.discard(link)
        link.finish()


def obey(link, text):
    verb, _, rest = text.partition(" ")
    if verb == "give":
        count, size = map(int, rest.split())
        for n in range(count):
            link.send_frame({"n": n, "x": "x" * size})
            sent.append(n)
    elif verb == "sent":
        link.send_frame({"sent": len(sent)})
    elif verb == "all":
        for one in list(links):
            one.send_frame({"all": rest})
    elif verb == "count":
        link.send_frame({"count": len(links)})
    else:
        link.send_frame({"echo": text})


class Server(BaseApplication):
    def __init__(self, port):
        self.port = port
        super().__init__()

    def load_config(self):
        wanted = {
            "bind": f"127.0.0.1:{self.port}",
            "worker_class": "gevent",
            "graceful_timeout": 5,
            "loglevel": "error",
            "post_worker_init": lambda worker: gevent.spawn(goodbye, worker),
        }
        for name, value in wanted.items():
            self.cfg.set(name, value)

    def load(self):
        return app


def goodbye(worker):
    while worker.alive:
        gevent.sleep(0.05)
    connection.end_all()


if __name__ == "__main__":
    Server(int(sys.argv.pop())).run()
