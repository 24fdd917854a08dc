"""What services that speak OData 4.0 share: objects, collections page by page, links that stay at the service."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from plugins.errors import Permanent
from plugins.http import Reply

MOST_PAGES = 200


class OData(ABC):
    """A service with somebody's token. `root` is its address with the version, without a slash at the end."""

    root: str

    @abstractmethod
    def call(self, operation: str, method: str, path: str, **request: Any) -> Reply:
        """`path` is ours, or a whole address that the service gave us to go on with."""

    def get(self, operation: str, path: str, **request: Any) -> dict[str, Any]:
        """An object."""
        return as_object(self.call(operation, "GET", path, **request))

    def pages(self, operation: str, path: str, **request: Any) -> Iterator[dict[str, Any]]:
        """All of a collection. Permanent when it does not end."""
        for _ in range(MOST_PAGES):
            page = self.get(operation, path, **request)
            yield from items_of(page)
            if not (path := self.link(page, "@odata.nextLink")):
                return
            request.pop("params", None)
        raise Permanent(f"{operation}: more than {MOST_PAGES} pages")

    def link(self, page: Mapping[str, Any], name: str) -> str:
        """Where it goes on, "" when it does not. Nobody is followed to another host with our token."""
        url = str(page.get(name) or "")
        if url and not self.owns(url):
            raise Permanent(f"{name} leads to {urlsplit(url).hostname}")
        return url

    def owns(self, url: str) -> bool:
        """Whether it is a whole address of this service's."""
        return url.startswith(f"{self.root}/")


def as_object(reply: Reply) -> dict[str, Any]:
    """The answer as an object; Permanent when it is something else."""
    found = reply.json()
    if not isinstance(found, dict):
        raise Permanent(f"{reply.call.place()}: the answer is no object", http_status=reply.status)
    return found


def items_of(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The members of a page; Permanent when there are none to be had, which is not the same as an empty page."""
    found = page.get("value")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Permanent("the answer has no list of values")
    return found
