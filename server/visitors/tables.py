"""The tables of visitors."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from server.db import Id, Json, UtcDateTime, metadata

visitors = Table(
    "visitors",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("seed", String(64), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("device", String(10), nullable=False),
    Column("locale", String(20), nullable=False),
    Column("zone", String(60), nullable=False),
    Column("visits", Integer, nullable=False),
    Column("consented", Boolean, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("lead_id", Id),
    Index("ix_visitors_site", "site_id", "last_seen_at"),
    Index("ix_visitors_lead", "lead_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("visitor_id", Id, nullable=False),
    Column("site_id", Id, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("referrer", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("medium", String(200), nullable=False),
    Column("campaign", String(200), nullable=False),
    Column("term", String(200), nullable=False),
    Column("content", String(200), nullable=False),
    Column("landing_path", Text, nullable=False),
    Column("device", String(10), nullable=False),
    Index("ix_sessions_visitor", "visitor_id", "id"),
)

page_views = Table(
    "page_views",
    metadata,
    Column("id", Id, primary_key=True),
    Column("session_id", Id, nullable=False),
    Column("visitor_id", Id, nullable=False),
    Column("site_id", Id, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("seconds", Integer),
    Column("scroll_percent", Integer),
    Column("words", Integer),
    UniqueConstraint("session_id", "seq"),
    Index("ix_page_views_visitor", "visitor_id", "id"),
)
