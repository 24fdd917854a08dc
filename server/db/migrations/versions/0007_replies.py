"""How invitations were answered by mail; deliveries that are of no use after a moment.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Json, UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("meetings", sa.Column("replies", Json, nullable=False, server_default="{}"))
    op.add_column("deliveries", sa.Column("not_after", UtcDateTime(), nullable=True))
