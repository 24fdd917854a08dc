"""The tables of leads and accounts."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from server.db import Id, Json, UtcDateTime, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("domain", String(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("name_key", String(255), nullable=False, default=""),  # names.name_key of what it is called
    UniqueConstraint("site_id", "domain"),
    Index("ix_accounts_name", "site_id", "name_key"),
)

leads = Table(
    "leads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("email_key", String(320)),  # folded; null while only a phone is known
    Column("account_id", Id),
    Column("account_by", String(12), nullable=False, default=""),  # domain | name | crm | human: whoever said so
    Column("account_sure", Integer),  # percent
    Column("account_because", Text, nullable=False, default=""),
    Column("status", String(20), nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
    Column("owner_rep", String(80)),
    Column("source", String(60), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("segment", String(80)),
    Column("intent", String(10)),
    UniqueConstraint("site_id", "email_key"),
    Index("ix_leads_site", "site_id", "id"),
    Index("ix_leads_account", "account_id"),
)

field_values = Table(
    "field_values",
    metadata,
    Column("subject_id", Id, primary_key=True),  # a lead or an account
    Column("field", String(80), primary_key=True),
    Column("origin", String(20), primary_key=True),  # human | crm | identity | form | conversation | enrichment
    Column("rank", Integer, nullable=False),
    Column("value", Json, nullable=False),
    Column("source", String(200), nullable=False),  # which person, service, playbook node
    Column("confidence", Integer),  # percent, where the origin gives one
    Column("at", UtcDateTime, nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("lead_id", Id, nullable=False),
    Column("rep", String(80), nullable=False),
    Column("kind", String(12), nullable=False),  # claim | routed | reassigned | override
    Column("by_kind", String(20), nullable=False),
    Column("by_id", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("end_reason", Text),
    Index("ix_assignments_lead", "lead_id", "id"),
    Index(
        "uq_assignments_open",
        "lead_id",
        unique=True,
        sqlite_where=Column("ended_at").is_(None),
        postgresql_where=Column("ended_at").is_(None),
    ),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("lead_id", Id, nullable=False),
    Column("stream", String(80), nullable=False),
    Column("state", String(12), nullable=False),  # active | paused | finished | left
    Column("started_at", UtcDateTime, nullable=False),
    Column("by", String(200), nullable=False),
    UniqueConstraint("lead_id", "stream"),
)
