"""Which links may be shown: http, https, mailto and tel, and pages of the website itself; however they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

SCHEMES = ("http", "https", "mailto", "tel")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_IGNORED = re.compile(r"[\t\n\r]")  # browsers leave these out of an address: `java\tscript:` is `javascript:`
_AROUND = "".join(map(chr, range(33)))
_MARKUP = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")


def is_safe(url: str) -> bool:
    """Whether a browser would make one of the allowed schemes of it (WHATWG URL, section 4.4)."""
    found = _SCHEME.match(_IGNORED.sub("", url).strip(_AROUND))
    return found is None or found[1].lower() in SCHEMES


def plain(text: str) -> str:
    """The text with the links of other schemes as the mere words they are on."""
    return _MARKUP.sub(lambda link: link[0] if is_safe(link[2]) else link[1], text)


def cited(citations: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Citations, those of other schemes without their link."""
    return [{**one, "url": one["url"] if is_safe(one.get("url") or "") else ""} for one in citations or ()]


def shown(part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What is shown below a message, without links of other schemes."""
    if part is None:
        return None
    return {
        name: "" if name in ("url", "image") and isinstance(value, str) and not is_safe(value) else value
        for name, value in part.items()
    }


def _link(value: str) -> str:
    if not is_safe(value) or value != value.strip() or _IGNORED.search(value):
        raise ValueError("allowed a page such as /pricing, or an address with http, https, mailto or tel")
    return value


Link = Annotated[str, AfterValidator(_link)]
