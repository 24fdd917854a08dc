"""Only links of http, https, mailto and tel are shown, however others are written."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter, ValidationError

from server import clock
from server.conversations.frames import message
from server.links import Link, is_safe

GOOD = [
    "https://acme.example/a?b=c#d", "HTTP://acme.example", "mailto:ada@acme.example", "tel:+4930901820", "/pricing",
    "pricing", "#plans", "?a=b:c", "//acme.example/x", "",
]  # fmt: skip
BAD = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    " javascript:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "blob:https://a.example/1",
    "intent://x", "view-source:https://a.example", "jav\r\n\tascript\n:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize(("url", "safe"), [*((url, True) for url in GOOD), *((url, False) for url in BAD)])
def test_a_link_is_what_a_browser_makes_of_it(url, safe):
    assert is_safe(url) is safe


@pytest.mark.parametrize("url", BAD)
def test_a_message_leaves_the_server_without_such_a_link(url):
    cited = {"title": "Plans", "url": url}
    row = SimpleNamespace(
        seq=1, client_id=None, author="bot", name="Ada", at=clock.now(), node="n", citations=[cited],
        text=f"**See** [the plans]({url}) or [these](https://acme.example/plans)",
        part={"kind": "offer", "title": "Plans", "text": "", "url": url, "image": url},
    )  # fmt: skip
    sent = message(row)
    assert sent["text"].startswith("**See** the plans")
    assert sent["text"].endswith("[these](https://acme.example/plans)")
    assert sent["citations"] == [{"title": "Plans", "url": ""}]
    assert (sent["part"]["url"], sent["part"]["image"]) == ("", "")
    assert (
        "script:" not in sent["text"].split("or [these]")[0].replace(")", "")
        or "](" not in sent["text"].split("or [")[0]
    )


@pytest.mark.parametrize("url", [*BAD, " /pricing", "https://a.example/\tx"])
def test_a_site_folder_cannot_name_such_a_link(url):
    with pytest.raises(ValidationError, match="http, https, mailto or tel"):
        TypeAdapter(Link).validate_python(url)
