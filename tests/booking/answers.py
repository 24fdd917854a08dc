"""Answers to invitations as mail programs really send them, made for a meeting of a test."""

from __future__ import annotations

import base64
import quopri
from datetime import UTC, datetime, timedelta

from icalendar import Calendar

STAMP = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def event_of(ics: str) -> tuple[str, int, str]:
    """UID, SEQUENCE and organizer of an invitation that was sent."""
    event = next(iter(Calendar.from_ical(ics).walk("VEVENT")))
    return str(event["UID"]), int(event["SEQUENCE"]), str(event["ORGANIZER"]).removeprefix("mailto:")


def gmail(ics: str, by: str, answer: str = "DECLINED", *, stamp: datetime = STAMP, comment: str = "") -> bytes:
    """Google Calendar: three alternatives, the calendar in 7bit, and the same again as a file in base64."""
    uid, sequence, organizer = event_of(ics)
    said = f';X-RESPONSE-COMMENT="{comment}"' if comment else ""
    reply = _ics(
        "PRODID:-//Google Inc//Google Calendar 70.9054//EN", "VERSION:2.0", "CALSCALE:GREGORIAN", "METHOD:REPLY",
        "BEGIN:VEVENT", "DTSTART:20260303T080000Z", "DTEND:20260303T083000Z", f"DTSTAMP:{_utc(stamp)}",
        f"ORGANIZER;CN=Grace Hopper:mailto:{organizer}", f"UID:{uid}",
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};CN={by};X-NUM-GUESTS=0{said}:mailto:{by}",
        "CREATED:20260302T080000Z", f"LAST-MODIFIED:{_utc(stamp)}", f"SEQUENCE:{sequence}", "STATUS:CONFIRMED",
        "SUMMARY:Product demo", "TRANSP:OPAQUE", "END:VEVENT",
    )  # fmt: skip
    file = base64.encodebytes(reply.encode()).decode().replace("\n", "\r\n")
    return _crlf(f"""\
MIME-Version: 1.0
Reply-To: {by}
Sender: Google Calendar <calendar-notification@google.com>
Message-ID: <calendar-5b2d@google.com>
Subject: Declined: Product demo @ Tue Mar 3, 2026
From: =?UTF-8?Q?Ada_Byr=C3=B6n?= <{by}>
To: {organizer}
Content-Type: multipart/mixed; boundary="000000000000aa"

--000000000000aa
Content-Type: multipart/alternative; boundary="000000000000bb"

--000000000000bb
Content-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes
Content-Transfer-Encoding: base64

QWRhIGhhcyBkZWNsaW5lZA0K

--000000000000bb
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<p>Ada has declined=2E</p>

--000000000000bb
Content-Type: text/calendar; charset="UTF-8"; method=REPLY
Content-Transfer-Encoding: 7bit

{reply}
--000000000000bb--

--000000000000aa
Content-Type: application/ics; name="invite.ics"
Content-Disposition: attachment; filename="invite.ics"
Content-Transfer-Encoding: base64

{file}
--000000000000aa--
""")


