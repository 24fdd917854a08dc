"""What an answer to an invitation says: the iTIP REPLY or COUNTER (RFC 5546 3.2.3, 3.2.7) in a mail (RFC 6047).

The mail is a stranger's. It is read within bounds: no zones are built from it, nothing is unpacked, nesting is counted
before anything is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from icalendar.parser import Contentline
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from plugins.emails import fold
from plugins.errors import InvalidInput

REPLY, COUNTER = "REPLY", "COUNTER"
ACCEPTED, TENTATIVE, DECLINED, DELEGATED = "ACCEPTED", "TENTATIVE", "DECLINED", "DELEGATED"
ANSWERS = (ACCEPTED, TENTATIVE, DECLINED, DELEGATED)
MOST_PARTS = 40
LARGEST_CALENDAR = 100_000
LONGEST_COMMENT = 500
_WANTED = ("BEGIN", "END", "METHOD", "UID", "SEQUENCE", "DTSTAMP", "ATTENDEE", "COMMENT", "DTSTART", "RECURRENCE-ID")
_MOMENT = re.compile(r"(\d{8}T\d{6})(Z?)")
_DISOWNED = re.compile(r"\bdmarc=fail\b(?!.*\b(?:p|action)=none\b)", re.IGNORECASE | re.DOTALL)


class Unusable(Exception):
    """The mail is no answer to an invitation that could be used; the message says why in a few words."""


@dataclass(frozen=True)
class Reply:
    """An answer. `by` is the folded address that gives it and sends the mail; `wished` the time a COUNTER asks for."""

    method: str
    uid: str
    by: str
    answer: str
    sequence: int
    stamp: datetime
    comment: str = ""
    wished: datetime | None = None


def read(raw: bytes) -> Reply:
    """The answer in a mail; Unusable, and nothing else, whatever the mail holds."""
    try:
        return _read(raw)
    except Unusable:
        raise
    except Exception as broken:  # noqa: BLE001 - a stranger's mail may break any parser in any way
        raise Unusable(f"unreadable ({type(broken).__name__})") from broken


def _read(raw: bytes) -> Reply:
    lower = raw.lower()
    if b"text/calendar" not in lower and b"ics" not in lower:
        raise Unusable("no calendar in it")
    if lower.count(b"boundary") + lower.count(b"message/") > MOST_PARTS:
        raise Unusable("too many parts")
    mail = message_from_bytes(raw)
    sender = _sender(mail)
    for text in _calendars(mail):
        calendar = _Calendar(text)
        if calendar.method in (REPLY, COUNTER):
            return calendar.reply(sender)
    raise Unusable("no answer in it")


def _sender(mail: Message) -> str:
    """The one address in From. Unusable when the receiving server found that its domain disowns the mail: only what
    stands uppermost is that server's word, and it is believed only to the sender's harm."""
    found = getaddresses([str(value) for value in mail.get_all("From", [])])
    if len(found) != 1 or len(mail.get_all("From", [])) != 1:
        raise Unusable("not one sender")
    results = mail.get_all("Authentication-Results", [])
    if results and _DISOWNED.search(str(results[0])):
        raise Unusable("the sender's domain disowns it")
    return _folded(found[0][1])


def _folded(address: str) -> str:
    try:
        return fold(address)
    except InvalidInput:
        raise Unusable("no address") from None


def _calendars(mail: Message) -> Iterator[str]:
    """The calendars among the parts, not those of mails that are only enclosed."""
    waiting, seen = [mail], 0
    while waiting and seen < MOST_PARTS:
        part, seen = waiting.pop(0), seen + 1
        inside = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inside, list):
            waiting += [one for one in inside if isinstance(one, Message)]
        elif part.get_content_type() in ("text/calendar", "application/ics") or _is_file(part):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and len(content) <= LARGEST_CALENDAR:
                yield _text(content)


def _is_file(part: Message) -> bool:
    return part.get_content_maintype() == "application" and str(part.get_filename("")).lower().endswith(".ics")


def _text(content: bytes) -> str:
    """UTF-8 unless it is none; what the mail says of its charset need not be true, and all that counts is ASCII."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


