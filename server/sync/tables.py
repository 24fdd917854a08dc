"""What stands where at the CRM, and what was found when both sides were compared."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from server.db import Id, Json, Name, UtcDateTime, metadata

crm_links = Table(
    "crm_links",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("subject_kind", Name(20), primary_key=True),  # lead | account | meeting | conversation
    Column("subject_id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("record_kind", String(20), nullable=False),  # as in plugins.crm.Kind
    Column("record_id", Name(120), nullable=False),  # "" while the first delivery about it is on its way
    Column("url", Text, nullable=False),
    Column("by", String(20), nullable=False),  # created | email | domain | name | human
    Column("at", UtcDateTime, nullable=False),
    # What both sides last agreed on, by their names: what we wrote, or what came from there. None: emptied there.
    Column("told", Json, nullable=False),
    Column("saying", Json, nullable=False, default=dict),  # what is being written; it may have come there already
    Column(
        "seen", Json, nullable=False, default=dict
    ),  # field: when what came from there was said, where order matters
    Index("ix_crm_links_record", "connection_id", "record_kind", "record_id"),
    Index("ix_crm_links_site", "site_id", "subject_kind", "subject_id"),
    Index("ix_crm_links_subject", "subject_kind", "subject_id"),
)

# How far the changes of a CRM have been read.
crm_positions = Table(
    "crm_positions",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("connection_id", Id, primary_key=True),
    Column("position", Text, nullable=False),  # the service's own word for it; "" to begin
    Column("reread", String(80), nullable=False),  # "" or how far everything linked has been read anew: kind:id
    Column("next_at", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime),  # somebody is reading
    Column("read_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("problem", Text, nullable=False),
)

crm_reports = Table(
    "crm_reports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("connection_id", Id, nullable=False),
    Column("crm", String(60), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # null: under way, or broken off
    Column("asked_by", String(200), nullable=False),  # "" by the timetable
    Column("counts", Json, nullable=False),
    Column("problem", Text, nullable=False),
    Index("ix_crm_reports_site", "site_id", "id"),
)

# Of the newest report of a site only: the older ones keep their counts.
crm_findings = Table(
    "crm_findings",
    metadata,
    Column("report_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),  # missing | drifted | conflicting | duplicate | refused | unlinked
    Column("subject_kind", Name(20), nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("record_id", Name(120), nullable=False),
    Column("url", Text, nullable=False),
    Column("fields", Json, nullable=False),  # [{"name", "ours", "theirs", "why"}]
    Column("repaired_at", UtcDateTime),
    Index("ix_crm_findings_subject", "subject_kind", "subject_id"),
)
