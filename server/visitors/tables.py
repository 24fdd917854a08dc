"""The tables of visitors."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, false, true

from server.db import Id, Json, Name, UtcDateTime, metadata

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
    Column("consented_at", UtcDateTime),  # with the next two: what can be proved of the consent
    Column("consent_mode", String(10), nullable=False, server_default=""),  # consent of site.yml at that moment
    Column("consent_version_id", Id),
    Column("discreet", Boolean, nullable=False, server_default=false()),  # the browser asks not to be tracked
    Column("attributes", Json, nullable=False),
    Column("lead_id", Id),
    Column("knows_lead", Boolean, nullable=False, server_default=true()),  # what the lead holds may be said here
    Column("identity", Name(200)),  # `sub` of a signed token: one visitor a person, in however many browsers
    Column("signed", Json),  # what the site signed about them
    Column("verified_at", UtcDateTime),
    Index("uq_visitors_identity", "site_id", "identity", unique=True),
    Index("ix_visitors_site", "site_id", "last_seen_at"),
    Index("ix_visitors_lead", "lead_id"),
)

identity_keys = Table(
    "identity_keys",
    metadata,
    Column("id", Id, primary_key=True),  # the `kid` of tokens
    Column("site_id", Id, nullable=False),
    Column("sealed", Text, nullable=False),  # the secret, encrypted
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Index("ix_identity_keys_site", "site_id", "id"),
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
