"""Answers of enrichment services, kept for a while, and what they cost.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Json, Name, UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Both begin empty: what was asked before is asked once more."""
    op.create_table(
        "enrichment_answers",
        sa.Column("source", Id, nullable=False),
        sa.Column("question", Name(64), nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("claim", Name(40), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("source", "question", name=op.f("pk_enrichment_answers")),
    )
    op.create_index("ix_enrichment_answers_question", "enrichment_answers", ["question"], unique=False)
    op.create_index("ix_enrichment_answers_expires", "enrichment_answers", ["expires_at"], unique=False)
    op.create_table(
        "enrichment_spending",
        sa.Column("source", Id, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("matches", sa.Integer(), nullable=False),
        sa.Column("credits", sa.Float(), nullable=False),
        sa.Column("spent_up", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", name=op.f("pk_enrichment_spending")),
    )
    op.create_index("ix_enrichment_spending_site", "enrichment_spending", ["site_id", "day"], unique=False)
