"""The outbox's tables."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from server.db import Id, Json, Name, UtcDateTime, metadata

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
    Column("replaces", String(120), nullable=False, server_default=""),  # a newer one takes the place of an older one
    Column("subject_kind", String(30), nullable=False),
    Column("subject_id", String(80), nullable=False),
    Column("state", String(12), nullable=False),  # waiting | leased | paused | done | dead | withdrawn
    Column("lane", Name(110), nullable=False, server_default=""),  # "site:kind"; once tried, the connection's id
    Column("connection_id", Id),  # whom it was tried with last
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("behind", Boolean, nullable=False, server_default="0"),  # moved out of the way: an earlier one holds it
    Column("not_after", UtcDateTime),  # too late to be of use; then it is withdrawn
    Column("lease_until", UtcDateTime),
    Column("lease_owner", String(80)),
    Column("attempts", Integer, nullable=False),
    Column("unsure", Boolean, nullable=False, server_default="0"),  # it may have arrived: an answer was lost once
    Column("failing_since", UtcDateTime),  # since when the service has been unwell for it
    Column("problem_class", String(40), nullable=False),
    Column("problem", Text, nullable=False),
    Column("result", Json),
    Column("settled_at", UtcDateTime),
    Index("ix_deliveries_lane", "state", "lane", "not_before"),
    Index("ix_deliveries_order", "order_key", "id"),
    Index("ix_deliveries_subject", "subject_kind", "subject_id"),
    Index("ix_deliveries_cancel", "cancel_key"),
    Index("ix_deliveries_connection", "connection_id", "state"),
)

replaced_keys = Table(
    "replaced_keys",
    metadata,
    Column("key", String(200), primary_key=True),  # of a delivery in whose place another went out
    Column("delivery_id", Id, nullable=False),
    Index("ix_replaced_keys_delivery", "delivery_id"),
)
