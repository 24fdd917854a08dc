"""The built-in marketing automation: prospects and their streams."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.errors import InvalidInput
from plugins.marketing import Enrolment, EnrolmentState, Prospect
from plugins.marketing.builtin import BuiltinMarketing
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing import MarketingConformance

ADA = "ada@globex.example"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def marketing() -> BuiltinMarketing:
    subject: BuiltinMarketing = Registry(discover=list).open("marketing", "builtin", {}, records=MemoryRecords())
    return subject


def enrolment(state: EnrolmentState, minutes: int = 0, stream: str = "long-term") -> Enrolment:
    return Enrolment(ADA, stream, state, NOON + timedelta(minutes=minutes))


class TestBuiltinMarketing(MarketingConformance):
    adapter = BuiltinMarketing
    no_http = "keeps everything in Usher's own database"

    def count(self, subject: Any) -> int:
        return len(subject.records.list("marketing.prospect"))

    def state_of(self, subject: Any, email: str, stream: str) -> EnrolmentState | None:
        return {found.stream: found.state for found in subject.enrolments(email)}.get(stream)

    def events_of(self, subject: Any, email: str) -> list[str]:
        return [value["name"] for _, value in subject.records.list("marketing.event")]


def test_a_prospect_is_one_whatever_the_case_and_keeps_what_is_not_named(marketing: BuiltinMarketing) -> None:
    id = marketing.upsert(Prospect(ADA, name="Ada", fields={"a": 1}), key="k1")
    assert marketing.upsert(Prospect(ADA.upper(), score=70, fields={"b": 2}), key="k2") == id
    kept = marketing.records.get("marketing.prospect", id)
    assert kept is not None
    assert (kept["name"], kept["score"], kept["fields"]) == ("Ada", 70, {"a": 1, "b": 2})


def test_the_later_word_on_a_stream_counts_also_when_it_arrives_first(marketing: BuiltinMarketing) -> None:
    marketing.enrol(enrolment(EnrolmentState.PAUSED, minutes=5), key="k2")
    marketing.enrol(enrolment(EnrolmentState.ACTIVE), key="k1")
    assert marketing.enrolments(ADA.title()) == [enrolment(EnrolmentState.PAUSED, minutes=5)]


def test_opting_out_stops_every_stream_and_refuses_new_ones(marketing: BuiltinMarketing) -> None:
    marketing.enrol(enrolment(EnrolmentState.ACTIVE), key="k1")
    marketing.enrol(enrolment(EnrolmentState.PAUSED, stream="webinar"), key="k2")
    marketing.upsert(Prospect(ADA, opted_out=True), key="k3")
    assert {found.state for found in marketing.enrolments(ADA)} == {EnrolmentState.STOPPED}
    with pytest.raises(InvalidInput) as caught:
        marketing.enrol(enrolment(EnrolmentState.ACTIVE, minutes=9), key="k4")
    assert caught.value.field == "email"
    marketing.enrol(enrolment(EnrolmentState.STOPPED, minutes=9), key="k5")


def test_an_event_told_twice_is_kept_once(marketing: BuiltinMarketing) -> None:
    for _ in range(2):
        marketing.event(ADA, "page.viewed", NOON, {"path": "/pricing"}, key="k1")
    assert [value["data"] for _, value in marketing.records.list("marketing.event")] == [{"path": "/pricing"}]


def test_an_erased_person_is_gone_with_streams_and_deeds_and_others_stay(marketing: BuiltinMarketing) -> None:
    for n, email in enumerate((ADA, "bob@globex.example")):
        marketing.upsert(Prospect(email, name="Somebody"), key=f"p{n}")
        for stream in ("long-term", "webinar"):
            marketing.enrol(Enrolment(email, stream, EnrolmentState.ACTIVE, NOON), key=f"s{n}{stream}")
        marketing.event(email, "page.viewed", NOON, {"path": "/"}, key=f"e{n}")
    marketing.erase(ADA.upper())
    marketing.erase(ADA)
    kinds = [f"marketing.{kind}" for kind in ("prospect", "enrolment", "event")]
    left = [value for kind in kinds for _, value in marketing.records.list(kind)]
    assert len(left) == 4
    assert ADA not in str(left)
    assert len(marketing.enrolments("bob@globex.example")) == 2
