"""Articles as owners write them: what is refused, and how they are cut into passages."""
from __future__ import annotations

import pytest

from server.config import service
from server.config.version import Section, candidate
from server.knowledge.passages import MOST, Passage, passages_of
from server.knowledge.schema import Article, Synonyms, languages_are_spoken

SITE = "key: a\nname: A\norigins: [http://a]\nlocales: [en, de]\n"
SECTIONS = [Section(Article, languages_are_spoken), Section(Synonyms)]


def cut(text: str, name: str = "my-article") -> list[Passage]:
    version = candidate({"site.yml": SITE, f"knowledge/{name}.md": text})
    return passages_of(name, version.part(Article)[name], "en")


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("a.md", "---\ntitel: A\n---\nText", 'knowledge/a.md:2: titel: unknown key "titel"; did you mean "title"?'),
        (
            "a.md",
            "---\ntitle: A\n---\n  \n",
            "knowledge/a.md:4: body: found no text, allowed the article below the front matter",
        ),
        (
            "a.md",
            "---\nurl: pricing\n---\nText",
            'knowledge/a.md:2: url: found "pricing", allowed a page such as "/pricing" or an address that '
            "starts with https://",
        ),
        (
            "a.md",
            "---\nurl: javascript:alert(1)\n---\nText",
            'knowledge/a.md:2: url: found "javascript:alert(1)", allowed a page such as "/pricing" or an address that '
            "starts with https://",
        ),
        (
            "a.md",
            "---\nlocale: it\n---\nTesto",
            'knowledge/a.md:2: locale: found "it", allowed a language of the site: "de", "en"',
        ),
        (
            "synonyms.yml",
            "synonyms: [[seat, sign on]]",
            'knowledge/synonyms.yml:1: synonyms[0][1]: found "sign on", allowed single words, without spaces and signs',
        ),
        ("a.txt", "Text", 'knowledge/a.txt: unknown file; did you mean "knowledge/a.md"?'),
        ("a.md", "---\n- x\n---\nText", "knowledge/a.md:2: found a list, allowed keys such as title: Prices"),
    ],
)
def test_owner_reads_exactly_what_is_wrong(file: str, text: str, expected: str) -> None:
    assert [str(one) for one in service.check({"site.yml": SITE, f"knowledge/{file}": text}, SECTIONS)] == [expected]


def test_headings_become_the_path_of_their_passages() -> None:
    team = "# Team\n\nTeam text.\n\n## Limits\n\nLimit text."
    text = f"---\ntitle: Plans\nurl: /p\n---\nIntro.\n\n{team}\n\n# Other\n\nOther text."
    assert [(one.id, one.path, one.text) for one in cut(text)] == [
        ("my-article#1", "Plans", "Intro."),
        ("my-article#2", "Plans › Team", "Team text."),
        ("my-article#3", "Plans › Team › Limits", "Limit text."),
        ("my-article#4", "Plans › Other", "Other text."),
    ]
    assert {one.url for one in cut(text)} == {"/p"}


def test_an_article_without_title_takes_its_first_heading_or_its_name() -> None:
    assert cut("# Prices\n\nText.")[0].path == "Prices"
    assert cut("Text.")[0].title == "My article"


def test_markdown_is_read_as_plain_text() -> None:
    text = (
        "A **bold** [link](https://x.example) and `code`\nwith <b>tags</b>.\n\n"
        "- one\n- two\n\n| Term | Rate |\n|---|---|\n| 24 | 149 |\n\n```\ncurl  x\n```\n"
    )
    (passage,) = cut(text)
    assert passage.text.split("\n") == [
        "A bold link and code with <b>tags</b>.",
        "one",
        "two",
        "Term | Rate",
        "24 | 149",
        "curl x",
    ]


def test_long_texts_are_cut_between_sentences() -> None:
    sentence = "This sentence has exactly eight words in it."
    passages = cut(" ".join([sentence] * 60))
    assert len(passages) > 3
    assert all(len(one.text.split()) <= MOST for one in passages)
    assert all(one.text.endswith(".") for one in passages)
    assert " ".join(one.text for one in passages) == " ".join([sentence] * 60)


def test_no_word_of_an_article_is_lost() -> None:
    words = [f"word{number}" for number in range(1000)]
    assert " ".join(one.text for one in cut(" ".join(words))).split() == words
