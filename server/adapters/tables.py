"""The table that built-in adapters keep their records in."""

from sqlalchemy import BigInteger, Column, Table

from server.db import Id, Json, Name, metadata

adapter_records = Table(
    "adapter_records",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("kind", Name(60), primary_key=True),
    Column("id", Name(200), primary_key=True),
    Column("added", BigInteger, nullable=False),  # nanoseconds; "oldest first" needs an order
    Column("value", Json, nullable=False),
)
