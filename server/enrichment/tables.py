"""The tables of what services answered, and what it has cost."""

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table

from server.db import Id, Json, Name, UtcDateTime, metadata

answers = Table(
    "enrichment_answers",
    metadata,
    Column("source", Id, primary_key=True),  # id of the connection
    Column("question", Name(64), primary_key=True),  # keyed digest: without our key nobody can tell what was asked
    Column("site_id", Id, nullable=False),
    Column("operation", String(40), nullable=False),
    Column("claim", Name(40), nullable=False),  # of who is asking at this moment; "" once it is answered
    Column("facts", Json, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_enrichment_answers_question", "question"),
    Index("ix_enrichment_answers_expires", "expires_at"),
)

spending = Table(
    "enrichment_spending",
    metadata,
    Column("source", Id, primary_key=True),  # id of the connection
    Column("day", String(10), primary_key=True),  # of the site's zone
    Column("site_id", Id, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("matches", Integer, nullable=False),
    Column("credits", Float, nullable=False),
    Column("spent_up", Boolean, nullable=False),  # somebody was refused for it
    Index("ix_enrichment_spending_site", "site_id", "day"),
)