class _Calendar:
    """The lines of a calendar that matter: its METHOD and those of the first VEVENT."""

    def __init__(self, text: str) -> None:
        self.method = ""
        self.event: dict[str, list[Contentline]] = {}
        path: list[str] = []
        for line in re.split(r"\r\n|\n|\r", re.sub(r"\r?\n[ \t]", "", text)):
            name = re.split("[;:]", line, maxsplit=1)[0].strip().upper()
            if name not in _WANTED:
                continue
            if name == "BEGIN":
                path.append(line[6:].strip().upper())
            elif name == "END":
                if path.pop() == "VEVENT":
                    break
            elif path == ["VCALENDAR", "VEVENT"]:
                self.event.setdefault(name, []).append(Contentline(line))
            elif path == ["VCALENDAR"] and name == "METHOD":
                self.method = line.partition(":")[2].strip().upper()

    def reply(self, sender: str) -> Reply:
        if "RECURRENCE-ID" in self.event:
            raise Unusable("about one of a series")
        moment = _moment(self._line("DTSTAMP"))
        if moment is None:
            raise Unusable("no DTSTAMP")
        sequence = self._value("SEQUENCE") if "SEQUENCE" in self.event else "0"
        if not re.fullmatch(r"\d{1,9}", sequence):
            raise Unusable("no SEQUENCE")
        answer, comment = self._answer(sender)
        if "COMMENT" in self.event:
            comment = _unescaped(self._value("COMMENT"))
        return Reply(
            self.method,
            _unescaped(self._value("UID")),
            sender,
            answer,
            int(sequence),
            moment,
            _plain(comment),
            _moment(self._line("DTSTART")) if self.method == COUNTER and "DTSTART" in self.event else None,
        )

    def _answer(self, sender: str) -> tuple[str, str]:
        """What the attendee who sends the mail says, with the words that Google adds; nobody answers for others."""
        for line in self.event.get("ATTENDEE", []):
            _, parameters, value = line.parts()
            address = re.sub(r"^mailto:", "", value.strip(), flags=re.IGNORECASE)
            if _folded(unquote(address)) == sender:
                answer = str(parameters.get("PARTSTAT", "")).upper()
                if answer in ANSWERS or self.method == COUNTER:
                    return answer if answer in ANSWERS else TENTATIVE, str(parameters.get("X-RESPONSE-COMMENT", ""))
                raise Unusable("neither yes nor no")
        raise Unusable("the sender is not who answers")

    def _line(self, name: str) -> Contentline:
        if name not in self.event:
            raise Unusable(f"no {name}")
        return self.event[name][0]

    def _value(self, name: str) -> str:
        return str(self._line(name).parts()[2]).strip()


def _moment(line: Contentline) -> datetime | None:
    """A DATE-TIME in UTC; None for what is none or is in a zone that nobody knows. Zones go by their names, also those
    of Windows: what a stranger's VTIMEZONE says is not computed."""
    _, parameters, value = line.parts()
    found = _MOMENT.fullmatch(value.strip())
    zone = str(parameters.get("TZID", "")).strip('"')
    if not found or not (found[2] or zone):
        return None
    try:
        local = datetime.strptime(found[1], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - its zone comes below
        return local.replace(tzinfo=UTC if found[2] else ZoneInfo(WINDOWS_TO_OLSON.get(zone, zone))).astimezone(UTC)
    except (ValueError, OSError, OverflowError):
        return None


def _unescaped(text: str) -> str:
    """A TEXT value (RFC 5545 3.3.11)."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


def _plain(text: str) -> str:
    """Words on one line, to be shown."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:LONGEST_COMMENT]
