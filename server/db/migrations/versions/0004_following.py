"""Calendars read again before a meeting is booked, change feeds and answers by mail, where and past whom one meets.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("meetings", sa.Column("checked_at", UtcDateTime(), nullable=True))
    op.add_column("meetings", sa.Column("place", sa.String(length=12), nullable=False, server_default=""))
    op.add_column("meetings", sa.Column("passed_over", sa.String(length=60), nullable=False, server_default=""))
    op.create_table(
        "reading_positions",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("source", sa.String(length=260), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "source"),
    )
