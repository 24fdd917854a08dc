"""Where leads, companies, conversations and meetings stand at the CRM; how both sides were compared.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, Json, Name, UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "crm_links",
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("subject_kind", Name(20), nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("record_kind", sa.String(length=20), nullable=False),
        sa.Column("record_id", Name(120), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("told", Json, nullable=False),
        sa.PrimaryKeyConstraint("connection_id", "subject_kind", "subject_id", name=op.f("pk_crm_links")),
    )
    op.create_index("ix_crm_links_record", "crm_links", ["connection_id", "record_kind", "record_id"])
    op.create_index("ix_crm_links_site", "crm_links", ["site_id", "subject_kind", "subject_id"])
    op.create_index("ix_crm_links_subject", "crm_links", ["subject_kind", "subject_id"])
    op.create_table(
        "crm_reports",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("connection_id", Id, nullable=False),
        sa.Column("crm", sa.String(length=60), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_reports")),
    )
    op.create_index("ix_crm_reports_site", "crm_reports", ["site_id", "id"])
    op.create_table(
        "crm_findings",
        sa.Column("report_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_kind", Name(20), nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("record_id", Name(120), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("repaired_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("report_id", "number", name=op.f("pk_crm_findings")),
    )
    op.create_index("ix_crm_findings_subject", "crm_findings", ["subject_kind", "subject_id"])
