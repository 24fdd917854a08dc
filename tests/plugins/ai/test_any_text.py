"""Whatever is typed: nothing raises, and no value is made up."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.ai import Expect, Expectation, FormField, Option, Passage
from plugins.ai.builtin import BuiltinAI

OPTIONS = tuple(Option(f"o{place}", label) for place, label in enumerate(("Sales", "Support", "Yes", "No", "2-4", "")))
STARTS = tuple(Option(f"2026-03-0{day}T0{hour}:00:00+00:00", "") for day in (5, 6) for hour in (8, 9))
FIELDS = (FormField("name", "Name"), FormField("email", "E-mail", "email"), FormField("size", "Size", "number", False))
ODD = """
    next last monday 31 february 99 24:00 12k half a million at 25 end of in 9999 years the 0 weeks ago half quarter to
    -5 1.2.3 30.2. 29/2 2-4pm between and morgen halb übermorgen 14h30 à las media menos mañana everything not 00:00 🙂
    @ ada@ .com +49 ¿ ? ! I'm from von der and 1000000000000000000 q9 13/13 3pm am pm 12 12 o'clock quarter past
"""
WORDS = st.sampled_from(ODD.split())
TEXTS = st.one_of(st.text(max_size=120), st.lists(WORDS, max_size=14).map(" ".join))
KINDS = st.sampled_from(list(Expect))


def expectation(kind: Expect) -> Expectation:
    return Expectation(kind, STARTS if kind is Expect.SLOT else OPTIONS, FIELDS, OPTIONS[:2])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=TEXTS,
    kind=KINDS,
    locale=st.sampled_from(["en", "de-AT", "fr", "es", "pt", "", "zh-Hans"]),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Nowhere/Land", ""]),
    now=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28), timezones=st.just(UTC)),
)
def test_nothing_a_visitor_types_breaks_it(
    ai: BuiltinAI, text: str, kind: Expect, locale: str, zone: str, now: datetime
) -> None:
    asked = expectation(kind)
    heard = ai.understand(text, asked, locale=locale, now=now, zone=zone)
    assert 0 <= heard.confidence <= 1
    ids = {option.id for option in asked.options}
    if kind is Expect.CHOICE and heard.matched:
        assert heard.value in ids
    if kind is Expect.MULTI and heard.matched:
        assert set(heard.value) <= ids  # type: ignore[arg-type]
    if kind is Expect.SLOT and heard.matched:
        assert heard.value in {datetime.fromisoformat(start.id) for start in STARTS}
    if kind is Expect.NONE:
        assert (heard.matched, heard.value) == (False, None)
    assert heard == ai.understand(text, asked, locale=locale, now=now, zone=zone)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=TEXTS, texts=st.lists(st.text(max_size=200), max_size=4))
def test_an_answer_only_ever_holds_words_of_its_passages(ai: BuiltinAI, question: str, texts: list[str]) -> None:
    passages = [Passage(str(place), "", "", text) for place, text in enumerate(texts)]
    answer = ai.answer(question, passages, locale="en")
    if answer is not None:
        words = {word for text in texts for word in text.split()}
        assert all(any(word in known for known in words) for word in answer.text.split())
        assert answer.citations


def test_a_long_free_answer_is_kept_whole(ai: BuiltinAI) -> None:
    text = "we want more meetings " * 150
    heard = ai.understand(text, Expectation(Expect.TEXT), locale="en", now=datetime(2026, 3, 3, tzinfo=UTC), zone="UTC")
    assert heard.value == text.strip()


def test_wide_spaces_and_line_ends_change_nothing(ai: BuiltinAI) -> None:
    now = datetime(2026, 3, 3, tzinfo=UTC)
    asked = Expectation(Expect.NUMBER)
    heard = [
        ai.understand(text, asked, locale="en", now=now, zone="UTC")
        for text in ("about 50 people", " about\u00a0 50\n people ")
    ]
    assert [one.value for one in heard] == [50, 50]
