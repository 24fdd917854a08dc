"""A server with socket doors, for the tests of the connection class: `python -m tests.web.socket_server PORT [stock]`.

With `stock` the door is flask-sock's own, as it comes.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402
from flask import Flask  # noqa: E402
from flask_sock import Sock  # noqa: E402
from gevent.event import Event  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402

from server.live import Shared  # noqa: E402
from server.web import connection, stopping  # noqa: E402

app = Flask(__name__)
inner = app.wsgi_app
app.wsgi_app = lambda environ, start: inner({**environ, "HTTP_SEC_WEBSOCKET_EXTENSIONS": ""}, start)
sock = Sock(app)
links = set()
sent = []
heard = []
waiting = []
go = Event()


def ours(ws):
    connection.serve(ws, talk)


def talk(link):
    links.add(link)
    try:
        while True:
            obey(link, link.receive())
    finally:
        links.discard(link)


def stock(ws):
    links.add(ws)
    ws.send_frame = lambda frame: ws.send(json.dumps(frame, separators=(",", ":")))
    ws.end = ws.close
    try:
        while True:
            obey(ws, ws.receive())
    finally:
        links.discard(ws)


def obey(link, text):  # noqa: C901 - a list of verbs
    verb, _, rest = text.partition(" ") if isinstance(text, str) else ("", "", "")
    if verb == "give":  # so many messages of a size
        count, size = map(int, rest.split())
        for n in range(count):
            link.send_frame({"n": n, "x": "x" * size})
            sent.append(n)
    elif verb == "bye":
        link.end(1000, "")
    elif verb == "sent":
        link.send_frame({"sent": len(sent)})
    elif verb == "all":  # so many messages of a size to everybody
        count, size = map(int, rest.split())
        for n in range(count):
            frame = Shared({"n": n, "x": "x" * size})
            for one in list(links):
                one.send_frame(frame)
            gevent.sleep(0)
    elif verb == "count":
        link.send_frame({"count": len(links)})
    elif verb == "wait":
        waiting.append(link)
        go.wait()
    elif verb == "waiting":
        link.send_frame({"waiting": len(waiting)})
    elif verb == "go":
        go.set()
    elif verb == "note":
        heard.append(rest)
    elif verb == "heard":
        link.send_frame({"heard": "".join(heard)})
    else:
        link.send_frame({"echo": text if isinstance(text, str) else text.hex()})


class Server(BaseApplication):
    def __init__(self, port):
        self.port = port
        super().__init__()

    def load_config(self):
        wanted = {
            "bind": f"127.0.0.1:{self.port}",
            "worker_class": "gevent",
            "graceful_timeout": 2,
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
    stopping.begin()
    connection.end_all()


if __name__ == "__main__":
    is_stock = sys.argv[-1] == "stock"
    if not is_stock:
        app.config["SOCK_SERVER_OPTIONS"] = connection.SERVER_OPTIONS
    sock.route("/socket")(stock if is_stock else ours)
    chosen = int(sys.argv[1])
    sys.argv = sys.argv[:1]
    Server(chosen).run()
