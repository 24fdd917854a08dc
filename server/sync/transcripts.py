"""What was said in a conversation, as records for the CRM. Records are added, never rewritten: when a conversation goes
on after it was told, the next record begins where the last one ended (S1-53)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from plugins.crm import ActivityKind
from server.config.service import Version
from server.sync.activities import activity
from server.sync.values import console_url

MOST_CHARACTERS = 20_000
"""Of one record; services take 30,000 to 65,000."""


@dataclass(frozen=True)
class Piece:
    """One record: messages up to number `until`."""

    until: int
    activity: dict[str, Any]


def pieces(
    version: Version, conversation: Any, messages: Sequence[Any], *, told: int, facts: Sequence[tuple[str, str]]
) -> Iterator[Piece]:
    """The records for what was said after message number `told`. `facts` (name, text) head the first of all."""
    fresh = [message for message in messages if message.seq > told]
    head = [f"{name}: {text}" for name, text in facts if text] if not told else []
    for number, (lines, last) in enumerate(_parts(version, fresh)):
        whole = [*head, *([""] if head else []), *lines] if number == 0 else lines
        subject = (
            f"Chat on {conversation.path}" if not told and number == 0 else f"Chat on {conversation.path}, went on"
        )
        url = console_url("conversations", conversation.id)
        yield Piece(last.seq, activity(ActivityKind.CHAT, last.at, subject, "\n".join(whole), url=url))


def key_of(conversation_id: str, until: int) -> str:
    """The delivery that tells a conversation up to this message."""
    return f"crm:chat:{conversation_id}:{until}"


def told_until(conversation_id: str, keys: Sequence[str]) -> int:
    """The last message that these deliveries tell."""
    root = f"crm:chat:{conversation_id}:"
    return max((int(key.removeprefix(root)) for key in keys if key.startswith(root)), default=0)


def _parts(version: Version, messages: Sequence[Any]) -> Iterator[tuple[list[str], Any]]:
    """Lines in parts that a record can hold, each with its last message."""
    lines: list[str] = []
    size, last = 0, None
    for message in messages:
        line = _line(version, message)
        if last is not None and size + len(line) > MOST_CHARACTERS:
            yield lines, last
            lines, size = [], 0
        lines, size, last = [*lines, line], size + len(line) + 1, message
    if last is not None:
        yield lines, last


def _line(version: Version, message: Any) -> str:
    at = message.at.astimezone(ZoneInfo(version.site.zone))
    who = {"visitor": "Visitor", "bot": message.name or version.site.brand.agent_name}.get(message.author, message.name)
    sources = [str(one.get("title") or one.get("url") or "") for one in message.citations]
    cited = f" [{', '.join(filter(None, sources))}]" if any(sources) else ""
    return f"{at:%d %b %Y %H:%M} {who}: {message.text}{cited}"
