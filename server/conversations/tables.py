"""The tables of conversations."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from server.db import Id, Json, UtcDateTime, metadata

conversations = Table(
    "conversations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("visitor_id", Id, nullable=False),
    Column("lead_id", Id),
    Column("version_id", Id, nullable=False),
    Column("playbook", String(80), nullable=False),
    Column("state", String(12), nullable=False),  # bot | waiting_rep | rep | closed
    Column("engine", Json, nullable=False),  # where the playbook is; only server.playbooks and erasing read it
    Column("seq", Integer, nullable=False),
    Column("seen_seq", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("waiting_since", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("outcome", String(20), nullable=False),
    Column("queue", String(80), nullable=False),
    Column("rep", String(80), nullable=False),
    Column("locale", String(20), nullable=False),
    Column("zone", String(60), nullable=False),
    Column("path", Text, nullable=False),
    Index("ix_conversations_site", "site_id", "last_at"),
    Index("ix_conversations_lead", "lead_id"),
    Index(
        "uq_conversations_open",
        "visitor_id",
        unique=True,
        sqlite_where=Column("closed_at").is_(None),
        postgresql_where=Column("closed_at").is_(None),
    ),
)

messages = Table(
    "messages",
    metadata,
    Column("conversation_id", Id, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("client_id", String(64)),
    Column("author", String(10), nullable=False),  # visitor | bot | rep
    Column("name", String(120), nullable=False),
    Column("text", Text, nullable=False),
    Column("value", Json),
    Column("node", String(80), nullable=False),
    Column("citations", Json, nullable=False),
    Column("part", Json),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "client_id"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("conversation_id", Id, nullable=False),
    Column("criterion", String(80), nullable=False),
    Column("node", String(80), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("value", Json),
    Column("status", String(10), nullable=False),  # met | not_met | unknown
    Column("message_seq", Integer),  # the evidence
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "criterion"),
)
