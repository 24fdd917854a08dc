"""On which paths the chat is seen: the owner's globs, as the one expression that browsers search."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from server.config.schema import Pages


def seen(path: str, *, include: list[str] | None = None, exclude: list[str] | None = None) -> bool:
    return bool(re.search(Pages(include=include or [], exclude=exclude or []).expression, path, re.IGNORECASE))


@pytest.mark.parametrize(
    ("lists", "yes", "no"),
    [
        ({}, ["/", "/checkout", "/a/b.html"], []),
        ({"exclude": ["/checkout*"]}, ["/", "/pricing", "/my/checkout"], ["/checkout", "/checkout/pay", "/CHECKOUT"]),
        ({"include": ["/pricing*", "/"]}, ["/", "/pricing", "/pricing/teams"], ["/blog", "/x/pricing"]),
        ({"include": ["/shop*"], "exclude": ["*/pay"]}, ["/shop", "/shop/pays"], ["/shop/pay", "/pay", "/blog"]),
        ({"exclude": ["/a.b", "/c+(d)"]}, ["/axb", "/ccd"], ["/a.b", "/c+(d)"]),
        ({"exclude": ["/über/**/x"]}, ["/%C3%BCber/x"], ["/%C3%BCber/a/x", "/%c3%bcber/a/b/x"]),
    ],
)
def test_chat_is_seen_where_the_owner_says_and_exclude_has_the_last_word(lists, yes, no):
    assert [path for path in yes if not seen(path, **lists)] == []
    assert [path for path in no if seen(path, **lists)] == []


@pytest.mark.parametrize("glob", ["pricing", "https://acme.example/pricing", "/pricing?plan=a", "/a b", "/#/plans", ""])
def test_what_is_no_path_is_refused_with_what_is_allowed(glob):
    with pytest.raises(ValidationError, match="allowed a path such as"):
        Pages(exclude=[glob])
