"""The mailbox folder keeps the contract; a file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.errors import ConfigError, Transient
from plugins.notify import Alert
from plugins.notify.mailbox import Mailbox, _write_whole
from plugins.testing import NotifyConformance
from plugins.testing.notify import MAIL


class TestMailbox(NotifyConformance):
    adapter = Mailbox
    no_http = "writes files"

    @pytest.fixture
    def config(self, tmp_path: Path) -> dict[str, Any]:
        return {"folder": str(tmp_path / "made" / "here")}

    def received(self, config: dict[str, Any]) -> list[bytes]:
        return [file.read_bytes() for file in sorted(Path(config["folder"]).glob("*.eml"))]

    def test_the_same_key_is_one_file_and_it_stays_as_it_was(self, subject: Any, config: dict[str, Any]) -> None:
        subject.send(MAIL, key="k1")
        before = self.received(config)
        subject.send(MAIL, key="k1")
        assert self.received(config) == before
        assert len(before) == 1

    def test_a_disk_that_refuses_leaves_no_half_mail(self, subject: Any, config: dict[str, Any]) -> None:
        subject.check()
        folder = Path(config["folder"])
        broken = folder / "x.eml"
        broken.mkdir()
        with pytest.raises(Transient):
            _write_whole(broken, b"mail")
        assert list(folder.iterdir()) == [broken]

    def test_a_folder_that_cannot_be_made_is_a_setting_to_correct(self, subject: Any, config: dict[str, Any]) -> None:
        Path(config["folder"]).parent.write_text("a file where a folder should be")
        assert not subject.check().ok
        with pytest.raises(ConfigError):
            subject.send(MAIL, key="k1")

    def test_it_sends_no_alerts(self, subject: Any) -> None:
        with pytest.raises(Exception, match="alert"):
            subject.send(Alert("New lead", "Ada"), key="k1")
