"""Signed-in visitors: who they are, what was signed about them, and the keys it is signed with.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Json, Name, UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("visitors", sa.Column("knows_lead", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("visitors", sa.Column("identity", Name(200), nullable=True))
    op.add_column("visitors", sa.Column("signed", Json, nullable=True))
    op.add_column("visitors", sa.Column("verified_at", UtcDateTime(), nullable=True))
    op.create_index("uq_visitors_identity", "visitors", ["site_id", "identity"], unique=True)
    op.create_table(
        "identity_keys",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_keys")),
    )
    op.create_index("ix_identity_keys_site", "identity_keys", ["site_id", "id"], unique=False)
