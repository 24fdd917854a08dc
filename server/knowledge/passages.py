"""Articles cut into passages: plain text of about ninety words, each under its headings, as answers quote them."""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from server.knowledge.schema import Article

AIM = 90  # words
MOST = 130

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-zà-ÿ]|[¿¡\"“«\d])")


@dataclass(frozen=True)
class Passage:
    """`title` is the article's, `headings` those above the text; `id` is the file and the passage's number in it."""

    id: str
    title: str
    headings: tuple[str, ...]
    url: str
    locale: str
    text: str
    tags: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """`Plans and prices › Team`."""
        return " › ".join((self.title, *self.headings))


def passages_of(name: str, article: Article, site_locale: str) -> list[Passage]:
    """The passages of one article in order."""
    sections = list(_sections(article.body))
    first = next((headings[0] for headings, _ in sections if headings), name.replace("-", " ").capitalize())
    title = article.title or first
    locale = article.locale or site_locale
    found: list[Passage] = []
    for headings, blocks in sections:
        below = headings[1:] if headings[:1] == (title,) else headings
        for text in _cut(blocks):
            number = len(found) + 1
            found.append(Passage(f"{name}#{number}", title, below, article.url, locale, text, tuple(article.tags)))
    return found


def plain_text(inline: Token) -> str:
    """What a reader sees of a line of Markdown."""
    pieces = []
    for child in inline.children or []:
        if child.type in ("text", "code_inline"):
            pieces.append(child.content)
        elif child.type == "image":
            pieces.append(plain_text(child))
        elif child.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
    return " ".join("".join(pieces).split())


def _sections(body: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """(headings, blocks of text) for each stretch under the same headings."""
    headings: list[tuple[int, str]] = []
    blocks: list[str] = []
    tokens = _MARKDOWN.parse(body)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            if blocks:
                yield tuple(text for _, text in headings), blocks
            level = int(token.tag[1:])
            headings = [*(one for one in headings if one[0] < level), (level, plain_text(tokens[number + 1]))]
            blocks = []
        elif token.type == "tr_open":
            blocks.append("")
        elif token.type == "inline" and tokens[number - 1].type in ("td_open", "th_open"):
            blocks[-1] = " | ".join(filter(None, (blocks[-1], plain_text(token))))
        elif token.type == "inline" and tokens[number - 1].type != "heading_open":
            blocks.append(plain_text(token))
        elif token.type in ("fence", "code_block"):
            blocks.append(" ".join(token.content.split()))
    if blocks:
        yield tuple(text for _, text in headings), blocks


def _cut(blocks: list[str]) -> Iterator[str]:
    """Blocks joined up to AIM words, a line each; one that is longer than MOST is cut between sentences."""
    text, length = "", 0
    for block in filter(None, blocks):
        for number, piece in enumerate(_pieces(block)):
            words = len(piece.split())
            if length and (length + words > MOST or length >= AIM):
                yield text
                text, length = "", 0
            text = f"{text}{' ' if number else chr(10)}{piece}" if text else piece
            length += words
    if text:
        yield text


def _pieces(block: str) -> Iterator[str]:
    """A block as it is, or its sentences; a sentence beyond all measure in stretches."""
    if len(block.split()) <= MOST:
        yield block
        return
    for sentence in _SENTENCE_END.split(block):
        words = sentence.split()
        for start in range(0, len(words), AIM):
            yield " ".join(words[start : start + AIM])
