"""Reps' own times on the wall clock, once or by a rule: away, blocked, or open beside the weekly hours.

Revision ID: 0005
Revises: 0004
"""

import math
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from server.db.types import Id, UtcDateTime

revision = "0005"
down_revision = "0004"

KEPT: tuple[sa.Column[Any], ...] = (
    sa.Column("id", Id),
    sa.Column("site_id", Id),
    sa.Column("rep", sa.String(60)),
    sa.Column("title", sa.String(200)),
    sa.Column("created_by", sa.String(80)),
    sa.Column("created_at", UtcDateTime()),
)


def upgrade() -> None:
    """What was blocked stays blocked to the second: a UTC span is the same span on the wall clock of UTC."""
    connection = op.get_bind()
    old = sa.table("time_blocks", *KEPT, sa.Column("start_at", UtcDateTime()), sa.Column("end_at", UtcDateTime()))
    found = connection.execute(sa.select(old)).mappings().all()
    op.drop_table("time_blocks")
    new = op.create_table(
        "time_blocks",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("rep", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("start_local", sa.String(length=19), nullable=False),
        sa.Column("end_local", sa.String(length=19), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_blocks")),
    )
    op.create_index("ix_time_blocks_rep", "time_blocks", ["site_id", "rep", "ends_at"], unique=False)
    if found:
        connection.execute(sa.insert(new), [_converted(row) for row in found])


def _converted(row: sa.RowMapping) -> dict[str, object]:
    """Fractions of a second are rounded outwards, as they have always counted."""
    end = datetime.fromtimestamp(math.ceil(row["end_at"].timestamp()), UTC)
    start = row["start_at"].replace(microsecond=0)
    kept = {column.name: row[column.name] for column in KEPT}
    when = {"start_local": _wall(start), "end_local": _wall(end), "ends_at": end}
    return {**kept, **when, "kind": "blocked", "zone": "UTC", "rule": ""}


def _wall(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S" if moment.second else "%Y-%m-%dT%H:%M")
