"""The settings: what they say about mail is what the mail adapters understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins import registry
from plugins.records import MemoryRecords
from server.settings import Settings


@pytest.mark.parametrize("way", ["smtp", "mailbox"])
def test_an_operator_who_sets_up_mail_gets_an_adapter_with_these_settings(way: str, tmp_path: Path):
    given = Settings(mail_to=way, mailbox_dir=tmp_path, smtp_host="mail.example", smtp_username="ada")
    adapter = registry.open("notify", way, given.mail_config(), records=MemoryRecords())
    told = {"smtp": {"host": "mail.example", "user": "ada"}, "mailbox": {"folder": str(tmp_path)}}[way]
    assert told.items() <= dict(adapter.config).items()
