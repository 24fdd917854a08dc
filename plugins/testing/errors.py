"""What every adapter that speaks HTTP must make of a service that fails: the table of errors, row by row."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest

from plugins.errors import PluginError
from plugins.testing.deeds import Reading, Writing, fresh
from plugins.testing.failing import Failing, needed, raised_by
from plugins.testing.fakes import Fake
from plugins.testing.guard import exempt
from plugins.testing.table import BOTH, ELSEWHERE, IN_200, LACKING, SLOW, WRITE_ONLY, Row, repeating


class ErrorTable(Failing):
    """The tests of the table."""

    @pytest.mark.parametrize("row", BOTH, ids=str)
    def test_reading_from_a_service_that_fails_says_what_to_do(
        self, failing: Fake, subject: Any, reading: Reading | None, row: Row
    ) -> None:
        self._reads(failing, subject, needed(reading, "read"), row)

    @pytest.mark.parametrize("row", BOTH + WRITE_ONLY, ids=str)
    def test_writing_to_a_service_that_fails_says_what_to_do_and_is_done_once_when_tried_again(
        self, failing: Fake, subject: Any, writing: Writing | None, row: Row
    ) -> None:
        self._writes(failing, subject, needed(writing, "written"), row)

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
            exempt(f"no errors in 200: {said}")
        row = Row(IN_200, (PluginError,), (PluginError,), fault=said)
        if reading:
            self._reads(failing, subject, reading, row)
        if writing:
            self._writes(failing, subject, writing, row)

    def test_whichever_answer_to_a_writing_is_lost_the_same_key_makes_one(
        self, failing: Fake, subject: Any, writing: Writing | None
    ) -> None:
        self._loses_each(failing, subject, needed(writing, "written"))

    @pytest.mark.parametrize("row", ELSEWHERE, ids=str)
    def test_every_other_writing_to_a_service_that_fails_says_so_and_is_done_once_when_tried_again(
        self, failing: Fake, subject: Any, writings: list[Writing], row: Row
    ) -> None:
        for writing in needed(writings, "written beside that"):
            self._writes(failing, subject, writing, row)

    @pytest.mark.parametrize("row", LACKING, ids=str)
    def test_an_answer_without_the_data_is_an_error_and_nothing_is_made_of_it(
        self, failing: Fake, subject: Any, reading: Reading | None, writing: Writing | None, row: Row
    ) -> None:
        if reading:
            self._reads(failing, subject, reading, row)
        if writing:
            self._writes(failing, subject, writing, row)

    def test_no_secret_is_seen_when_the_service_says_it_back(
        self, failing: Fake, subject: Any, reading: Reading | None, writing: Writing | None, hidden: list[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        with caplog.at_level(logging.DEBUG):
            failing.faults.add(repeating(hidden))
            read = raised_by(lambda: reading.run(subject)) if reading else None
            wrote = raised_by(lambda: writing.run(subject, fresh(), "said back")) if writing else None
        assert read or wrote, "a status of 400 is an error"
        for error in filter(None, (read, wrote)):
            shown = f"{error} {error!r} {error.user_message} {error.as_json()} {error.args}"
            shown += "".join(traceback.format_exception(error))
            assert not [secret for secret in hidden if secret in shown]
        logged = " ".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
        assert not [secret for secret in hidden if secret in logged]

    def test_a_check_with_refused_credentials_says_no_and_raises_nothing(self, failing: Fake, subject: Any) -> None:
        if self.no_check:
            exempt(f"nothing is asked: {self.no_check}")
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
            exempt(f"nothing is asked: {self.no_check}")
        failing.faults.add(self.error(503))
        with pytest.raises(PluginError) as caught:
            subject.check()
        assert not caught.value.stops, "a service that is unwell is no reason to stop the connection"
