"""News of the CRM: how far its changes were read, what is being written to it; why a lead belongs to its company.

Revision ID: 0014
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Json, UtcDateTime
from server.leads.names import name_key

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    """Leads that have a company got it by the domain of their address; companies are found by name from now on."""
    for name in ("saying", "seen"):
        op.add_column("crm_links", sa.Column(name, Json, nullable=False, server_default="{}"))
    op.create_table(
        "crm_positions",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("reread", sa.String(length=80), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("failed_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "connection_id", name=op.f("pk_crm_positions")),
    )
    op.add_column("leads", sa.Column("account_by", sa.String(length=12), nullable=False, server_default=""))
    op.add_column("leads", sa.Column("account_sure", sa.Integer(), nullable=True))
    op.add_column("leads", sa.Column("account_because", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE leads SET account_by = 'domain', account_sure = 95, account_because = 'The e-mail address is there.'"
        " WHERE account_id IS NOT NULL"
    )
    op.add_column("accounts", sa.Column("name_key", sa.String(length=255), nullable=False, server_default=""))
    op.create_index("ix_accounts_name", "accounts", ["site_id", "name_key"])
    _name_accounts()


def _name_accounts() -> None:
    accounts = sa.table("accounts", sa.column("id"), sa.column("name_key"))
    told = sa.table(
        "field_values", sa.column("subject_id"), sa.column("field"), sa.column("rank"), sa.column("value", Json)
    )
    named = (
        sa.select(told.c.subject_id, told.c.value)
        .join(accounts, accounts.c.id == told.c.subject_id)
        .where(told.c.field == "name")
        .order_by(told.c.rank)
    )
    for id, name in op.get_bind().execute(named).all():
        op.execute(accounts.update().where(accounts.c.id == id).values(name_key=name_key(str(name or ""))))
