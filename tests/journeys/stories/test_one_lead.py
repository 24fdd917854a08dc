"""Connected, met in the chat, booked, moved, missed: what stands at each service afterwards, once and as it is."""

from __future__ import annotations

import pytest

from tests.journeys.stories.calendars import CALENDARS
from tests.journeys.stories.crms import CRMS
from tests.journeys.stories.office import MINUTE, office_at
from tests.journeys.stories.service import Event
from tests.journeys.stories.site import REST

PAIRS = [("salesforce", "google"), ("hubspot", "microsoft"), ("dynamics", "caldav"), ("webhook", "builtin")]
PAIRS += [("builtin", "builtin")]
ADA = "ada@globex.example"


@pytest.fixture(params=PAIRS, ids="+".join)
def office(request, fresh, tmp_path):
    crm, calendar = request.param
    with office_at(tmp_path, CRMS[crm](), CALENDARS[calendar](), fresh) as found:
        yield found


def test_from_the_first_word_to_a_missed_meeting_each_service_has_everything_once(office):
    chat = office.visit(ADA)
    booked = office.book(chat, "Ada Byron", ADA)
    assert booked.status == "booked"
    office.step(REST)  # nobody says anything more: the conversation is told
    office.until_told()
    ada = whole(office, booked, "booked")
    assert (ada.name, ada.need, ada.source, ada.owner) == (
        "Ada Byron",
        "Dashboards",
        "news",
        f"{booked.rep}@acme.example",
    )
    (talk,) = [text for _, text in office.crm.activities() if "Dashboards" in text]
    assert "What do you need?" in talk
    assert "80" in talk
    assert "news" in talk

    moved = office.move(booked, 3)
    assert moved.start_at != booked.start_at
    office.until_told()
    assert whole(office, moved, "rescheduled").id == ada.id

    office.step(moved.end_at - office.time.at + MINUTE)
    office.missed(moved)
    office.until_told()
    assert whole(office, moved, "no_show").id == ada.id
    assert office.states() == {"done"}


def whole(office, meeting, status):
    """One person, one company, one meeting as it is now, one event; the person."""
    ((email, person),) = office.crm.people().items()
    assert email == ADA
    assert len(office.crm.companies()) == 1
    assert "globex" in office.crm.companies()[0].lower()
    (there,) = office.crm.meetings()
    rep = f"{meeting.rep}@acme.example"
    assert (there.email, there.start, there.end) == (ADA, meeting.start_at, meeting.end_at)
    assert (there.status, there.owner) == (office.crm.words[status], rep)
    (event,) = office.calendar.events()
    assert event == Event(rep, meeting.start_at, meeting.end_at, event.title)
    assert "Ada Byron" in event.title
    texts = [text for _, text in office.crm.activities()]
    assert len(texts) == len(set(texts)), "something was logged twice"
    return person
