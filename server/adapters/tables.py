"""The tables of connections: which there are, agreements under way, what services called to say; and the table that
built-in adapters keep their records in."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from server.db import Id, Json, Name, UtcDateTime, metadata

OPEN = "origin = 'console' AND state <> 'off'"
SERVING = "origin = 'console' AND state IN ('working', 'broken') AND rep = '' AND kind IN ('crm', 'calendar')"

connections = Table(
    "connections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("name", String(60), nullable=False),  # of the adapter
    Column("rep", String(60), nullable=False),  # "" when it is the site's
    Column("origin", String(12), nullable=False),  # console | environment
    Column("label", String(200), nullable=False),  # the account, as the service calls it
    Column("account", String(200), nullable=False, server_default=""),  # what stays when it is renamed; "" unknown
    Column("tried", String(64), nullable=False, server_default=""),  # digest of the settings that led to it
    Column("config", Json, nullable=False),  # no secrets
    Column("sealed", Text, nullable=False),  # the secret settings
    Column("tokens", Text, nullable=False),  # sealed
    Column("renewing_until", UtcDateTime),  # somebody is asking for new tokens
    Column("calendars", Json, nullable=False),  # {"blocking": [ids], "events": id}
    Column("hook_secret", Text, nullable=False),  # sealed
    Column("granted", Json, nullable=False),
    Column("missing", Json, nullable=False),
    Column("state", String(10), nullable=False),  # draft | working | broken | off
    Column("problem_class", String(40), nullable=False),
    Column("problem", Text, nullable=False),
    Column("failed_at", UtcDateTime),
    Column("worked_at", UtcDateTime),
    Column("checked_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("off_at", UtcDateTime),
    Index("ix_connections_site", "site_id", "kind", "rep"),
    Index(
        "ux_connections_open", "site_id", "kind", "name", "rep",
        unique=True, sqlite_where=text(OPEN), postgresql_where=text(OPEN),
    ),
    Index(
        "ux_connections_serving", "site_id", "kind",
        unique=True, sqlite_where=text(SERVING), postgresql_where=text(SERVING),
    ),
)  # fmt: skip

agreements = Table(
    "connection_agreements",
    metadata,
    Column("id", Name(64), primary_key=True),  # digest of the state that goes to the service
    Column("browser", Name(64), nullable=False),  # digest of what the browser's session holds
    Column("site_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("name", String(60), nullable=False),
    Column("rep", String(60), nullable=False),
    Column("config", Json, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("verifier", Text, nullable=False),  # sealed
    Column("created_by", String(200), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

hook_messages = Table(
    "hook_messages",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("id", Name(200), primary_key=True),  # the service's own
    Column("site_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(10), nullable=False),  # waiting | done | dead
    Column("received_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("not_before", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Index("ix_hook_messages_due", "state", "kind", "not_before"),
)

adapter_records = Table(
    "adapter_records",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("kind", Name(60), primary_key=True),
    Column("id", Name(200), primary_key=True),
    Column("added", BigInteger, nullable=False),  # nanoseconds; "oldest first" needs an order
    Column("value", Json, nullable=False),
)
