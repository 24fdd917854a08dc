"""Deliveries know their connection and wait for it in a lane of their own; a newer one may take an older one's place.

Revision ID: 0009
Revises: 0008
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Name, UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    of_delivery: tuple[sa.Column[Any], ...] = (
        sa.Column("replaces", sa.String(120), nullable=False, server_default=""),
        sa.Column("lane", Name(110), nullable=False, server_default=""),
        sa.Column("connection_id", Id),
        sa.Column("behind", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("failing_since", UtcDateTime()),
    )
    for column in of_delivery:
        op.add_column("deliveries", column)
    op.execute("UPDATE deliveries SET lane = site_id || ':' || kind")
    op.drop_index("ix_deliveries_due", "deliveries")
    op.create_index("ix_deliveries_lane", "deliveries", ["state", "lane", "not_before"])
    op.create_index("ix_deliveries_connection", "deliveries", ["connection_id", "state"])
    op.create_table(
        "replaced_keys",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("delivery_id", Id, nullable=False),
    )
    op.create_index("ix_replaced_keys_delivery", "replaced_keys", ["delivery_id"])
    op.create_table(
        "meters",
        sa.Column("what", sa.String(20), primary_key=True),
        sa.Column("adapter", sa.String(80), primary_key=True),
        sa.Column("operation", sa.String(80), primary_key=True),
        sa.Column("label", sa.String(40), primary_key=True),
        sa.Column("value", sa.Float(), nullable=False),
    )