def outlook(
    ics: str, by: str, answer: str = "DECLINED", *, stamp: datetime = STAMP, wished: datetime | None = None
) -> bytes:
    """Exchange Online: text and calendar as alternatives, the calendar in base64, zones with the names of Windows, the
    words of the mail as COMMENT, and COUNTER for another time."""
    uid, sequence, organizer = event_of(ics)
    method, start = ("COUNTER", wished + timedelta(hours=1)) if wished else ("REPLY", STAMP)  # the wall clock in Berlin
    reply = _ics(
        f"METHOD:{method}", "PRODID:Microsoft Exchange Server 2010", "VERSION:2.0", "BEGIN:VTIMEZONE",
        "TZID:W. Europe Standard Time", "BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", "END:STANDARD", "BEGIN:DAYLIGHT",
        "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT", "END:VTIMEZONE", "BEGIN:VEVENT",
        f"ATTENDEE;PARTSTAT={answer};CN=Ada Byron:mailto:{by}", "COMMENT;LANGUAGE=en-US:Sorry\\, I am away\\n",
        f"UID:{uid}",
        "SUMMARY;LANGUAGE=en-US:Declined: Product demo",
        f"DTSTART;TZID=W. Europe Standard Time:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=W. Europe Standard Time:{start + timedelta(minutes=30):%Y%m%dT%H%M%S}", "CLASS:PUBLIC",
        "PRIORITY:5", f"DTSTAMP:{_utc(stamp)}", "TRANSP:OPAQUE", "STATUS:CONFIRMED", f"SEQUENCE:{sequence}",
        "LOCATION;LANGUAGE=en-US:", "X-MICROSOFT-CDO-APPT-SEQUENCE:0", "BEGIN:VALARM", "DESCRIPTION:REMINDER",
        "TRIGGER;RELATED=START:-PT15M", "ACTION:DISPLAY", "END:VALARM", "END:VEVENT",
    )  # fmt: skip
    calendar = base64.encodebytes(reply.encode()).decode().replace("\n", "\r\n")
    return _crlf(f"""\
Authentication-Results: mx.acme.example; spf=pass smtp.mailfrom=globex.example;
 dkim=pass header.d=globex.example; dmarc=pass action=none header.from=globex.example
From: Ada Byron <{by}>
To: "{organizer}" <{organizer}>
Subject: Declined: Product demo
Thread-Topic: Product demo
Content-Language: en-US
Content-Type: multipart/alternative;
\tboundary="_002_AM9PR04_"
MIME-Version: 1.0

--_002_AM9PR04_
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Sorry, I am away

--_002_AM9PR04_
Content-Type: text/calendar; charset="utf-8"; method={method}
Content-Transfer-Encoding: base64

{calendar}
--_002_AM9PR04_--
""")


def apple(ics: str, by: str, answer: str = "DECLINED", *, stamp: datetime = STAMP) -> bytes:
    """Apple Calendar by Mail: mixed, the calendar in quoted-printable under a name of its own, lines folded early."""
    uid, sequence, organizer = event_of(ics)
    reply = _ics(
        "CALSCALE:GREGORIAN", "VERSION:2.0", "METHOD:REPLY", "PRODID:-//Apple Inc.//macOS 15.1//EN", "BEGIN:VEVENT",
        f"ATTENDEE;CN=Ada B\u00fcron;CUTYPE=INDIVIDUAL;EMAIL={by};PART\r\n STAT={answer}:MAILTO:{by}",
        f"DTSTAMP:{_utc(stamp)}", "DTSTART;TZID=Europe/Berlin:20260303T090000",
        f"ORGANIZER;CN=Grace:mailto:{organizer}",
        f"SEQUENCE:{sequence}", "SUMMARY:Product demo", f"UID:{uid}", "END:VEVENT",
    )  # fmt: skip
    calendar = quopri.encodestring(reply.replace("\r\n", "\n").encode()).decode().replace("\n", "\r\n")
    return _crlf(f"""\
From: {by}
Content-Type: multipart/mixed; boundary="Apple-Mail=_7C1F"
Mime-Version: 1.0 (Mac OS X Mail 16.0)
Subject: Product demo
To: Grace Hopper <{organizer}>

--Apple-Mail=_7C1F
Content-Transfer-Encoding: 7bit
Content-Type: text/plain; charset=us-ascii


--Apple-Mail=_7C1F
Content-Disposition: attachment; filename="iCal-20260302-100000.ics"
Content-Type: text/calendar; x-unix-mode=0644; method=REPLY;
\tname="iCal-20260302-100000.ics"; charset=utf-8
Content-Transfer-Encoding: quoted-printable

{calendar}
--Apple-Mail=_7C1F--
""")


def _ics(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""])


def _utc(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _crlf(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
