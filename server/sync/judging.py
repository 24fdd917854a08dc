"""Whether one record agrees with what stands at the CRM, and what a comparison found so far. Calls nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plugins.crm import Meeting, RemoteField
from server.sync import fates, mapping
from server.sync.opened import Opened
from server.sync.store import Link
from server.sync.values import Known

MISSING, UNLINKED, DRIFTED, CONFLICTING, DUPLICATE, REFUSED = (
    "missing", "unlinked", "drifted", "conflicting", "duplicate", "refused",
)  # fmt: skip
FINDINGS = (MISSING, UNLINKED, DRIFTED, CONFLICTING, DUPLICATE, REFUSED)
"""missing: told once, gone there. unlinked: never told. drifted: theirs differs, and telling again mends it.
conflicting: theirs differs, and theirs stands. duplicate: several records there, or several of ours in one of theirs.
refused: the CRM does not take a value."""
REPAIRABLE = (MISSING, UNLINKED, DRIFTED)
MOST_KEPT = 2_000
"""Findings that a report keeps one by one; it counts all."""


@dataclass
class Tally:
    """What a comparison found so far."""

    ours: Counter[str] = field(default_factory=Counter)
    theirs: Counter[str] = field(default_factory=Counter)
    agree: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, subject: tuple[str, str], record_id: str, url: str, of: Sequence[Any] = ()) -> None:
        self.kinds[kind] += 1
        if len(self.rows) < MOST_KEPT:
            row = {"kind": kind, "subject_kind": subject[0], "subject_id": subject[1], "record_id": record_id}
            self.rows.append({**row, "url": url, "fields": list(of)})

    def counts(self) -> dict[str, Any]:
        return {
            "ours": dict(self.ours),
            "theirs": dict(self.theirs),
            "agree": self.agree,
            **{kind: self.kinds[kind] for kind in FINDINGS},
        }


def judge(
    at: Opened,
    tally: Tally,
    on: str,
    known: Known,
    subject: tuple[str, str],
    link: Link | None,
    held: Mapping[str, Any] | None,
    remote: Mapping[str, RemoteField] | None,
) -> None:
    """One record: whether it is there, and whether its fields agree."""
    crm = at.mapping
    record_id, url = (link.record_id, link.url) if link is not None else ("", "")
    if held is None:
        if crm.rules_for(on).new == "create" or record_id:
            tally.add(MISSING if record_id else UNLINKED, subject, record_id, url)
        return
    if link is not None and link.by == "name":
        tally.agree += 1
        return
    told = link.told if link is not None else {}
    found = mapping.fates_of(
        crm, on, known.values, there=held, told=told, remote=remote, makes_fields=at.crm.makes_fields
    )
    sorted_out = {
        DRIFTED: [fate for fate in found if fate.is_written],
        CONFLICTING: [fate for fate in found if fate.why in (fates.HUMAN_EDIT, fates.CRM_FIRST)],
        REFUSED: [fate for fate in found if fate.what == fates.REFUSE],
    }
    for kind, some in sorted_out.items():
        if some:
            rows = [
                {"name": one.mapped.theirs, "ours": one.ours, "theirs": one.theirs, "why": one.because} for one in some
            ]
            tally.add(kind, subject, record_id, url, rows)
    tally.agree += not any(sorted_out.values())


def judge_meeting(tally: Tally, link: Link, now: Mapping[str, Any], held: Meeting | None) -> None:
    subject = ("meeting", link.subject_id)
    tally.ours["meetings"] += 1
    if held is None:
        tally.add(MISSING, subject, link.record_id, link.url)
        return
    tally.theirs["meetings"] += 1
    theirs = {"status": held.status.value, "start": held.start.isoformat(), "end": held.end.isoformat()}
    differ = [
        {"name": name, "ours": now[name], "theirs": theirs[name], "why": "Ours is where the meeting is kept."}
        for name in theirs
        if not fates.same(now[name], theirs[name])
    ]
    if differ:
        tally.add(DRIFTED, subject, link.record_id, link.url, differ)
    tally.agree += not differ
