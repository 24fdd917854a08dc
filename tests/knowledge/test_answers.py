"""Answers: with their sources, from the articles alone, or none at all."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from plugins.ai import AI, Answer, Expectation, Passage, Understanding
from server.config.version import candidate
from server.knowledge import service

PRICES = "The Team plan costs 390 euros. It is paid monthly."
FILES = {
    "site.yml": "key: a\nname: Acme\norigins: [http://a]\n",
    "knowledge/prices.md": f"---\ntitle: Prices\nurl: /pricing\n---\n{PRICES}\n",
    "knowledge/trial.md": "---\ntitle: Trial\nurl: /trial\n---\nYou can try the Team plan for 14 days.\n",
    "knowledge/other.md": "A team works here.\n",
}
VERSION = candidate(FILES)


class Told(AI):
    """An outside AI that says what the test lets it say; it remembers what it was given."""

    def __init__(self, proposal: Answer | None) -> None:
        self.proposal = proposal
        self.given: Sequence[Passage] = ()

    def understand(
        self, text: str, expectation: Expectation, *, locale: str, now: datetime, zone: str
    ) -> Understanding:
        return Understanding()

    def answer(self, question: str, passages: Sequence[Passage], *, locale: str) -> Answer | None:
        self.given = passages
        return self.proposal


def ask(proposal: Answer | None, question: str = "What does the Team plan cost?", **files: Any) -> service.Found | None:
    return service.answer(candidate({**FILES, **files}), question, "en", Told(proposal))


def test_visitor_gets_an_answer_with_title_link_and_place_of_its_source() -> None:
    found = ask(Answer("The Team plan costs 390 euros.", ("prices#1",), 0.9))
    assert found is not None
    assert found.text == "The Team plan costs 390 euros."
    (citation,) = found.citations
    assert citation == service.Citation("Prices", "/pricing", "prices#1", (0, 30))
    assert 0.55 <= found.confidence <= 0.9


def test_an_answer_in_other_words_cites_the_whole_passage() -> None:
    found = ask(Answer("It is 390 euros each month.", ("prices#1",), 0.9))
    assert found is not None
    assert found.citations[0].span == (0, len(PRICES))


@pytest.mark.parametrize(
    "proposal",
    [
        None,
        Answer("The Team plan costs 390 euros.", (), 1.0),
        Answer("The Team plan costs 390 euros.", ("secret#1",), 1.0),
        Answer("The Team plan costs 290 euros.", ("prices#1",), 1.0),
        Answer("  ", ("prices#1",), 1.0),
    ],
    ids=["no answer", "no source", "invented source", "invented number", "no text"],
)
def test_what_the_articles_do_not_say_is_not_said(proposal: Answer | None) -> None:
    assert ask(proposal) is None


def test_a_question_that_nobody_wrote_an_answer_to_never_reaches_the_ai() -> None:
    ai = Told(Answer("We have an office in Lisbon.", ("prices#1",), 1.0))
    assert service.answer(VERSION, "What colour are the walls of your Lisbon office?", "en", ai) is None
    assert ai.given == ()


def test_the_ai_sees_only_passages_that_are_sure_enough() -> None:
    ai = Told(None)
    service.answer(VERSION, "What is the Team plan?", "en", ai)
    assert {(one.id, one.url) for one in ai.given} == {("prices#1", "/pricing"), ("trial#1", "/trial")}
    assert {hit.passage.id for hit in service.search(VERSION, "Team plan", "en")} > {one.id for one in ai.given}


def test_owner_sets_how_sure_an_answer_must_be() -> None:
    proposal = Answer("The Team plan costs 390 euros.", ("prices#1",), 1.0)
    strict = FILES["site.yml"] + "answers: {threshold: 1.0}\n"
    question = "Whats the pricng of the team plan"
    assert ask(proposal, question) is not None
    assert ask(proposal, question, **{"site.yml": strict}) is None
