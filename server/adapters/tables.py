"""The table that built-in adapters keep their records in."""

from sqlalchemy import BigInteger, Column, String, Table

from server.db import Id, Json, metadata

adapter_records = Table(
    "adapter_records",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("kind", String(60), primary_key=True),
    Column("id", String(200), primary_key=True),
    Column("added", BigInteger, nullable=False),  # nanoseconds; "oldest first" needs an order
    Column("value", Json, nullable=False),
)
