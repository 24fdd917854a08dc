"""The page of mails: a person reads what was sent, and no mail can do anything to the page."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import icalendar
import pytest
from flask.testing import FlaskClient

from demo.site import create_site


@pytest.fixture
def browser(tmp_path: Path) -> FlaskClient:
    return create_site("http://localhost:8000", tmp_path).test_client()


def test_a_booked_visitor_finds_the_mail_with_its_invitation(browser: FlaskClient, tmp_path: Path):
    _write(tmp_path / "one.eml", "Product demo with Grace Hopper", invitation=True)
    assert "Product demo with Grace Hopper" in browser.get("/mail").text
    page = browser.get("/mail/one.eml").text
    for said in (
        "REQUEST",
        "Monday, 02 March 2026, 09:00 to 09:30",
        "grace@acme.example",
        "ada@globex.example",
        "meeting-1@acme.example",
    ):
        assert said in page


def test_the_newest_mail_stands_first(browser: FlaskClient, tmp_path: Path):
    for number in (1, 2, 3):
        _write(tmp_path / f"{number}.eml", f"Mail {number}")
        os.utime(tmp_path / f"{number}.eml", (number, number))
    page = browser.get("/mail").text
    assert page.index("Mail 3") < page.index("Mail 2") < page.index("Mail 1")


def test_an_empty_mailbox_says_what_to_do(browser: FlaskClient):
    assert "Nothing yet" in browser.get("/mail").text


def test_what_a_mail_says_in_html_is_shown_in_a_sandbox_only(browser: FlaskClient, tmp_path: Path):
    _write(tmp_path / "bad.eml", "<script>alert(1)</script>", html="<script>alert(2)</script><b>Hello</b>")
    page, body = browser.get("/mail/bad.eml"), browser.get("/mail/bad.eml/body")
    assert "<script>" not in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy


@pytest.mark.parametrize("name", ["..%2Fsecret.eml", "../secret.eml", "secret.txt", "gone.eml", "%2Fetc%2Fpasswd"])
def test_nobody_reads_a_file_that_is_no_mail_of_the_folder(browser: FlaskClient, tmp_path: Path, name: str):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path.parent / "secret.eml").write_text("Subject: secret")
    assert browser.get(f"/mail/{name}").status_code == 404
    assert browser.get(f"/mail/{name}/source").status_code == 404


def _write(path: Path, subject: str, *, html: str = "<p>Hello</p>", invitation: bool = False) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "hello@acme.example", "ada@globex.example"
    mail.set_content("Hello")
    mail.add_alternative(html, subtype="html")
    if invitation:
        mail.add_alternative(_invitation(), subtype="calendar")
    path.write_bytes(mail.as_bytes())


def _invitation() -> str:
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    event = icalendar.Event()
    event.add("uid", "meeting-1@acme.example")
    event.add("summary", "Product demo")
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=30))
    event.add("organizer", "mailto:grace@acme.example")
    event.add("attendee", "mailto:ada@globex.example")
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//tests//")
    calendar.add("version", "2.0")
    calendar.add("method", "REQUEST")
    calendar.add_component(event)
    return calendar.to_ical().decode()
