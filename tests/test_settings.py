"""The settings: what they say about mail is what the mail adapters understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins import registry
from plugins.records import MemoryRecords
from server.settings import Settings
from tests.house.source import calls, python_files


@pytest.mark.parametrize("way", ["smtp", "mailbox"])
def test_an_operator_who_sets_up_mail_gets_an_adapter_with_these_settings(way: str, tmp_path: Path):
    given = Settings(mail_to=way, mailbox_dir=tmp_path, smtp_host="mail.example", smtp_username="ada")
    adapter = registry.open("notify", way, given.mail_config(), records=MemoryRecords())
    told = {"smtp": {"host": "mail.example", "user": "ada"}, "mailbox": {"folder": str(tmp_path)}}[way]
    assert told.items() <= dict(adapter.config).items()


def test_every_setting_changes_something():
    read = {name.rpartition(".")[2] for file in python_files("server") for _, name in calls(file)}
    assert [name for name in Settings.model_fields if name not in read] == []
