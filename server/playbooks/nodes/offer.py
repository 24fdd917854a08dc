"""`offer`: a page or document to look at, as a card."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from server.config.schema import Part
from server.expressions import LocaleText
from server.playbooks.node import Move, Node
from server.playbooks.turn import Turn


class Card(Part):
    """What the card shows. `url` is a path of the website or an address."""

    title: LocaleText
    url: str = Field(
        pattern=r"^(/|https?://|mailto:|tel:)\S*$",
        description="A path such as /pricing, or an address: http, https, mailto or tel",
    )
    text: LocaleText | None = None
    image: str | None = Field(None, pattern=r"^(/|https?://)\S*$")


class Offer(Node):
    """Shows the card and goes on."""

    KEY: ClassVar[str] = "offer"

    offer: Card

    def run(self, turn: Turn) -> Move:
        card = self.offer
        title, text = turn.text(card.title), turn.text(card.text) if card.text else ""
        part = {"kind": "offer", "title": title, "url": card.url, "text": text}
        turn.say(text or title, part=part | ({"image": card.image} if card.image else {}))
        turn.reach("offer")
        return self.on()
