"""What becomes of each field when we tell the CRM about a record, and why. Pure; dry run, delivery and report agree
because they all ask here.

human > CRM > form > conversation > enrichment, and what somebody changed there after we had written it is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from plugins.crm import RemoteField
from server.sync.schema import Mapped, Records
from server.sync.values import CRM, HUMAN, Value

CREATE, UPDATE, KEEP, SKIP, REFUSE = "create", "update", "keep", "skip", "refuse"
SAME, HUMAN_EDIT, CRM_FIRST, RULE, UNKNOWN, COMES_IN = "same", "human", "crm", "rule", "unknown", "in"
CUT, SHORTEST = "…", 40
"""What adapters put at the end of a text of which a column of the CRM takes the beginning only; none is shorter."""
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class Fate:
    """One field. `what`: create | update | keep | skip | refuse; `why` a word for programs, `because` a sentence."""

    mapped: Mapped
    what: str
    why: str = ""
    because: str = ""
    ours: Any = None
    theirs: Any = None

    @property
    def is_written(self) -> bool:
        return self.what in (CREATE, UPDATE)


def decide(
    mapped: Mapped, value: Value | None, record: Records, *, there: Any = None, exists: bool = False,
    told: Mapping[str, Any] | None = None, remote: RemoteField | None = None,
) -> Fate:  # fmt: skip
    """What becomes of one field. `there`: what the CRM holds; `told`: what we wrote last, by their names; `remote`:
    what the CRM says of the field, None when it cannot say."""
    if not mapped.goes_out:
        return Fate(mapped, SKIP, COMES_IN, "It comes from the CRM only.", value.value if value else None, there)
    if value is None:
        return Fate(mapped, SKIP, UNKNOWN, "We do not know it.", None, there)
    ours, wrong = fitting(translated(mapped, value.value), remote)
    if wrong and exists and value.origin == CRM and not empty(there):
        return Fate(mapped, KEEP, CRM_FIRST, "It came from the CRM, which calls it otherwise.", ours, there)
    if wrong:
        return Fate(mapped, REFUSE, "type", wrong, ours, there)
    if not exists:
        return Fate(mapped, CREATE, "", "The record is new.", ours)
    return _in_known(mapped, value, record, ours, there, told or {})


def _in_known(
    mapped: Mapped, value: Value, record: Records, ours: Any, there: Any, told: Mapping[str, Any]
) -> Fate:  # fmt: skip
    """A field of a record that the CRM has already."""
    before = told.get(mapped.theirs)
    if holds(there, ours):
        return Fate(mapped, KEEP, SAME, "It is there already.", ours, there)
    if record.known == "never":
        return Fate(mapped, KEEP, RULE, "Records that the CRM has are left alone.", ours, there)
    if mapped.rule == "create":
        return Fate(mapped, KEEP, RULE, "It is set in new records only.", ours, there)
    if empty(there):
        if not empty(before) or (before is None and mapped.theirs in told):
            return Fate(mapped, KEEP, HUMAN_EDIT, "Somebody emptied it there after we had written it.", ours, there)
        return Fate(mapped, UPDATE, "", "It is empty there.", ours, there)
    if "fill" in (record.known, mapped.rule):
        return Fate(mapped, KEEP, RULE, "Only empty fields are filled.", ours, there)
    if not empty(before):
        if holds(there, before):
            return Fate(mapped, UPDATE, "", "It is as we wrote it last.", ours, there)
        return Fate(mapped, KEEP, HUMAN_EDIT, "Somebody changed it there after we had written it.", ours, there)
    if value.origin == HUMAN:
        return Fate(mapped, UPDATE, "", "A person said so in Usher, which stands above the CRM.", ours, there)
    newer = (
        "It came from the CRM, where it is newer." if value.origin == CRM else "The CRM's own value stands above ours."
    )
    return Fate(mapped, KEEP, CRM_FIRST, newer, ours, there)


def translated(mapped: Mapped, value: Any) -> Any:
    """Our value in the CRM's words, by the mapping's `values`."""
    if isinstance(value, list):
        return [mapped.values.get(str(one), one) for one in value]
    return mapped.values.get(_word(value), value)


def back(mapped: Mapped, value: Any) -> Any:
    """The CRM's value in our words."""
    ours = {theirs.casefold(): our for our, theirs in mapped.values.items()}
    return ours.get(_word(value).casefold(), value)


