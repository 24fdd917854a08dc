"""knowledge/*.md and knowledge/synonyms.yml of the site folder."""
from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from server.config.problems import Problem, unknown_name
from server.config.schema import FolderPart, Locale, Part
from server.config.version import Version

MAX_BODY = 200_000  # characters


def _url(value: str) -> str:
    if value and not value.startswith(("/", "https://", "http://")) or value.startswith("//"):
        raise ValueError('allowed a page such as "/pricing" or an address that starts with https://')
    return value


def _body(value: str) -> str:
    if not value.strip():
        raise ValueError("found no text, allowed the article below the front matter")
    return value


class Article(FolderPart):
    """One page of what the company knows; its passages are what answers quote."""

    FOLDER: ClassVar[str] = "knowledge"
    SUFFIX: ClassVar[str] = ".md"

    title: str = Field("", max_length=200, description="The source shown; else the first heading or the file name")
    url: Annotated[str, AfterValidator(_url)] = Field("", description="Where a visitor can read on")
    locale: Locale | None = Field(None, description="The language it is written in; else the site's main one")
    tags: list[str] = Field([], description="Other words visitors use for this")
    body: Annotated[str, AfterValidator(_body)] = Field(max_length=MAX_BODY)


def _word(value: str) -> str:
    if not value.isalnum():
        raise ValueError("allowed single words, without spaces and signs")
    return value


Word = Annotated[str, AfterValidator(_word)]


class Synonyms(Part):
    """Words that mean the same to this company's visitors, whatever the language."""

    FILE: ClassVar[str] = "knowledge/synonyms.yml"

    synonyms: list[Annotated[list[Word], Field(min_length=2, max_length=30)]] = Field(
        [], max_length=500, description="Groups such as [seat, licence, user]"
    )


def languages_are_spoken(version: Version) -> list[Problem]:
    """The cross check: an article in a language that the site does not speak would never be found first."""
    spoken = version.site.languages
    known = {language.split("-")[0] for language in spoken}
    kind = "a language of the site"
    return [
        version.problem(f"knowledge/{name}.md", ("locale",), unknown_name(article.locale, spoken, kind))
        for name, article in version.part(Article).items()
        if article.locale and article.locale.split("-")[0] not in known
    ]
