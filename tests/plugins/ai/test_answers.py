"""Answers quote the passages or are not given."""

from __future__ import annotations

import pytest

from plugins.ai import Passage
from plugins.ai.builtin import BuiltinAI
from plugins.ai.rules.answering import quotes, sentences

PLANS = Passage(
    "plans", "Plans and prices", "/pricing",
    "# Plans\nThe Starter plan costs 49 euros a month. It includes five users. "
    "Every plan has a free trial of 14 days.\n"
    "- You can cancel at the end of any month.", 0.8,
)  # fmt: skip
SAFE = Passage(
    "safe", "Security", "/security",
    "Data is stored in Frankfurt, Germany. All data is encrypted at rest and in transit. We follow the GDPR.", 0.5,
)  # fmt: skip
GERMAN = Passage("preise", "Preise", "/preise", "Der Starttarif kostet 49 Euro im Monat. Er gilt für fünf Nutzer.", 0.7)
FRENCH = Passage("prix", "Tarifs", "/tarifs", "L'offre Start coûte 49 euros par mois. L'essai dure 14 jours.", 0.7)
SPANISH = Passage(
    "precios", "Precios", "/precios", "El plan inicial cuesta 49 euros al mes. Incluye cinco usuarios.", 0.7
)


@pytest.mark.parametrize(
    ("locale", "question", "passages", "told", "source"),
    [
        ("en", "what does the starter plan cost?", [PLANS, SAFE], "49 euros", "plans"),
        ("en", "how much is starter", [PLANS, SAFE], "49 euros", "plans"),
        ("en", "is there a free trial", [PLANS, SAFE], "14 days", "plans"),
        ("en", "where is my data stored?", [SAFE, PLANS], "Frankfurt", "safe"),
        ("en", "are you gdpr compliant", [SAFE, PLANS], "GDPR", "safe"),
        ("en", "can i cancel any month", [PLANS, SAFE], "cancel at the end", "plans"),
        ("de", "was kostet der starttarif?", [GERMAN], "49 Euro", "preise"),
        ("fr", "combien coûte l'offre start ?", [FRENCH], "49 euros", "prix"),
        ("es", "¿cuánto cuesta el plan inicial?", [SPANISH], "49 euros", "precios"),
    ],
)  # fmt: skip
def test_a_visitor_is_told_what_the_passages_say(
    ai: BuiltinAI, locale: str, question: str, passages: list[Passage], told: str, source: str
) -> None:
    answer = ai.answer(question, passages, locale=locale)
    assert answer is not None
    assert told in answer.text
    assert answer.citations[0] == source
    assert 0 < answer.confidence <= 1


@pytest.mark.parametrize(
    "question", ["do you have a python sdk?", "who won the world cup", "can i pay with bitcoin", "", "??", "what is it"]
)
def test_a_visitor_is_told_nothing_when_the_passages_are_silent(ai: BuiltinAI, question: str) -> None:
    assert ai.answer(question, [PLANS, SAFE], locale="en") is None


def test_no_word_is_invented(ai: BuiltinAI) -> None:
    for question in (
        "what does the starter plan cost and is there a trial?",
        "is data encrypted and stored in germany?",
    ):
        chosen = quotes(question, [PLANS, SAFE], "en")
        answer = ai.answer(question, [PLANS, SAFE], locale="en")
        assert answer is not None
        assert 1 <= len(chosen) <= 3
        assert answer.text == " ".join(quote.passage.text[quote.start : quote.end] for quote in chosen)
        assert set(answer.citations) == {quote.passage.id for quote in chosen}


def test_sentences_end_where_people_end_them() -> None:
    text = "It costs $4.50 a day. Ask us!\n- See example.com for more"
    assert [text[a:b] for a, b in sentences(text)] == ["It costs $4.50 a day.", "Ask us!", "See example.com for more"]


def test_without_passages_there_is_no_answer(ai: BuiltinAI) -> None:
    assert ai.answer("what does it cost?", [], locale="en") is None
