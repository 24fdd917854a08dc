"""What every inbox adapter must pass."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.testing.deeds import Reading
from plugins.testing.errors import ErrorTable

MAILS = tuple(
    f"From: {name}@globex.example\r\nTo: meet@acme.example\r\nSubject: {name} =?utf-8?q?=C3=BC?=\r\n\r\n"
    f"Body of {name}\r\n.\r\n{'x' * 1200}\r\n\u00e9\r\n".encode()
    for name in ("ada", "bob", "eve")
)


class InboxConformance(ErrorTable):
    """The author gives `fake`, and `deliver`, which puts a mail into the mailbox there; it is empty at first."""

    largest_bytes = 16 * 1024

    @pytest.fixture
    def reading(self) -> Reading | None:
        return Reading("fetch", lambda subject: subject.fetch(), may_be_nothing=False)

    def deliver(self, raw: bytes) -> None:
        raise NotImplementedError

    def test_mails_come_in_order_and_whole(self, subject: Any) -> None:
        for raw in MAILS:
            self.deliver(raw)
        found = subject.fetch()
        assert [one.raw for one in found.messages] == list(MAILS)
        assert not found.more
        assert len({one.id for one in found.messages}) == len(MAILS)

    def test_reading_goes_on_where_it_ended_and_nothing_comes_twice(self, subject: Any) -> None:
        empty = subject.fetch()
        assert empty.messages == ()
        self.deliver(MAILS[0])
        first = subject.fetch(empty.position)
        assert subject.fetch(first.position).messages == ()
        self.deliver(MAILS[1])
        again = subject.fetch(first.position)
        assert [one.raw for one in (*first.messages, *again.messages)] == list(MAILS[:2])

    def test_many_mails_come_in_portions(self, subject: Any) -> None:
        for raw in MAILS:
            self.deliver(raw)
        first = subject.fetch(most=2)
        rest = subject.fetch(first.position, most=2)
        assert [one.raw for one in (*first.messages, *rest.messages)] == list(MAILS)
        assert (first.more, rest.more) == (True, False)

    def test_reading_changes_nothing(self, subject: Any) -> None:
        self.deliver(MAILS[0])
        assert subject.fetch() == subject.fetch()

    def test_a_position_that_nobody_knows_begins_anew(self, subject: Any) -> None:
        self.deliver(MAILS[0])
        for lost in ("1:999999999", "nonsense", ":"):
            found = subject.fetch(lost)
            assert [one.raw for one in found.messages] == [MAILS[0]]
            assert subject.fetch(found.position).messages == ()

    def test_a_mail_that_is_too_large_is_left_out_with_a_reason(self, subject: Any) -> None:
        self.deliver(MAILS[0] + b"y" * self.largest_bytes)
        self.deliver(MAILS[1])
        large, small = subject.fetch().messages
        assert (large.raw, bool(large.skipped)) == (b"", True)
        assert (small.raw, small.skipped) == (MAILS[1], "")
