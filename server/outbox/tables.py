"""The outbox's table."""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from server.db import Id, Json, UtcDateTime, metadata

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("kind", String(60), nullable=False),  # of adapter, as in "crm", or adapter, as in "enrichment.builtin"
    Column("operation", String(40), nullable=False),
    Column("payload", Json, nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("order_key", String(120), nullable=False),
    Column("cancel_key", String(120), nullable=False),
    Column("subject_kind", String(30), nullable=False),
    Column("subject_id", String(80), nullable=False),
    Column("state", String(12), nullable=False),  # waiting | leased | done | dead | withdrawn
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime),  # too late to be of use; then it is withdrawn
    Column("lease_until", UtcDateTime),
    Column("lease_owner", String(80)),
    Column("attempts", Integer, nullable=False),
    Column("problem_class", String(40), nullable=False),
    Column("problem", Text, nullable=False),
    Column("result", Json),
    Column("settled_at", UtcDateTime),
    Index("ix_deliveries_due", "state", "not_before"),
    Index("ix_deliveries_order", "order_key", "id"),
    Index("ix_deliveries_subject", "subject_kind", "subject_id"),
    Index("ix_deliveries_cancel", "cancel_key"),
)
