"""Who a playbook is for. Every line of an audience becomes a condition: server and browser judge the same thing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from server.config.schema import Locale, Part
from server.expressions import Condition, Expression

_MOST_PATTERNS = 20  # of one glob test


@dataclass(frozen=True)
class Check:
    """One line of an audience (`path`, `utm.source`, `when` …) as a condition."""

    line: str
    condition: Condition


class Visits(Part):
    min: int = Field(1, ge=1)
    max: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Visits:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"found max {self.max} below min {self.min}, allowed max at least as large as min")
        return self


class Utm(Part):
    source: list[str] = []
    medium: list[str] = []
    campaign: list[str] = []
    term: list[str] = []
    content: list[str] = []


class Audience(Part):
    """All lines must hold. Patterns are globs: `*` is any run of characters, upper and lower case are the same."""

    path: list[str] = Field([], description="Paths of pages, such as /pricing*")
    not_path: list[str] = []
    query: dict[str, str] = Field({}, description='Query parameters and what they must be; "*" for anything')
    referrer: list[str] = []
    utm: Utm = Utm()
    device: list[Literal["desktop", "mobile", "tablet"]] = []
    visits: Visits | None = None
    locale: list[Locale] = []
    when: Expression | None = None

    @cached_property
    def checks(self) -> list[Check]:
        """The conditions, cheapest first."""
        return [*_page_checks(self), *_visitor_checks(self), *([Check("when", self.when)] if self.when else [])]

    @model_validator(mode="after")
    def _not_too_long(self) -> Audience:
        """Building the conditions raises ValueError for what no condition can hold."""
        assert self.checks is not None  # noqa: S101 - built here, once
        return self


def _page_checks(audience: Audience) -> Iterator[Check]:
    if audience.path:
        yield _check("path", _globs("page.path", audience.path))
    if audience.not_path:
        yield _check("not_path", f"not ({_globs('page.path', audience.not_path)})")
    for name, pattern in audience.query.items():
        key = json.dumps(name)
        yield _check(f"query.{name}", f"{key} in page.query and {_globs(f'page.query[{key}]', [pattern])}")
    if audience.referrer:
        yield _check("referrer", _globs("page.referrer", audience.referrer))
    for name, patterns in audience.utm:
        if patterns:
            yield _check(f"utm.{name}", f'"{name}" in page.utm and ({_globs(f"page.utm.{name}", patterns)})')


def _visitor_checks(audience: Audience) -> Iterator[Check]:
    if audience.device:
        yield _check("device", f"device in {json.dumps(list(audience.device))}")
    if audience.visits:
        most = f" and visit.count <= {audience.visits.max}" if audience.visits.max else ""
        yield _check("visits", f"visit.count >= {audience.visits.min}{most}")
    if audience.locale:
        wanted = [one.lower() for one in audience.locale]
        one_of = [f'locale.lower() == "{one}" or locale.lower().startswith("{one}-")' for one in wanted]
        yield _check("locale", " or ".join(one_of))


def _check(line: str, text: str) -> Check:
    return Check(line, Condition.parse(text))


def _globs(subject: str, patterns: Sequence[str]) -> str:
    groups = [patterns[at : at + _MOST_PATTERNS] for at in range(0, len(patterns), _MOST_PATTERNS)]
    return " or ".join(
        f"{subject} is glob({', '.join(json.dumps(one, ensure_ascii=False) for one in group)})" for group in groups
    )
