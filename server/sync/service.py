"""What may be asked of the CRM's side: tell it, carry deliveries out, try the mapping, compare both sides."""

from __future__ import annotations

from server.sync.carrying import carry_out
from server.sync.dry_run import MADE_UP, MOST_SAMPLES, Rehearsal, dry_run, latest_leads
from server.sync.judging import FINDINGS, REPAIRABLE
from server.sync.reconciling import compare, compare_when_due, repair
from server.sync.reports import findings, links_of_lead, report, reports
from server.sync.resting import LATELY, LONG_AGO, tell_at_rest
from server.sync.telling import conversation as tell_conversation
from server.sync.telling import interaction as tell_interaction
from server.sync.telling import lead as tell_lead
from server.sync.telling import mail as tell_mail
from server.sync.telling import meeting as tell_meeting

__all__ = [
    "FINDINGS", "LATELY", "LONG_AGO", "MADE_UP", "MOST_SAMPLES", "REPAIRABLE", "Rehearsal", "carry_out", "compare",
    "compare_when_due", "dry_run", "findings", "latest_leads", "links_of_lead", "repair", "report", "reports",
    "tell_at_rest", "tell_conversation", "tell_interaction", "tell_lead", "tell_mail", "tell_meeting",
]  # fmt: skip
