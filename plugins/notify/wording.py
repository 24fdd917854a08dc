"""An alert as plain text, for services that show nothing else."""

from __future__ import annotations

from plugins.notify import Alert


def plain(alert: Alert, most: int) -> str:
    """Title, text, facts and the link, at most so many characters; what is too much is taken from the middle, so that
    title and link stay whole as long as they fit at all."""
    facts = "\n".join(f"{label}: {value}" for label, value in alert.facts.items())
    middle = "\n".join(part for part in (alert.text, facts) if part)
    room = most - len(alert.title) - (len(alert.url) + 1 if alert.url else 0) - 1
    parts = (alert.title, shortened(middle, room), alert.url)
    return shortened("\n".join(part for part in parts if part), most)


def shortened(text: str, most: int) -> str:
    """At most so many characters, with an ellipsis where something is missing."""
    if len(text) <= most:
        return text
    return text[: max(0, most - 1)].rstrip() + "…" if most > 0 else ""
