"""Connections to services, agreements under way, and what services called to say.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Json, Name, UtcDateTime

revision = "0008"
down_revision = "0007"

OPEN = sa.text("origin = 'console' AND state <> 'off'")
SERVING = sa.text(
    "origin = 'console' AND state IN ('working', 'broken') AND rep = '' AND kind IN ('crm', 'calendar')"
)


def upgrade() -> None:
    """New tables only."""
    _connections()
    op.create_table(
        "connection_agreements",
        sa.Column("id", Name(64), nullable=False),
        sa.Column("browser", Name(64), nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("config", Json, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_agreements")),
    )
    op.create_table(
        "hook_messages",
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("id", Name(200), nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "id", name=op.f("pk_hook_messages")),
    )
    op.create_index("ix_hook_messages_due", "hook_messages", ["state", "kind", "not_before"], unique=False)


def _connections() -> None:
    op.create_table(
        "connections",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("config", Json, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("renewing_until", UtcDateTime(), nullable=True),
        sa.Column("calendars", Json, nullable=False),
        sa.Column("hook_secret", sa.Text(), nullable=False),
        sa.Column("granted", Json, nullable=False),
        sa.Column("missing", Json, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("problem_class", sa.String(length=40), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("worked_at", UtcDateTime(), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("off_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
    )
    op.create_index("ix_connections_site", "connections", ["site_id", "kind", "rep"], unique=False)
    for name, columns, where in (
        ("ux_connections_open", ["site_id", "kind", "name", "rep"], OPEN),
        ("ux_connections_serving", ["site_id", "kind"], SERVING),
    ):
        op.create_index(name, "connections", columns, unique=True, sqlite_where=where, postgresql_where=where)
