"""The table of users."""

from sqlalchemy import Boolean, Column, String, Table, Text

from server.db import Id, UtcDateTime, metadata

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("email", String(320), nullable=False, unique=True),  # folded
    Column("name", String(120), nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id, with its parameters
    Column("role", String(12), nullable=False),  # owner | marketing | supervisor | rep
    Column("rep", String(80)),  # their id in team.yml
    Column("active", Boolean, nullable=False),
    Column("session_stamp", String(64), nullable=False),  # a session that carries another one has ended
    Column("created_at", UtcDateTime, nullable=False),
    Column("signed_in_at", UtcDateTime),
)
