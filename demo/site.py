"""The website of Acme Analytics: five pages behind a strict Content-Security-Policy, with Usher's one script tag."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, g, render_template
from werkzeug.serving import WSGIRequestHandler, make_server

from demo.mail import mail_pages

HERE = Path(__file__).resolve().parent
PAGES = {
    "/": "home",
    "/product": "product",
    "/pricing": "pricing",
    "/security": "security",
    "/blog/getting-started": "post",
}


def create_site(usher_url: str, mailbox: Path, site_key: str = "acme") -> Flask:
    """The website; `usher_url` is where the script tag points, `mailbox` the folder whose mails /mail shows."""
    site = Flask(__name__, template_folder=str(HERE / "pages"), static_folder=str(HERE / "static"))
    site.jinja_env.globals.update(usher_url=usher_url, site_key=site_key)
    site.before_request(_choose_nonce)
    site.after_request(lambda response: _protect(response, usher_url))
    for path, name in PAGES.items():
        site.add_url_rule(path, name, _page(name))
    site.register_blueprint(mail_pages(mailbox))
    return site


def main() -> None:
    """`python -m demo.site --port 8010 --usher http://127.0.0.1:8000 --mailbox demo-data/mailbox`"""
    options = argparse.ArgumentParser(description="The demo company's website.")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8010)
    options.add_argument("--usher", default="http://127.0.0.1:8000")
    options.add_argument("--mailbox", type=Path, default=Path("mailbox"))
    given = options.parse_args()
    site = create_site(given.usher, given.mailbox)
    server = make_server(given.host, given.port, site, threaded=True, request_handler=_Quiet)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _page(name: str) -> Callable[[], str]:
    def view() -> str:
        return render_template(f"{name}.html")

    return view


def _choose_nonce() -> None:
    g.nonce = secrets.token_urlsafe(16)


def _protect(response: Response, usher_url: str) -> Response:
    """What a careful company sends: nothing runs but our tag and what it loads, no inline style, no string as HTML."""
    socket_url = usher_url.replace("http", "ws", 1)
    rules = (
        "default-src 'none'",
        f"script-src 'nonce-{g.nonce}' 'strict-dynamic'",
        f"connect-src {usher_url} {socket_url}",
        "style-src 'self'",
        "img-src 'self' data:",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    response.headers.setdefault("Content-Security-Policy", "; ".join(rules))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return response


class _Quiet(WSGIRequestHandler):
    """Requests are not worth a line each beside Usher's own log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


if __name__ == "__main__":
    main()
