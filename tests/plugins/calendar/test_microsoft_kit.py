"""Microsoft 365 keeps the contract of calendars: an application on a mailbox, a person on one of their calendars."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from plugins.calendar.microsoft import Microsoft365
from plugins.hooks import HookCall
from plugins.testing import CalendarConformance
from plugins.testing.fakes import Fault
from plugins.testing.fakes.graph import GraphFake
from plugins.testing.hooks import CALLED_AT
from plugins.tokens import MemoryTokens
from tests.plugins.calendar import graph
from tests.plugins.calendar.graph import GRACE


@pytest.fixture(scope="module")
def service() -> Iterator[GraphFake]:
    with GraphFake() as fake:
        yield fake


class TestMicrosoft365Mailbox(CalendarConformance):
    """An application; busy times come from getSchedule."""

    adapter = Microsoft365
    many = 60
    owner = GRACE
    no_age = "a notification carries no moment and no signature; what is told again has the same name and is done once"
    no_signature = "Graph sends our clientState along; nothing covers the rest"
    writes = r"(POST|PATCH|DELETE) /v1\.0/(?!.*getSchedule)"
    sign_in = r"/oauth2/v2\.0/|/\.well-known/"
    error_in_200 = Fault(200, b'{"error": {"code": "ErrorInternalServerError", "message": "Something went wrong."}}')

    @pytest.fixture
    def fake(self, service: GraphFake) -> GraphFake:
        service.reset()
        return service

    def error(self, status: int) -> Fault:
        code = {401: "InvalidAuthenticationToken", 403: "ErrorAccessDenied", 404: "ErrorItemNotFound"}.get(status)
        code = code or {409: "ErrorIrresolvableConflict", 429: "ApplicationThrottled"}.get(status, "UnknownError")
        body = {"error": {"code": code, "message": "No.", "innerError": {"request-id": "r-1"}}}
        return Fault(status, json.dumps(body).encode())

    @pytest.fixture
    def config(self, fake: GraphFake) -> dict[str, Any]:
        return graph.settings(fake, mailbox=GRACE)

    @pytest.fixture
    def subject(self, config: Any, records: Any, tokens: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
        """At a stopped clock, except where the kit looks at the clock: its events are of March 2026, and changes are
        told of a stretch of time around today."""
        by_clock = "row" in request.fixturenames or "watch" in request.node.name
        opened = self.opened(config, records, tokens) if by_clock else graph.at_clock(config, tokens=tokens)
        yield opened
        opened.close()

    @pytest.fixture
    def calendar(self, fake: GraphFake) -> str:
        return GRACE

    @pytest.fixture
    def handshake(self) -> tuple[HookCall, str]:
        return graph.shaking(self.hook_secret, CALLED_AT), graph.VALIDATION

    @pytest.fixture
    def notification(self, fake: GraphFake) -> Callable[..., HookCall]:
        return partial(graph.notification, fake)

    @pytest.fixture
    def put(self, fake: GraphFake) -> Callable[[str], None]:
        return partial(graph.put, fake, "")


class TestMicrosoft365Calendar(TestMicrosoft365Mailbox):
    """A person who connected their account; busy times come from the events of one of their calendars."""

    many = 55

    @pytest.fixture
    def config(self, fake: GraphFake) -> dict[str, Any]:
        return graph.settings(fake, sign_in="person")

    @pytest.fixture
    def tokens(self, fake: GraphFake) -> MemoryTokens:
        return MemoryTokens(fake.connected(GRACE))

    @pytest.fixture
    def calendar(self, fake: GraphFake) -> str:
        return fake.add_calendar(GRACE, "Sales / Demos")

    @pytest.fixture
    def put(self, fake: GraphFake, calendar: str) -> Callable[[str], None]:
        return partial(graph.put, fake, calendar)
