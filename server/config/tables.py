"""Sites and their config versions. A version's row is never changed."""
from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from server.db import Id, Json, UtcDateTime, metadata

sites = Table(
    "sites",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(60), nullable=False, unique=True),
    Column("active_version_id", Id),
    Column("rev", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

config_versions = Table(
    "config_versions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, ForeignKey("sites.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("files", Json, nullable=False),
    Column("author", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("site_id", "number"),
    UniqueConstraint("site_id", "hash"),
)
