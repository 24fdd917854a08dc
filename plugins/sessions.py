"""Connections that stay open between two openings of an adapter: the shake of hands for TLS and the reading of the
authorities' certificates cost more than most calls."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError
from urllib3.exceptions import SSLError as TlsError

from plugins.addresses import Gate, GuardedAdapter
from plugins.errors import ConfigError

MOST = 100
"""So many connections' sessions are kept; the one used longest ago is closed for a new one."""

_NOT_SENT = (NewConnectionError, ConnectTimeoutError, NameResolutionError, TlsError)
_kept: OrderedDict[Hashable, requests.Session] = OrderedDict()
_lock = threading.Lock()


def new(gate: Gate, ca_file: str) -> requests.Session:
    """A session without proxies, cookies, .netrc and environment, whose connections all pass through `gate`."""
    if ca_file and not Path(ca_file).is_file():
        said = f"There is no file {ca_file} with certificate authorities."
        raise ConfigError(said, problems=(("ca_file", "there is no such file"),), user_message=said)
    session = requests.Session()
    session.trust_env = False
    session.verify = ca_file or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    transport = GuardedAdapter(gate)
    session.mount("https://", transport)
    session.mount("http://", transport)
    session.headers["User-Agent"] = "Usher"
    return session


def shared(key: Hashable, make: Callable[[], requests.Session]) -> requests.Session:
    """The session kept under `key`, made when there is none. Nobody closes it."""
    with _lock:
        if key not in _kept:
            _kept[key] = make()
            if len(_kept) > MOST:
                _kept.popitem(last=False)[1].close()
        _kept.move_to_end(key)
        return _kept[key]


def close_all() -> None:
    """Close all that are kept."""
    with _lock:
        while _kept:
            _kept.popitem()[1].close()


def _forget() -> None:
    """A child process: the open connections are its parent's."""
    global _lock
    _lock = threading.Lock()
    _kept.clear()


os.register_at_fork(after_in_child=_forget)


def never_sent(error: Exception) -> bool:
    """Whether the request certainly did not reach the service: no name, no connection, no trust."""
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(error, requests.exceptions.SSLError) or isinstance(reason, _NOT_SENT)
