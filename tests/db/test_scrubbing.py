"""One address is taken out of texts, and nothing else."""

from __future__ import annotations

import pytest
from icalendar import Calendar

from server.db.scrubbing import Wipe

wipe = Wipe("ada@globex.example")
INVITATION = "\r\n".join(
    (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Test//EN",
        "BEGIN:VEVENT",
        "UID:1@acme.example",
        "DTSTART:20260302T090000Z",
        "SUMMARY:Zwölf große Elefanten und noch viele mehr, damit diese Zeile lang w",
        " ird, wegen ADA@globex.example und anderen",
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:ada@glob",
        " ex.example",
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:nada@glo",
        " bex.example",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ask ADA@Globex.example.", "Ask [erased]."),
        ("<ada@globex.example>, mailto:ada@globex.example", "<[erased]>, mailto:[erased]"),
        ("/pricing?for=ada%40globex.example&x=1", "/pricing?for=[erased]&x=1"),
        ("nada@globex.example x.ada@globex.example ada@globex.example.org ada@globex.examples", None),
        ("ada@globex", None),
    ],
)
def test_the_address_goes_and_those_that_look_alike_stay(text, left):
    assert wipe(text) == (text if left is None else left)


def test_it_is_found_at_every_depth_and_as_a_name():
    told = {"guests": ["Ada@globex.example", 3, None], "ada@globex.example": {"x": True}}
    assert wipe(told) == {"guests": ["[erased]", 3, None], "[erased]": {"x": True}}


def test_an_invitation_loses_the_guest_and_stays_one():
    left = wipe(INVITATION)
    assert "ada@globex.example" not in left.replace("\r\n ", "").replace("nada@globex.example", "").lower()
    assert max(len(line.encode()) for line in left.split("\r\n")) <= 75
    (event,) = Calendar.from_ical(left).walk("VEVENT")
    assert str(event["ATTENDEE"]) == "mailto:nada@globex.example"
    assert str(event["SUMMARY"]).endswith("damit diese Zeile lang wird, wegen [erased] und anderen")
