"""The way to a service at which a person signs in, and what the browser has to bring back from there."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import render_template, session
from flask.typing import ResponseReturnValue

from server import ids
from server.adapters import connections
from server.adapters.connections import Connection
from server.console import connection_forms as forms
from server.console import here

BROWSER, BACK = "connecting", "connecting_back"
"""Where the session holds what proves the browser, and where it goes after."""


def leave_for(fresh: Connection, *, back: str) -> ResponseReturnValue:
    """The page that takes the browser to the service to agree; `back`: the path of ours it comes back to.

    A page, and not a redirect: browsers hold redirects after a form to the policy of where forms may go.
    """
    browser = session.setdefault(BROWSER, ids.new_token())
    session[BACK] = back
    address = connections.begin(here.database(), fresh, browser=browser, actor=here.user().actor)
    host = urlsplit(address).netloc
    return render_template(
        "connections/leaving.html", address=address, host=host, title=forms.title_of(fresh), back=back
    )
