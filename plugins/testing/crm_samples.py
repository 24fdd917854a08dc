"""Who and what the kit writes into a CRM."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from plugins.crm import Activity, ActivityKind, Meeting, Person

ADA = Person("ada@globex.example", name="Ada Lovelace", phone="+4930123456", title="CTO")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHAT = Activity(ActivityKind.CHAT, NOON, "Chat on /pricing", "How much is it?")
DEMO = Meeting("mtg_1@usher", NOON, NOON + timedelta(minutes=30), "Europe/Berlin", "Product demo")