def fitting(value: Any, remote: RemoteField | None) -> tuple[Any, str]:
    """The value as the CRM's field takes it, and what is wrong with it, "" when nothing is."""
    value = value.isoformat() if isinstance(value, datetime) else value
    if remote is None:
        return value, ""
    if not remote.writable:
        return value, "The CRM does not let anybody write this field."
    if remote.type == "number":
        return _number(value)
    if remote.type == "boolean":
        word = str(value).casefold()
        return (value, "It takes yes or no only.") if word not in (*_YES, *_NO) else (word in _YES, "")
    if remote.type in ("date", "moment"):
        return _moment(value, remote.type)
    if remote.type in ("choice", "choices"):
        return _chosen(value, remote)
    return (", ".join(map(str, value)) if isinstance(value, list) else _text(value)), ""


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same: upper and lower case, blanks, the form of numbers, moments and lists aside."""
    return _plain(one) == _plain(other)


def holds(there: Any, said: Any) -> bool:
    """Whether what stands at the CRM is what we said or say, or as much of it as its column took."""
    return same(there, said) or _is_cut(there, said)


def empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | tuple) and not value)


def writes(fates: Iterable[Fate]) -> dict[str, Any]:
    """What is said, by their names."""
    return {fate.mapped.theirs: fate.ours for fate in fates if fate.is_written}


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: Any) -> Any:
    """Text fields take numbers and truths as text; a service without types gets them as they are."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _number(value: Any) -> tuple[Any, str]:
    if isinstance(value, bool):
        return int(value), ""
    if isinstance(value, int | float):
        return value, ""
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*", str(value))
    if not found:
        return value, "It takes numbers only."
    return (float(found[1]) if "." in found[1] else int(found[1])), ""


def _moment(value: Any, kind: str) -> tuple[Any, str]:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return value, "It takes a date only."
    return (found.date() if kind == "date" else found).isoformat(), ""


def _chosen(value: Any, remote: RemoteField) -> tuple[Any, str]:
    known = {choice.casefold(): choice for choice in remote.choices}
    wanted = [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
    foreign = [one for one in wanted if known and one.casefold() not in known]
    if foreign:
        allowed = ", ".join(remote.choices[:8]) + (", …" if len(remote.choices) > 8 else "")
        return value, f"It takes {allowed}; {', '.join(foreign)} is none of these."
    taken = [known.get(one.casefold(), one) for one in wanted]
    if remote.type == "choice":
        return (taken[0], "") if len(taken) == 1 else (value, "It takes one value, we have several.")
    return taken, ""


def _is_cut(part: Any, whole: Any) -> bool:
    """Whether one is what a column took of the other."""
    if not (isinstance(part, str) and isinstance(whole, str) and part.endswith(CUT) and len(part) >= SHORTEST):
        return False
    begins, said = (" ".join(text.split()).casefold() for text in (part.removesuffix(CUT), whole))
    return said.startswith(begins)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{float(value):g}"
    if isinstance(value, datetime | date):
        return _plain_text(value.isoformat())
    if isinstance(value, list | tuple):
        return tuple(sorted(str(_plain(one)) for one in value))
    return _plain_text("" if value is None else str(value))


def _plain_text(text: str) -> Any:
    folded = " ".join(text.split()).casefold()
    if folded in ("true", "false"):
        return "yes" if folded == "true" else "no"
    if re.match(r"\d{4}-\d\d-\d\dt", folded):
        return _moment_text(text.strip())
    if re.fullmatch(r"-?\d+(\.\d+)?", folded):
        return f"{float(folded):g}"
    if ";" in folded or ", " in folded:
        return tuple(sorted(one.strip() for one in re.split(r";|, ", folded) if one.strip()))
    return folded


def _moment_text(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (found.astimezone(UTC) if found.tzinfo else found).isoformat()
