"""What was typed is probably a slip ("ada@gmial.com"): ask whether something else was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plugins.ai import Expect, Expectation, Option, Understanding
from server import clock
from server.playbooks.rules import builtin

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

_YES = ("ja", "oui", "sí")


def asked(step: Mapping[str, Any]) -> tuple[Option, ...]:
    """What was suggested, for a visitor who says yes to it; nothing before."""
    return (Option(step["suggestion"], "yes", _YES),) if "suggestion" in step else ()


def ask(turn: Turn, meant: Understanding) -> bool:
    """Ask whether it was meant, once; False when nothing is suggested, or was before."""
    if not meant.suggestion or "suggestion" in turn.memory.step:
        return False
    value = turn.memory.step["suggestion"] = meant.suggestion
    part = {"kind": "choices", "options": [{"id": value, "label": value}], "multi": False}
    turn.say(turn.word("did_you_mean", value=value), part=part)
    return True


def of_address(turn: Turn, email: str) -> str:
    """What was probably meant by an address in a form; "" when nothing else was, or when it was asked before."""
    if not email or turn.memory.step.get("insisted") == email:
        return ""
    expected = Expectation(Expect.EMAIL)
    meant = builtin().understand(email, expected, locale=turn.locale, now=clock.now(), zone=turn.zone)
    if meant.suggestion:
        turn.memory.step["insisted"] = email
    return meant.suggestion


def taken(turn: Turn, value: Mapping[str, Any]) -> str:
    """What was suggested, when its button was pressed; else ""."""
    suggested = str(turn.memory.step.get("suggestion", ""))
    return suggested if value.get("option") == suggested else ""
