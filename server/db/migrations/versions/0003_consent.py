"""What can be proved of a visitor's consent, and whether the browser asks not to be tracked.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("visitors", sa.Column("consented_at", UtcDateTime(), nullable=True))
    op.add_column("visitors", sa.Column("consent_mode", sa.String(length=10), nullable=False, server_default=""))
    op.add_column("visitors", sa.Column("consent_version_id", Id, nullable=True))
    op.add_column("visitors", sa.Column("discreet", sa.Boolean(), nullable=False, server_default=sa.false()))
