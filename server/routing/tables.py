"""The ledger of turns: append-only, one account per counter."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from server.db import Id, Json, UtcDateTime, metadata

credit_ledger = Table(
    "credit_ledger",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("counter", String(60), nullable=False),
    Column("pool", String(60), nullable=False),
    Column("rep", String(60), nullable=False),
    Column("kind", String(20), nullable=False),  # ledger.KINDS
    Column("amount", String(40), nullable=False),  # an exact number such as 1, -1 or 1/2
    Column("meeting_id", Id),
    Column("counts_at", UtcDateTime, nullable=False),  # in whose period it counts: when the turn was given
    Column("at", UtcDateTime, nullable=False),
    Column("by_kind", String(20), nullable=False),
    Column("by_id", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("trace", Json),
    # Its place in the account: the turn of the lock that first counted it, written once; null until then.
    Column("rev", BigInteger),
    Index("ix_credit_ledger_counter", "site_id", "counter", "counts_at"),
    Index("ix_credit_ledger_given", "site_id", "counter", "kind", "rep", "at"),
    Index("ix_credit_ledger_meeting", "meeting_id"),
    Index(
        "ix_credit_ledger_unplaced",
        "site_id",
        "counter",
        sqlite_where=Column("rev").is_(None),
        postgresql_where=Column("rev").is_(None),
    ),
)

credit_counters = Table(
    "credit_counters",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("counter", String(60), primary_key=True),
    Column("rev", BigInteger, nullable=False),  # changed first by whoever gives a turn: the lock of the account
)
