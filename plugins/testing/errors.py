"""What every adapter that speaks HTTP must make of a service that fails: the table of errors, row by row."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from plugins.errors import AmbiguousOutcome, PluginError, RateLimited
from plugins.testing.conformance import Conformance
from plugins.testing.deeds import Reading, Writing, fresh
from plugins.testing.fakes import Asked, Fake, Fault
from plugins.testing.table import (
    ANY,
    BOTH,
    IN_200,
    PATIENCE_SECONDS,
    SLOW,
    UNSURE,
    WAIT,
    WRITE_ONLY,
    Errors,
    Means,
    Row,
    repeating,
)


class ErrorTable(Conformance):
    """The author gives the fixture `fake`, and may say what is special about the service:

    `no_http`: why these tests do not concern the adapter (it keeps everything here, it speaks SMTP). An adapter without
    it and without `fake` fails. `error_in_200`: what the service says with 200 that is an error, or in words why it
    never does. `sign_in`: an expression for "METHOD /path" of calls that sign in, which go well while others fail.
    `no_check`: why `check()` asks the service nothing.
    `no_keys`: why the service cannot tell that a writing came twice; a lost answer must then be AmbiguousOutcome.
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
    def failing(self, request: pytest.FixtureRequest) -> Iterator[Fake]:
        """The fake, and a skip where there is no HTTP to fail."""
        if self.no_http:
            pytest.skip(f"no HTTP: {self.no_http}")
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

    @pytest.mark.parametrize("row", BOTH, ids=str)
    def test_reading_from_a_service_that_fails_says_what_to_do(
        self, failing: Fake, subject: Any, reading: Reading | None, row: Row
    ) -> None:
        self._reads(failing, subject, _needed(reading, "read"), row)

    @pytest.mark.parametrize("row", BOTH + WRITE_ONLY, ids=str)
    def test_writing_to_a_service_that_fails_says_what_to_do_and_is_done_once_when_tried_again(
        self, failing: Fake, subject: Any, writing: Writing | None, row: Row
    ) -> None:
        self._writes(failing, subject, _needed(writing, "written"), row)

    def test_a_slow_answer_is_not_waited_for_and_what_was_done_meanwhile_is_not_done_twice(
        self, failing: Fake, subject: Any, impatient: Any, reading: Reading | None, writing: Writing | None
    ) -> None:
        if reading:
            self._reads(failing, impatient, reading, SLOW)
        if writing:
            n = fresh()
            key, before = f"slow {n}", writing.count(subject, n)
            error = self._error_of(failing, SLOW, lambda: writing.run(impatient, n, key))
            self._expect(error, writing.name, SLOW, SLOW.write)
            again = writing.run(subject, n, key)
            writing.check_once(subject, n, before, again, most=2 if self.no_keys else 1)

    def test_an_error_in_an_answer_of_200_is_an_error(
        self, failing: Fake, subject: Any, reading: Reading | None, writing: Writing | None
    ) -> None:
        said = self.error_in_200
        if isinstance(said, str):
            assert said, "give error_in_200: what the service says with 200 that is an error, or why it never does"
            pytest.skip(f"no errors in 200: {said}")
        row = Row(IN_200, (PluginError,), (PluginError,), fault=said)
        if reading:
            self._reads(failing, subject, reading, row)
        if writing:
            self._writes(failing, subject, writing, row)

    def test_whichever_answer_to_a_writing_is_lost_the_same_key_makes_one(
        self, failing: Fake, subject: Any, writing: Writing | None
    ) -> None:
        deed = _needed(writing, "written")
        asked = len(failing.asked)
        deed.run(subject, fresh(), "whole")
        calls = len(failing.asked) - asked
        assert calls, f"{deed.name} called nobody: give the fake's address in config"
        for call in range(calls):
            self._loses(failing, subject, deed, call)

    def test_no_secret_is_seen_when_the_service_says_it_back(
        self, failing: Fake, subject: Any, reading: Reading | None, writing: Writing | None, hidden: list[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        with caplog.at_level(logging.DEBUG):
            failing.faults.add(repeating(hidden))
            read = _raised(lambda: reading.run(subject)) if reading else None
            wrote = _raised(lambda: writing.run(subject, fresh(), "said back")) if writing else None
        assert read or wrote, "a status of 400 is an error"
        for error in filter(None, (read, wrote)):
            shown = f"{error} {error!r} {error.user_message} {error.as_json()} {error.args}"
            shown += "".join(traceback.format_exception(error))
            assert not [secret for secret in hidden if secret in shown]
        logged = " ".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
        assert not [secret for secret in hidden if secret in logged]

    def test_a_check_with_refused_credentials_says_no_and_raises_nothing(self, failing: Fake, subject: Any) -> None:
        if self.no_check:
            pytest.skip(f"nothing is asked: {self.no_check}")
        failing.faults.add(self.error(401))
        asked = len(failing.asked)
        found = subject.check()
        assert len(failing.asked) > asked, "check() asks the service nothing"
        assert not found.ok
        assert found.message, "check() does not say why"

    def test_a_check_while_the_service_is_away_says_nothing_about_the_settings(
        self, failing: Fake, subject: Any
    ) -> None:
        if self.no_check:
            pytest.skip(f"nothing is asked: {self.no_check}")
        failing.faults.add(self.error(503))
        with pytest.raises(PluginError) as caught:
            subject.check()
        assert not caught.value.stops, "a service that is unwell is no reason to stop the connection"

    def _reads(self, fake: Fake, subject: Any, reading: Reading, row: Row) -> None:
        found: list[Any] = []
        error = self._error_of(fake, row, lambda: found.append(reading.run(subject)))
        nothing = reading.may_be_nothing and row.status == 404
        if error is None and nothing:
            assert not getattr(found[0], "facts", found[0]), "404 is told as if something was found"
            return
        self._expect(error, reading.name, row, row.read)

    def _writes(self, fake: Fake, subject: Any, writing: Writing, row: Row) -> None:
        n = fresh()
        key, before = f"{row} {n}", writing.count(subject, n)
        error = self._error_of(fake, row, lambda: writing.run(subject, n, key))
        if error or not row.harmless:
            self._expect(error, writing.name, row, row.write)
        again = writing.run(subject, n, key)
        writing.check_once(subject, n, before, again, most=2 if self.no_keys and row.harmless else 1)

    def _loses(self, fake: Fake, subject: Any, writing: Writing, call: int) -> None:
        """The answer to that call of the writing is lost on the way, although what it asked for is done."""
        n = fresh()
        key, before = f"lost {n}", writing.count(subject, n)
        fake.faults.add(Fault(done=True, drop=True), after=call, times=1)
        error = _raised(lambda: writing.run(subject, n, key))
        fake.faults.clear()
        expected = (AmbiguousOutcome,) if self.no_keys else UNSURE
        assert error is None or isinstance(error, expected), f"call {call + 1} unanswered: {error!r}"
        again = writing.run(subject, n, key)
        writing.check_once(subject, n, before, again, most=2 if self.no_keys else 1)

    def _error_of(self, fake: Fake, row: Row, deed: Any) -> PluginError | None:
        """What `deed` raised while the service fails so; the service is well again afterwards."""
        fault = row.made_of(self.error)
        fake.faults.add(fault, on=rf"^(?!.*(?:{self.sign_in}))" if self.sign_in else "")
        asked, began = len(fake.asked), datetime.now(UTC)
        error = _raised(deed)
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

    @pytest.fixture
    def impatient(self, config: dict[str, Any], records: Any, tokens: Any) -> Iterator[Any]:
        """The adapter with little time for an answer."""
        opened = self.opened(config, records, tokens, seconds=PATIENCE_SECONDS)
        yield opened
        opened.close()


def _raised(deed: Callable[[], Any]) -> PluginError | None:
    """What the adapter raises; anything that is none of our errors goes on to pytest."""
    try:
        deed()
    except PluginError as error:
        return error
    return None


def _needed(deed: Any, what: str) -> Any:
    if deed is None:
        pytest.skip(f"nothing is {what}")
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
