"""Who asks, as far as their headers tell: a known crawler, or a browser that asks not to be tracked.

The list of crawlers is the package crawler-user-agents. Libraries that programs are written with (curl, requests) are
on it as well; they are let in, since a site's own server may book for its visitors.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import NamedTuple

from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from werkzeug.datastructures import Headers

from server import settings
from server.errors import Forbidden

LIBRARY = "http-library"
LONGEST = 1000
_GROUP = 25  # one pattern of 1,400 is slower than many of 25
_known = [one["pattern"] for one in CRAWLER_USER_AGENTS_DATA if LIBRARY not in one.get("tags", ())]
_patterns = [re.compile("|".join(_known[n : n + _GROUP])) for n in range(0, len(_known), _GROUP)]
_log = logging.getLogger("usher.chat")


class Caller(NamedTuple):
    """`crawler`: nothing may be kept of them; `discreet`: no visit or page may be."""

    crawler: bool = False
    discreet: bool = False

    @classmethod
    def of(cls, headers: Headers) -> Caller:
        """From a request's headers (`User-Agent`, `Sec-GPC`, `DNT`)."""
        discreet = headers.get("Sec-GPC") == "1" or headers.get("DNT") == "1"
        return cls(is_crawler(headers.get("User-Agent", "")), discreet)

    def refuse_crawlers(self) -> None:
        """Forbidden, and one line in the log, for a crawler: whatever asks after this writes something."""
        if self.crawler:
            _log.info("refused: a known crawler")
            raise Forbidden("Crawlers are not served; USHER_ADMITTED_CRAWLERS lets some in.", code="crawler")


ANYBODY = Caller()


def is_crawler(user_agent: str) -> bool:
    """Whether it is on the list, and not among those the operator lets in. No user agent is no crawler."""
    return _is_crawler(user_agent[:LONGEST], settings.get().admitted_crawlers)


@lru_cache(maxsize=2000)
def _is_crawler(user_agent: str, admitted: str) -> bool:
    if any(name.strip().casefold() in user_agent.casefold() for name in admitted.split(",") if name.strip()):
        return False
    return any(group.search(user_agent) for group in _patterns)
