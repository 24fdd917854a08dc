"""Which account a connection leads to: ids of records mean nothing in another one.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Not known of those that are there; they learn it when they are next looked at."""
    for name, size in (("account", 200), ("tried", 64)):
        op.add_column("connections", sa.Column(name, sa.String(length=size), nullable=False, server_default=""))
