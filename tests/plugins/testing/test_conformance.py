"""The kit itself: it catches adapters that do not keep the contract, and nobody can blank its tests."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.errors import UnsupportedFeature
from plugins.notify import Alert, Capability
from plugins.notify.mailbox import Mailbox
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing.network import ForeignNetwork, only_loopback

ROOT = Path(__file__).parents[3]
SLOPPY = """
from plugins.crm import Kind, Ref
from plugins.crm.builtin import BuiltinCRM
from plugins.testing import CRMConformance

class Sloppy(BuiltinCRM):
    name = "sloppy"

    def upsert_person(self, person, *, key):
        self.records.put("crm.person", key, {"email": person.email})
        return Ref(Kind.PERSON, key, created=True)

class TestSloppy(CRMConformance):
    adapter = Sloppy
    no_http = "keeps everything here"

    def count(self, subject, kind):
        return len(subject.records.list(f"crm.{kind}"))
"""


def test_the_kit_finds_a_crm_that_makes_two_of_one_person(tmp_path: Path) -> None:
    (tmp_path / "test_sloppy.py").write_text(SLOPPY)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environ)
    assert done.returncode == 1
    failed = set(re.findall(r"^FAILED \S+?::(\S+)", done.stdout, re.MULTILINE))
    assert "TestSloppy::test_upserting_a_person_twice_keeps_one_record" in failed
    assert "TestSloppy::test_eight_at_once_with_one_email_make_one_person" in failed
    assert "TestSloppy::test_what_is_no_email_is_refused_by_field" in failed
    assert "TestSloppy::test_an_unknown_domain_is_no_account" not in failed


def test_the_network_beyond_this_machine_is_shut() -> None:
    with only_loopback(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, pytest.raises(ForeignNetwork):
        out.connect(("192.0.2.1", 53))


def test_what_was_not_declared_is_refused_also_when_it_is_there(tmp_path: Path) -> None:
    class Louder(Mailbox):
        name = "louder"

        def send_alert(self, alert: Alert, *, key: str) -> None:  # type: ignore[override]
            raise AssertionError("not declared, must not run")

    found = Registry(discover=list)
    found.register(Louder)
    subject = found.open("notify", "louder", {"folder": str(tmp_path)}, records=MemoryRecords())
    with pytest.raises(UnsupportedFeature) as caught:
        subject.send(Alert("a", "b"), key="k")
    assert (caught.value.adapter, caught.value.operation) == ("notify.louder", "send_alert")


def test_what_was_declared_must_be_there() -> None:
    with pytest.raises(TypeError, match="declares alert but does not define send_alert"):
        type("Silent", (Mailbox,), {"name": "silent", "capabilities": frozenset({Capability.MAIL, Capability.ALERT})})
