"""The first tables: all rooms of the first release.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Json, Name, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:

    op.create_table(
        "accounts",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("site_id", "domain", name=op.f("uq_accounts_site_id_domain")),
    )
    op.create_table(
        "adapter_records",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("kind", Name(60), nullable=False),
        sa.Column("id", Name(200), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "kind", "id", name=op.f("pk_adapter_records")),
    )
    op.create_table(
        "answers",
        sa.Column("id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("criterion", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", Json, nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("message_seq", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("conversation_id", "criterion", name=op.f("uq_answers_conversation_id_criterion")),
    )
    op.create_table(
        "assignments",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("lead_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("by_kind", sa.String(length=20), nullable=False),
        sa.Column("by_id", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_index("ix_assignments_lead", "assignments", ["lead_id", "id"], unique=False)
    op.create_index(
        "uq_assignments_open",
        "assignments",
        ["lead_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "busy_times",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("calendar", sa.String(length=200), nullable=False),
        sa.Column("spans", Json, nullable=False),
        sa.Column("covers_from", UtcDateTime(), nullable=True),
        sa.Column("covers_until", UtcDateTime(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "rep", "calendar", name=op.f("pk_busy_times")),
    )
    op.create_table(
        "conversations",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("visitor_id", Id, nullable=False),
        sa.Column("lead_id", Id, nullable=True),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("playbook", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("engine", Json, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("seen_seq", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("waiting_since", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("queue", sa.String(length=80), nullable=False),
        sa.Column("rep", sa.String(length=80), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index("ix_conversations_lead", "conversations", ["lead_id"], unique=False)
    op.create_index("ix_conversations_site", "conversations", ["site_id", "last_at"], unique=False)
    op.create_index(
        "uq_conversations_open",
        "conversations",
        ["visitor_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "credit_counters",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("counter", sa.String(length=60), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "counter", name=op.f("pk_credit_counters")),
    )
    op.create_table(
        "credit_ledger",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("counter", sa.String(length=60), nullable=False),
        sa.Column("pool", sa.String(length=60), nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.String(length=40), nullable=False),
        sa.Column("meeting_id", Id, nullable=True),
        sa.Column("counts_at", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by_kind", sa.String(length=20), nullable=False),
        sa.Column("by_id", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trace", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_ledger")),
    )
    op.create_index("ix_credit_ledger_counter", "credit_ledger", ["site_id", "counter", "counts_at"], unique=False)
    op.create_index("ix_credit_ledger_meeting", "credit_ledger", ["meeting_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("order_key", sa.String(length=120), nullable=False),
        sa.Column("cancel_key", sa.String(length=120), nullable=False),
        sa.Column("subject_kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem_class", sa.String(length=40), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("key", name=op.f("uq_deliveries_key")),
    )
    op.create_index("ix_deliveries_cancel", "deliveries", ["cancel_key"], unique=False)
    op.create_index("ix_deliveries_due", "deliveries", ["state", "not_before"], unique=False)
    op.create_index("ix_deliveries_order", "deliveries", ["order_key", "id"], unique=False)
    op.create_index("ix_deliveries_subject", "deliveries", ["subject_kind", "subject_id"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("lead_id", Id, nullable=False),
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint("lead_id", "stream", name=op.f("uq_enrolments_lead_id_stream")),
    )
    op.create_table(
        "events",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("site_id", Id, nullable=True),
        sa.Column("subject_kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.String(length=80), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("trigger", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version_id", Id, nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.Column("trace", Json, nullable=True),
        sa.Column("handled_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_conversation", "events", ["conversation_id", "id"], unique=False)
    op.create_index("ix_events_site_name", "events", ["site_id", "name", "id"], unique=False)
    op.create_index("ix_events_subject", "events", ["subject_kind", "subject_id", "id"], unique=False)
    op.create_index(
        "ix_events_waiting",
        "events",
        ["id"],
        unique=False,
        sqlite_where=sa.text("handled_at IS NULL"),
        postgresql_where=sa.text("handled_at IS NULL"),
    )
    op.create_table(
        "field_values",
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "field", "origin", name=op.f("pk_field_values")),
    )
    op.create_table(
        "leads",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("account_id", Id, nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("status_at", UtcDateTime(), nullable=False),
        sa.Column("owner_rep", sa.String(length=80), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("segment", sa.String(length=80), nullable=True),
        sa.Column("intent", sa.String(length=10), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("site_id", "email_key", name=op.f("uq_leads_site_id_email_key")),
    )
    op.create_index("ix_leads_account", "leads", ["account_id"], unique=False)
    op.create_index("ix_leads_site", "leads", ["site_id", "id"], unique=False)
    op.create_table(
        "meeting_cells",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("meeting_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "rep", "cell", name=op.f("pk_meeting_cells")),
    )
    op.create_index("ix_meeting_cells_meeting", "meeting_cells", ["meeting_id"], unique=False)
    op.create_table(
        "meeting_hosts",
        sa.Column("meeting_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("busy_from", UtcDateTime(), nullable=False),
        sa.Column("busy_until", UtcDateTime(), nullable=False),
        sa.Column("blocks", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "rep", name=op.f("pk_meeting_hosts")),
    )
    op.create_index("ix_meeting_hosts_rep", "meeting_hosts", ["site_id", "rep", "busy_until"], unique=False)
    op.create_table(
        "meetings",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("version_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("lead_id", Id, nullable=True),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("pool", sa.String(length=60), nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("start_at", UtcDateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(), nullable=False),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("hold_key", sa.String(length=200), nullable=True),
        sa.Column("confirm_key", sa.String(length=200), nullable=True),
        sa.Column("uid", sa.String(length=200), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("calendar_key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("attendee", sa.String(length=320), nullable=True),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("guests", Json, nullable=False),
        sa.Column("answers", Json, nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("booked_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=20), nullable=False),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
        sa.UniqueConstraint("site_id", "attendee", "start_at", name=op.f("uq_meetings_site_id_attendee_start_at")),
        sa.UniqueConstraint("site_id", "confirm_key", name=op.f("uq_meetings_site_id_confirm_key")),
        sa.UniqueConstraint("site_id", "hold_key", name=op.f("uq_meetings_site_id_hold_key")),
    )
    op.create_index("ix_meetings_conversation", "meetings", ["conversation_id"], unique=False)
    op.create_index("ix_meetings_held", "meetings", ["status", "held_until"], unique=False)
    op.create_index("ix_meetings_lead", "meetings", ["lead_id"], unique=False)
    op.create_index("ix_meetings_site", "meetings", ["site_id", "start_at"], unique=False)
    op.create_table(
        "messages",
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=True),
        sa.Column("author", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("value", Json, nullable=True),
        sa.Column("node", sa.String(length=80), nullable=False),
        sa.Column("citations", Json, nullable=False),
        sa.Column("part", Json, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name=op.f("pk_messages")),
        sa.UniqueConstraint("conversation_id", "client_id", name=op.f("uq_messages_conversation_id_client_id")),
    )
    op.create_table(
        "page_views",
        sa.Column("id", Id, nullable=False),
        sa.Column("session_id", Id, nullable=False),
        sa.Column("visitor_id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("scroll_percent", sa.Integer(), nullable=True),
        sa.Column("words", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_views")),
        sa.UniqueConstraint("session_id", "seq", name=op.f("uq_page_views_session_id_seq")),
    )
    op.create_index("ix_page_views_visitor", "page_views", ["visitor_id", "id"], unique=False)
    op.create_table(
        "rep_calendars",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "rep", name=op.f("pk_rep_calendars")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", Id, nullable=False),
        sa.Column("visitor_id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("referrer", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("medium", sa.String(length=200), nullable=False),
        sa.Column("campaign", sa.String(length=200), nullable=False),
        sa.Column("term", sa.String(length=200), nullable=False),
        sa.Column("content", sa.String(length=200), nullable=False),
        sa.Column("landing_path", sa.Text(), nullable=False),
        sa.Column("device", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_visitor", "sessions", ["visitor_id", "id"], unique=False)
    op.create_table(
        "sites",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("active_version_id", Id, nullable=True),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("key", name=op.f("uq_sites_key")),
    )
    op.create_table(
        "time_blocks",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("start_at", UtcDateTime(), nullable=False),
        sa.Column("end_at", UtcDateTime(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_blocks")),
    )
    op.create_index("ix_time_blocks_rep", "time_blocks", ["site_id", "rep", "end_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", Id, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("rep", sa.String(length=80), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_stamp", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("signed_in_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "visitors",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("device", sa.String(length=10), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("consented", sa.Boolean(), nullable=False),
        sa.Column("attributes", Json, nullable=False),
        sa.Column("lead_id", Id, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitors")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_visitors_token_digest")),
    )
    op.create_index("ix_visitors_lead", "visitors", ["lead_id"], unique=False)
    op.create_index("ix_visitors_site", "visitors", ["site_id", "last_seen_at"], unique=False)
    op.create_table(
        "config_versions",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("files", Json, nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_config_versions_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_config_versions")),
        sa.UniqueConstraint("site_id", "hash", name=op.f("uq_config_versions_site_id_hash")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_config_versions_site_id_number")),
    )
