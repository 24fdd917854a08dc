"""The settings: what they say about mail is what the mail adapters understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins import registry
from plugins.records import MemoryRecords
from server import settings
from server.settings import BadSetting, Settings
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


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("USHER_STOPPED_CLOCK", "yesterday", "it must be a moment such as 2026-03-02T09:00:00Z"),
        ("USHER_PUBLIC_URL", "usher.example.com", "it must be an address such as https://usher.example.com"),
        ("USHER_PUBLIC_URL", "javascript:alert(1)", "it must be an address such as https://usher.example.com"),
        ("USHER_DATABASE_URL", "mysql://a/b", "allowed sqlite:///FILE or postgresql://USER@HOST/NAME"),
        ("USHER_SMTP_PORT", "99999", "Input should be less than or equal to 65535"),
        ("USHER_TRUSTED_PROXIES", "the proxy", "it must be addresses or networks such as 127.0.0.1, 10.0.0.0/8"),
        ("USHER_WORKER_POLL_SECONDS", "0", "Input should be greater than 0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_sentence(monkeypatch, name: str, value: str, says: str):
    monkeypatch.setenv(name, value)
    settings.get.cache_clear()
    with pytest.raises(BadSetting) as refused:
        settings.get()
    settings.get.cache_clear()
    assert str(refused.value) == f"{name} cannot be used: {says}."
