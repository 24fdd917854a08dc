"""Visitors ask in their own words; what the articles hold is found, what they do not hold is not made up."""
from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from server.config import folder
from server.config.version import Version, candidate
from server.knowledge import service
from server.knowledge.index import Hit

BIKES = Path(__file__).parent / "bikes"
SITE = "key: a\nname: Nordlicht Cargo\norigins: [http://a]\nlocales: [en, de, fr, es]\n"


def bikes() -> tuple[Version, list[dict[str, Any]]]:
    """The folder of a made-up company, and what its visitors ask."""
    files = folder.load(BIKES)
    return candidate(files), YAML(typ="safe", pure=True).load(files.pop("questions.yml"))["questions"]


VERSION, QUESTIONS = bikes()


def company(**articles: str) -> Version:
    return candidate({"site.yml": SITE} | {f"knowledge/{name}.md": text for name, text in articles.items()})


def best(version: Version, question: str, locale: str = "en") -> Hit | None:
    return next(iter(service.search(version, question, locale)), None)


def confidence(version: Version, question: str, locale: str = "en") -> float:
    hit = best(version, question, locale)
    return hit.confidence if hit else 0.0


def test_most_questions_that_the_articles_answer_find_their_article() -> None:
    asked = [one for one in QUESTIONS if "in" in one]
    found = [
        one["ask"]
        for one in asked
        if (hit := best(VERSION, one["ask"], one.get("locale", "en")))
        and hit.confidence >= 0.55
        and hit.passage.id.split("#")[0] in one["in"]
    ]
    assert len(found) / len(asked) >= 0.85, sorted({one["ask"] for one in asked} - set(found))


def test_questions_that_nobody_wrote_an_answer_to_stay_below_the_threshold() -> None:
    asked = [one for one in QUESTIONS if "in" not in one]
    sure = [one["ask"] for one in asked if confidence(VERSION, one["ask"], one.get("locale", "en")) >= 0.5]
    assert len(asked) == 30
    assert len(sure) <= 1, sure


@pytest.mark.parametrize(
    ("question", "locale", "article"),
    [
        ("chargng cabnet", "en", "battery"),
        ("WARRANTY FOR THE MOTOR???", "en", "warranty"),
        ("garantia bateria", "es", "garantia"),
        ("Reichweite der Akkus", "de", "akku"),
        ("Onfleet", "fr", "telematics"),
        ("leasing 36 months rate", "en", "leasing"),
        ("rental", "en", "leasing"),
    ],
)
def test_visitor_is_understood_despite_errors_accents_forms_and_tags(question: str, locale: str, article: str) -> None:
    hit = best(VERSION, question, locale)
    assert hit is not None
    assert (hit.passage.id.split("#")[0], hit.confidence >= 0.55) == (article, True)


def test_visitor_gets_the_article_in_the_language_spoken_and_another_when_there_is_none() -> None:
    assert best(VERSION, "battery", "en").passage.locale == "en"  # type: ignore[union-attr]
    assert best(VERSION, "Akku", "de-AT").passage.locale == "de"  # type: ignore[union-attr]
    assert best(VERSION, "SAP GPS Bringg", "es").passage.locale == "en"  # type: ignore[union-attr]


def test_an_unknown_word_counts_fully_against_every_passage() -> None:
    version = company(prices="The Team plan costs 390 euros.", trial="Try it for fourteen days.")
    assert confidence(version, "What does the Team plan cost?") > 0.9
    assert confidence(version, "What does the Zebra cost?") < 0.5
    assert confidence(version, "zebra") == 0.0
    assert confidence(version, "What is it?") == 0.0


def test_the_companys_own_name_says_nothing() -> None:
    version = company(about="Nordlicht Cargo builds bikes.", boss="Ada leads the team.")
    assert confidence(version, "Who is the CEO of Nordlicht Cargo?") == 0.0


def test_owner_teaches_words_of_the_trade() -> None:
    files = company(seats="Every seat has its own sign-in.").files
    assert confidence(candidate(files), "licence") == 0.0
    taught = {**files, "knowledge/synonyms.yml": "synonyms:\n  - [seat, licence]\n"}
    assert confidence(candidate(taught), "licences") > 0.8


def test_asking_whether_something_is_supported_asks_for_that_thing() -> None:
    version = company(help="Support answers within a day.", sso="SSO with Okta is part of Enterprise.")
    hit = best(version, "Do you support SSO?")
    assert hit is not None
    assert (hit.passage.id, hit.confidence) == ("sso#1", 1.0)


def test_thousands_and_glued_numbers_are_the_same_number() -> None:
    version = company(prices="Enterprise starts at €1,900. We hold a SOC 2 report.", other="Nothing.")
    assert confidence(version, "enterprise 1900") > 0.9
    assert confidence(version, "soc2 report") > 0.9


def test_terms_tell_which_words_were_met() -> None:
    hit = best(company(prices="The Team plan costs 390 euros."), "team plan in Lisbon")
    assert hit is not None
    assert hit.terms == ("team", "plan")


def test_an_index_is_built_once_and_asked_by_many_threads() -> None:
    version = company(prices="The Team plan costs 390 euros.", trial="Try it for fourteen days.")
    seen: list[object] = []

    def ask() -> None:
        for _ in range(20):
            hit = best(version, "team plan cost")
            seen.append((id(service.index_of(version)), hit and hit.passage.id))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 160
    assert len(set(seen)) == 1


def test_a_folder_without_articles_knows_nothing() -> None:
    assert service.search(company(), "anything", "en") == []


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from(["en", "de", "fr", "es", "ja", "x"]))
def test_no_question_breaks_the_search(question: str, locale: str) -> None:
    for hit in service.search(VERSION, question, locale):
        assert 0 <= hit.confidence <= 1
