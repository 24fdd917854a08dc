"""The place of each entry in its account of turns, and quick answers to who was given the last one.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Entries of before get their place together, at the next turn that is given."""
    op.add_column("credit_ledger", sa.Column("rev", sa.BigInteger(), nullable=True))
    columns = ["site_id", "counter", "kind", "rep", "at"]
    op.create_index("ix_credit_ledger_given", "credit_ledger", columns, unique=False)
    op.create_index(
        "ix_credit_ledger_unplaced",
        "credit_ledger",
        ["site_id", "counter"],
        unique=False,
        sqlite_where=sa.text("rev IS NULL"),
        postgresql_where=sa.text("rev IS NULL"),
    )
