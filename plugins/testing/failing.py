"""What the kit does while a service fails: it reads, writes, loses answers, and looks what is there then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from plugins.errors import AmbiguousOutcome, PluginError, RateLimited
from plugins.testing.conformance import Conformance
from plugins.testing.deeds import Reading, Writing, fresh
from plugins.testing.fakes import Asked, Fake, Fault
from plugins.testing.guard import exempt
from plugins.testing.table import ANY, PATIENCE_SECONDS, UNSURE, WAIT, Errors, Means, Row


class Failing(Conformance):
    """The author gives the fixture `fake`, and may say what is special about the service:

    `no_http`: why these tests do not concern the adapter (it keeps everything here, it speaks SMTP). An adapter without
    it and without `fake` fails. `error_in_200`: what the service says with 200 that is an error, or in words why it
    never does. `sign_in`: an expression for "METHOD /path" of calls that sign in, which go well while others fail.
    `no_check`: why `check()` asks the service nothing.
    `no_keys`: why the service cannot tell that a writing came twice; the lost answer to the call that makes the record
    must then be AmbiguousOutcome.
    `means`: {(method or "*", status or name of the row): Means(error, because)} where an answer means something else.
    """

    no_http: ClassVar[str] = ""
    error_in_200: ClassVar[Fault | str] = ""
    sign_in: ClassVar[str] = r"/token$"
    no_check: ClassVar[str] = ""
    no_keys: ClassVar[str] = ""
    means: ClassVar[Mapping[tuple[str, int | str], Means]] = {}

    def error(self, status: int) -> Fault:
        """What the service says with this status, in its own words; Retry-After is added by the kit."""
        return Fault(status, b'{"message": "the service says no"}')

    @pytest.fixture
    def reading(self) -> Reading | None:
        """What is read in these tests; None when the contract has nothing to read."""
        return None

    @pytest.fixture
    def writing(self) -> Writing | None:
        """What is written in these tests; None when the contract has nothing to write."""
        return None

    @pytest.fixture
    def writings(self) -> list[Writing]:
        """All else that the contract can write and the adapter declares."""
        return []

    @pytest.fixture
    def failing(self, request: pytest.FixtureRequest) -> Iterator[Fake]:
        """The fake, and a skip where there is no HTTP to fail."""
        if self.no_http:
            exempt(f"no HTTP: {self.no_http}")
        fake: Fake = request.getfixturevalue("fake")
        fake.faults.clear()
        yield fake
        fake.faults.clear()

    @pytest.fixture
    def hidden(self, config: dict[str, Any], tokens: Any) -> list[str]:
        """All that must never be seen."""
        granted = (tokens.load() if tokens else None) or {}
        kept = [granted[name] for name in ("access_token", "refresh_token") if granted.get(name)]
        return self._secrets(config) + kept

    @pytest.fixture
    def impatient(self, config: dict[str, Any], records: Any, tokens: Any) -> Iterator[Any]:
        """The adapter with little time for an answer."""
        opened = self.opened(config, records, tokens, seconds=PATIENCE_SECONDS)
        yield opened
        opened.close()

    def _reads(self, fake: Fake, subject: Any, reading: Reading, row: Row) -> None:
        found: list[Any] = []
        error = self._error_of(fake, row, lambda: found.append(reading.run(subject)))
        means = _meaning(self.means, reading.name, row)
        nothing = (reading.may_be_nothing and row.status == 404) or (means and means.error is None)
        if error is None and nothing:
            assert not getattr(found[0], "facts", found[0]), f"{row} is told as if something was found"
            if not means:
                return
        self._expect(error, reading.name, row, row.read)

    def _writes(self, fake: Fake, subject: Any, writing: Writing, row: Row) -> None:
        n = fresh()
        write, key = writing.ready(subject, n), f"{row} {n}"
        before = writing.count(subject, n)
        error = self._error_of(fake, row, lambda: write(key))
        if error or not row.harmless:
            self._expect(error, writing.name, row, row.write)
        most = 2 if self.no_keys and row.harmless else 1
        if error is None and row.harmless:
            writing.check_done(subject, n, before, row)
        writing.check_once(subject, n, before, write(key), most=most)

    def _loses(self, fake: Fake, subject: Any, writing: Writing, call: int) -> None:
        """The answer to that call of the writing is lost on the way, although what it asked for is done."""
        n = fresh()
        write, key = writing.ready(subject, n), f"lost {n}"
        before = writing.count(subject, n)
        fake.faults.add(Fault(done=True, drop=True), after=call, times=1)
        error = raised_by(lambda: write(key))
        fake.faults.clear()
        made = writing.count(subject, n) > before
        expected = (AmbiguousOutcome,) if self.no_keys and made else UNSURE
        assert error is None or isinstance(error, expected), f"call {call + 1} unanswered: {error!r}"
        if error is None:
            writing.check_done(subject, n, before, f"the answer to call {call + 1} lost")
        writing.check_once(subject, n, before, write(key), most=2 if self.no_keys else 1)

    def _loses_each(self, fake: Fake, subject: Any, writing: Writing) -> None:
        """The answer to each call of the writing is lost in turn."""
        write = writing.ready(subject, fresh())
        asked = len(fake.asked)
        write("whole")
        calls = len(fake.asked) - asked
        assert calls, f"{writing.name} called nobody: give the fake's address in config"
        for call in range(calls):
            self._loses(fake, subject, writing, call)

    def _error_of(self, fake: Fake, row: Row, deed: Any) -> PluginError | None:
        """What `deed` raised while the service fails so; the service is well again afterwards."""
        fault = row.made_of(self.error)
        fake.faults.add(fault, on=rf"^(?!.*(?:{self.sign_in}))" if self.sign_in else "")
        asked, began = len(fake.asked), datetime.now(UTC)
        error = raised_by(deed)
        fake.faults.clear()
        if row.status in (429, 500, 503):
            _check_asked_once(fake.asked[asked:])
        if row.wait and isinstance(error, RateLimited):
            _check_wait(error, began)
        return error

    def _expect(self, error: PluginError | None, deed: str, row: Row, expected: Errors) -> None:
        means = _meaning(self.means, deed, row)
        if means:
            assert means.because, "say why"
            expected = (means.error,) if means.error else ()
        names = " or ".join(kind.__name__ for kind in expected) or "nothing"
        if not expected:
            assert error is None, f"{deed} at {row} raised {error!r}, not {names}"
            return
        assert isinstance(error, expected), f"{deed} at {row} raised {error!r}, not {names}"
        assert error.adapter == f"{self.adapter.kind}.{self.adapter.name}"
        assert error.operation, "the error does not say what was being done"


def raised_by(deed: Callable[[], Any]) -> PluginError | None:
    """What the adapter raises; anything that is none of our errors goes on to pytest."""
    try:
        deed()
    except PluginError as error:
        return error
    return None


def needed(deed: Any, what: str) -> Any:
    if deed is None:
        exempt(f"nothing is {what}")
    return deed


def _meaning(means: Mapping[tuple[str, int | str], Means], deed: str, row: Row) -> Means | None:
    names = [(name, what) for name in (deed, ANY) for what in (row.name, row.status) if what is not None]
    return next((means[name] for name in names if name in means), None)


def _check_asked_once(asked: list[Asked]) -> None:
    """Adapters do not try again: the caller does, who knows how often and when."""
    calls = [(call.method, call.url, call.body) for call in asked]
    twice = {f"{method} {url}" for method, url, body in calls if calls.count((method, url, body)) > 1}
    assert not twice, f"asked again by the adapter itself: {twice}"


def _check_wait(error: RateLimited, began: datetime) -> None:
    """The moment is the one that the service named; a date is in whole seconds."""
    assert error.retry_after is not None, "Retry-After was not read"
    earliest, latest = began + WAIT - timedelta(seconds=1), datetime.now(UTC) + WAIT
    assert earliest <= error.retry_after <= latest, f"{error.retry_after} is not when the service said"
