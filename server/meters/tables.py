"""The table of what was counted."""

from sqlalchemy import Column, Float, String, Table

from server.db import metadata

meters = Table(
    "meters",
    metadata,
    Column("what", String(20), primary_key=True),  # the constants of plugins.meter
    Column("adapter", String(80), primary_key=True),
    Column("operation", String(80), primary_key=True),
    Column("label", String(40), primary_key=True),  # outcome, upper bound in seconds, or reason
    Column("value", Float, nullable=False),
)
