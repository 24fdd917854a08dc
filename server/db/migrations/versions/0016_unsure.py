"""Whether a delivery may have arrived at the outside, kept from its first try to its end.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

UNTRIED = ("", "NotYet", "RateLimited")
IN_VAIN = ("NotYet", "RateLimited", "Transient", "QuotaExhausted", "AuthError", "PermissionDenied", "ConfigError")


def upgrade() -> None:
    """Of those that are there only the last try is known: a first one that did nothing is believed."""
    op.add_column("deliveries", sa.Column("unsure", sa.Boolean(), nullable=False, server_default="0"))
    names = ("state", "attempts", "problem_class", "unsure")
    deliveries = sa.table("deliveries", *(sa.column(name) for name in names))
    t = deliveries.c
    untried = sa.and_(t.attempts == 0, t.problem_class.in_(UNTRIED))
    in_vain = sa.and_(t.attempts == 1, t.problem_class.in_(IN_VAIN))
    op.execute(deliveries.update().where(t.state != "done", ~untried, ~in_vain).values(unsure=sa.true()))
