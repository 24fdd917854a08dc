"""Reps' own calendars: busy times by connection, services that call when a calendar changes, a meeting's video link.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Json, UtcDateTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """What calendars told is not taken over: nobody knows through which connection it was read. They are read anew
    within a minute of the start; until then their reps count as unread, which is never free."""
    op.drop_table("busy_times")
    op.create_table(
        "busy_times",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("calendar", sa.String(length=200), nullable=False),
        sa.Column("spans", Json, nullable=False),
        sa.Column("covers_from", UtcDateTime(), nullable=True),
        sa.Column("covers_until", UtcDateTime(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "rep", "connection_id", "calendar", name=op.f("pk_busy_times")),
    )
    op.create_table(
        "calendar_watches",
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("calendar", sa.String(length=200), nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("watch_id", sa.String(length=200), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "calendar", name=op.f("pk_calendar_watches")),
    )
    op.create_index("ix_calendar_watches_site", "calendar_watches", ["site_id"], unique=False)
    op.add_column("meetings", sa.Column("video_url", sa.Text(), nullable=False, server_default=""))
