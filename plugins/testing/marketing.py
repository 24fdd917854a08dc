"""What every marketing adapter must pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.errors import InvalidInput, PluginError
from plugins.marketing import Capability, Enrolment, EnrolmentState, Marketing, Prospect
from plugins.testing.conformance import at_once, requires
from plugins.testing.deeds import Writing
from plugins.testing.errors import ErrorTable
from plugins.testing.guard import exempt, left_out

ADA = Prospect("ada@globex.example", name="Ada Lovelace", company="Globex", score=40.0)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STREAM = "long-term"


def enrolled(state: EnrolmentState = EnrolmentState.ACTIVE, minutes: int = 0, stream: str = STREAM) -> Enrolment:
    """Ada in the stream, as of so many minutes past noon."""
    return Enrolment(ADA.email, stream, state, NOON + timedelta(minutes=minutes))


class MarketingConformance(ErrorTable):
    """The author gives `fake` and `count`; for ENROL `state_of`, for EVENTS `events_of`. The fake knows the streams
    `long-term` and `webinar`."""

    def count(self, subject: Marketing) -> int:
        """How many prospects the service holds."""
        raise NotImplementedError

    def state_of(self, subject: Marketing, email: str, stream: str) -> EnrolmentState | None:
        """Where the service has this person in that stream."""
        left_out("state_of(): where a person is in a stream")

    def events_of(self, subject: Marketing, email: str) -> list[str]:
        """The names of what this person did, as the service keeps them."""
        left_out("events_of(): what a person did")

    @pytest.fixture
    def writing(self) -> Writing | None:
        def upsert(subject: Marketing, n: int, key: str) -> str:
            return subject.upsert(replace(ADA, email=_email(n)), key=key)

        return Writing("upsert", upsert, lambda subject, n: self.count(subject))

    @pytest.fixture
    def writings(self) -> list[Writing]:
        found = []
        if Capability.ENROL in self.adapter.capabilities:
            found.append(Writing("enrol", _enrol, self._enrolments, prepare=_prospect))
        if Capability.EVENTS in self.adapter.capabilities:
            found.append(
                Writing("event", _event, lambda subject, n: len(self.events_of(subject, _email(n))), prepare=_prospect)
            )
        return found

    def _events(self, subject: Marketing, n: int) -> int:
        return len(self.events_of(subject, _email(n)))

    def _enrolments(self, subject: Marketing, n: int) -> int:
        return int(self.state_of(subject, _email(n), STREAM) is EnrolmentState.ACTIVE)

    def test_a_prospect_is_one_whatever_the_case_and_however_often(self, subject: Any) -> None:
        first = subject.upsert(ADA, key="k1")
        assert first
        assert subject.upsert(ADA, key="k1") == first
        assert subject.upsert(replace(ADA, email="ADA@Globex.Example", score=70.0), key="k2") == first
        assert self.count(subject) == 1

    def test_eight_at_once_with_one_email_make_one_prospect(self, subject: Any) -> None:
        assert len(set(at_once(lambda n: subject.upsert(replace(ADA, score=float(n)), key=f"k{n}")))) == 1
        assert self.count(subject) == 1

    def test_what_is_no_email_is_refused_by_field(self, subject: Any) -> None:
        with pytest.raises(InvalidInput) as caught:
            subject.upsert(replace(ADA, email="ada"), key="k1")
        assert caught.value.field == "email"

    @requires(Capability.ENROL)
    def test_the_latest_word_on_a_stream_counts_and_saying_it_twice_is_fine(self, subject: Any) -> None:
        subject.upsert(ADA, key="k1")
        for _ in range(2):
            subject.enrol(enrolled(), key="k2")
        assert self.state_of(subject, ADA.email, STREAM) is EnrolmentState.ACTIVE
        subject.enrol(enrolled(EnrolmentState.STOPPED, minutes=9), key="k3")
        assert self.state_of(subject, ADA.email, STREAM) is EnrolmentState.STOPPED

    @requires(Capability.ENROL)
    def test_who_opted_out_is_not_enrolled_again(self, subject: Any) -> None:
        subject.upsert(ADA, key="k1")
        subject.enrol(enrolled(), key="k2")
        subject.upsert(replace(ADA, opted_out=True), key="k3")
        with pytest.raises(InvalidInput) as caught:
            subject.enrol(enrolled(minutes=9, stream="webinar"), key="k4")
        assert caught.value.field == "email"
        assert self.state_of(subject, ADA.email, "webinar") in (None, EnrolmentState.STOPPED)

    @requires(Capability.ENROL)
    def test_a_stream_that_is_not_there_is_an_error(self, subject: Any) -> None:
        if self.no_http:
            exempt(f"any name is a stream: {self.no_http}")
        subject.upsert(ADA, key="k1")
        with pytest.raises(PluginError):
            subject.enrol(enrolled(stream="no such stream"), key="k2")

    @requires(Capability.EVENTS)
    def test_an_event_told_twice_is_kept_once_and_another_key_is_another(self, subject: Any) -> None:
        subject.upsert(ADA, key="k1")
        for key in ("k2", "k2", "k3"):
            subject.event(ADA.email, "page.viewed", NOON, {"path": "/pricing"}, key=key)
        assert len(self.events_of(subject, ADA.email)) == 2


def _email(n: int) -> str:
    return f"ada{n}@globex.example"


def _prospect(subject: Marketing, n: int) -> str:
    subject.upsert(replace(ADA, email=_email(n)), key=f"prospect {n}")
    return _email(n)


def _enrol(subject: Marketing, email: str, key: str) -> None:
    subject.enrol(replace(enrolled(), email=email), key=key)


def _event(subject: Marketing, email: str, key: str) -> None:
    subject.event(email, "page.viewed", NOON, {"path": "/pricing"}, key=key)
