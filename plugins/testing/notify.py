"""What every notify adapter that sends mail must pass."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from plugins.errors import InvalidInput
from plugins.notify import Alert, Attachment, CalendarPart, Capability, Mail
from plugins.testing.alerts import ALERT, AlertConformance
from plugins.testing.conformance import requires
from plugins.testing.deeds import Writing

ICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:mtg_1@usher\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
MAIL = Mail(
    to="ada@globex.example",
    to_name="Ada Löwe, CTO",
    from_address="hello@acme.example",
    from_name="Acme Analytics",
    reply_to="grace@acme.example",
    subject="Ihr Termin: Dienstag, 3. März – 10 Uhr ✓",
    text="Grüße,\n.\n.. bis bald\n" + "x" * 1500,
    html="<p>Grüße</p>",
    calendar=CalendarPart("REQUEST", ICS),
)

BAD: list[dict[str, Any]] = [
    {"subject": "Hi\r\nBcc: eve@evil.example"},
    {"to_name": "Ada\nBcc: eve@evil.example"},
    {"to": "ada@globex.example\r\nBcc: eve@evil.example"},
    {"reply_to": "x@y.example\nBcc: eve@evil.example"},
    {"headers": {"List-Unsubscribe": "<x>\r\nBcc: eve@evil.example"}},
    {"to": "nobody"},
]


class NotifyConformance(AlertConformance):
    """The author gives `fake`, and `received`: what arrived at it, oldest first; mails whole, alerts as they came."""

    @pytest.fixture
    def writing(self, config: dict[str, Any]) -> Writing | None:
        return self._sending(MAIL if Capability.MAIL in self.adapter.capabilities else ALERT, config)

    @pytest.fixture
    def writings(self, config: dict[str, Any]) -> list[Writing]:
        both = {Capability.MAIL, Capability.ALERT} <= set(self.adapter.capabilities)
        return [self._sending(ALERT, config)] if both else []

    def _sending(self, message: Mail | Alert, config: dict[str, Any]) -> Writing:
        return Writing(
            "send", lambda subject, n, key: subject.send(message, key=key), lambda _, n: len(self.received(config))
        )

    def mails(self, config: dict[str, Any]) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=default) for raw in self.received(config)]

    @requires(Capability.MAIL)
    def test_a_mail_arrives_with_names_subject_and_both_bodies(self, subject: Any, config: dict[str, Any]) -> None:
        sent = subject.send(MAIL, key="k1")
        [mail] = self.mails(config)
        [to], [sender] = mail["To"].addresses, mail["From"].addresses
        assert (to.display_name, to.addr_spec) == ("Ada Löwe, CTO", "ada@globex.example")
        assert (sender.display_name, sender.addr_spec) == ("Acme Analytics", "hello@acme.example")
        assert (mail["Subject"], mail["Reply-To"]) == (MAIL.subject, MAIL.reply_to)
        assert mail["Message-ID"] == sent.id
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert text.get_content().replace("\r\n", "\n").rstrip("\n") == MAIL.text.rstrip("\n")
        assert html.get_content().strip() == MAIL.html

    @requires(Capability.MAIL)
    def test_an_invitation_is_a_part_with_method_and_a_file(self, subject: Any, config: dict[str, Any]) -> None:
        subject.send(MAIL, key="k1")
        parts = {part.get_content_type(): part for part in self.mails(config)[0].walk()}
        invitation, file = parts["text/calendar"], parts["application/ics"]
        assert invitation.get_param("method") == "REQUEST"
        assert "UID:mtg_1@usher" in invitation.get_content()
        assert (file.get_filename(), file.get_content()) == ("invite.ics", ICS.encode())

    @requires(Capability.MAIL)
    def test_an_attachment_keeps_its_bytes(self, subject: Any, config: dict[str, Any]) -> None:
        subject.send(replace(MAIL, attachments=(Attachment("a.pdf", "application/pdf", bytes(range(256))),)), key="k1")
        [file] = [part for part in self.mails(config)[0].walk() if part.get_filename() == "a.pdf"]
        assert file.get_content() == bytes(range(256))

    @requires(Capability.MAIL)
    def test_the_same_key_is_the_same_message_and_another_key_is_not(self, subject: Any) -> None:
        first, again, other = (subject.send(MAIL, key=key).id for key in ("k1", "k1", "k2"))
        assert first == again != other

    @requires(Capability.MAIL)
    def test_mails_of_one_thread_refer_to_one_ancestor(self, subject: Any, config: dict[str, Any]) -> None:
        for key, thread in (("k1", "mtg_1"), ("k2", "mtg_1"), ("k3", "mtg_2")):
            subject.send(replace(MAIL, thread_key=thread), key=key)
        by_id = {mail["Message-ID"]: mail["References"] for mail in self.mails(config)}
        assert sorted(list(by_id.values()).count(reference) for reference in by_id.values()) == [1, 2, 2]

    @pytest.mark.parametrize("change", BAD, ids=lambda change: next(iter(change)))
    @requires(Capability.MAIL)
    def test_a_value_cannot_smuggle_in_a_header(
        self, subject: Any, config: dict[str, Any], change: dict[str, Any]
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            subject.send(replace(MAIL, **change), key="k1")
        assert caught.value.field == next(iter(change))
        assert self.received(config) == []

    @requires(Capability.MAIL)
    def test_a_domain_beyond_ascii_is_written_in_ascii(self, subject: Any, config: dict[str, Any]) -> None:
        subject.send(replace(MAIL, to="ada@bücher.example"), key="k1")
        assert self.mails(config)[0]["To"].addresses[0].addr_spec == "ada@xn--bcher-kva.example"
