"""What the parts of a mapping, fates of fields and findings are called on the CRM's pages."""

from __future__ import annotations

from typing import Any

from plugins import registry
from plugins.errors import ConfigError

DIRECTIONS = {"out": "To the CRM", "in": "From it", "both": "Both ways"}
RULES = {"update": "Update", "fill": "Fill if empty", "create": "New only"}
RECORDS = {"people": "Person", "companies": "Company"}
BY_ITSELF = {"": "By value", **RECORDS}
NEW = {"create": "Make them", "never": "Never make them"}
KNOWN = {"update": "Bring up to date", "fill": "Fill empty fields", "never": "Leave alone"}
INTERACTIONS = {
    "transcript": "Transcripts of conversations",
    "handoff": "Visitors who asked for a person",
    "takeover": "People who took a chat over",
    "question": "Questions we could not answer",
    "qualified": "Qualification",
    "mail": "Mails sent to the visitor",
    "invitation": "Answers to invitations",
    "visit": "Visits to pages of high intent",
    "tracked": "What your pages report",
    "enrolled": "Streams enrolled in",
    "disqualified": "Why a lead is no fit",
}
FATES: dict[tuple[str, str], tuple[str, str]] = {
    ("create", ""): ("Set", "good"),
    ("update", ""): ("Change", "info"),
    ("keep", "same"): ("Same", "plain"),
    ("keep", "human"): ("Keep: edited there", "warn"),
    ("keep", "crm"): ("Keep: the CRM's", "warn"),
    ("keep", "rule"): ("Keep: by rule", "plain"),
    ("skip", "unknown"): ("Skip: not known", "plain"),
    ("skip", "in"): ("Comes from there", "plain"),
    ("refuse", "type"): ("Refused: value", "bad"),
    ("refuse", "field"): ("Refused: no field", "bad"),
}
RECORD_FATES = {
    "create": ("Is made", "good"),
    "update": ("Is changed", "info"),
    "keep": ("Stays as it is", "plain"),
    "skip": ("Is left out", "plain"),
    "refuse": ("Is refused", "bad"),
}
MATCHES = {"link": "Known", "email": "By e-mail", "domain": "By domain", "name": "By name", "": "No match"}
FINDINGS: dict[str, tuple[str, str, str]] = {
    "missing": ("Missing", "bad", "Told once, and gone there. Telling again makes them anew."),
    "unlinked": ("Never told", "warn", "The CRM has not heard of them yet."),
    "drifted": ("Drifted", "warn", "Theirs is behind ours. Telling again mends it."),
    "conflicting": ("Conflicting", "info", "Both sides say something else, and the CRM's word stands."),
    "duplicate": ("Duplicates", "bad", "Several records for one. Somebody has to join them in the CRM."),
    "refused": ("Refused", "bad", "The CRM does not take the value. Change the mapping or its `values`."),
}


def fate(one: Any) -> tuple[str, str]:
    """Label and tone of what becomes of a field."""
    return FATES.get((one.what, one.why)) or FATES.get((one.what, ""), (one.what, ""))


def worth_a_look(one: Any) -> bool:
    """Whether something happens to the field, or somebody could mind that nothing does."""
    return one.what in ("create", "update", "refuse") or one.why in ("human", "crm", "rule")


def parted(found: Any) -> tuple[list[Any], list[Any]]:
    """The fates that are worth a look, and the others."""
    return [one for one in found if worth_a_look(one)], [one for one in found if not worth_a_look(one)]


def of_crm(name: str) -> str:
    """A CRM as people call it."""
    if name == "builtin":
        return "the built-in CRM"
    try:
        return registry.load("crm", name.removeprefix("crm.")).title
    except ConfigError:
        return name


def agreement(counts: dict[str, Any]) -> int | None:
    """How much of what was looked at agrees, in percent; None when there was nothing."""
    wrong = sum(counts.get(name, 0) for name in FINDINGS if name != "duplicate")
    looked = counts.get("agree", 0) + wrong
    return round(100 * counts.get("agree", 0) / looked) if looked else None
