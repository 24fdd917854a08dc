"""What may be asked of the CRM's side: tell it, carry deliveries out, try the mapping, compare both sides."""

from __future__ import annotations

from server.sync.carrying import carry_out
from server.sync.dry_run import MADE_UP, MOST_SAMPLES, Rehearsal, dry_run, latest_leads
from server.sync.following import do_messages, follow, follow_all, has_connected, has_messages, place_of, read_at_once
from server.sync.judging import FINDINGS, REPAIRABLE
from server.sync.opened import Opened, opened, serving_name
from server.sync.reconciling import ask, compare, compare_asked, compare_when_due, is_asked, repair
from server.sync.records import candidates, connect_record, disconnect_record, standings
from server.sync.reports import findings, linked, links_of_lead, report, reports
from server.sync.resting import LATELY, LONG_AGO, tell_at_rest
from server.sync.telling import conversation as tell_conversation
from server.sync.telling import interaction as tell_interaction
from server.sync.telling import lead as tell_lead
from server.sync.telling import mail as tell_mail
from server.sync.telling import meeting as tell_meeting

__all__ = [
    "FINDINGS", "LATELY", "LONG_AGO", "MADE_UP", "MOST_SAMPLES", "REPAIRABLE", "Opened", "Rehearsal", "ask",
    "candidates", "carry_out", "compare", "compare_asked", "compare_when_due", "connect_record", "disconnect_record",
    "do_messages", "dry_run", "findings", "follow", "follow_all", "has_connected", "has_messages", "is_asked",
    "latest_leads", "linked", "links_of_lead", "opened", "place_of", "read_at_once", "repair", "report", "reports",
    "serving_name", "standings", "tell_at_rest", "tell_conversation", "tell_interaction", "tell_lead", "tell_mail",
    "tell_meeting",
]  # fmt: skip
