"""For an hour the CRM and the calendar are unwell in four ways while leads arrive: afterwards everything stands there
once, in order, and no visitor has noticed anything but that nobody could be met. With USHER_SOAK=1 the long version."""

from __future__ import annotations

import os
import random

import pytest

from tests.journeys.stories.calendars import CALENDARS
from tests.journeys.stories.crms import CRMS
from tests.journeys.stories.crowd import Crowd, hold
from tests.journeys.stories.office import MINUTE, office_at
from tests.journeys.stories.service import GRACE
from tests.journeys.stories.site import REST

SOAK = bool(os.environ.get("USHER_SOAK"))
EVERY = [("salesforce", "google"), ("hubspot", "microsoft"), ("dynamics", "caldav"), ("webhook", "builtin")]
PAIRS = EVERY if SOAK else EVERY[:1]
LEADS = 50 if SOAK else 12

pytestmark = pytest.mark.long


@pytest.fixture(params=PAIRS, ids="+".join)
def crowd(request, fresh, tmp_path):
    crm, calendar = request.param
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    with office_at(tmp_path, CRMS[crm](), CALENDARS[calendar](), fresh) as office:
        yield Crowd(office, LEADS, random.Random(seed))


def test_an_hour_of_every_trouble_leaves_everything_told_once_and_in_order(crowd):
    office = crowd.office
    away = [one for one in (office.crm, office.calendar) if one.name != "builtin"]
    crowd.arrive(0.25)  # their meetings are not told yet when the trouble begins
    for troubles in ((loses_answers, does_not_answer), (forgets_tokens, is_withdrawn, asks_for_patience)):
        for trouble in troubles:
            trouble(crowd, away)
            for one in away:
                one.is_well()
        office.until_told()
    office.step(REST)
    office.until_told()
    print(dict(crowd.deeds), office.crm.calls, office.calendar.calls)
    hold(crowd)


def loses_answers(crowd, away):
    for one in away:
        one.loses_answers()
    crowd.go_on(15, 0.5, moved=2, cancelled=1)
    assert {"upsert_company", "upsert_person", "log_activity", "log_meeting"} <= crowd.office.told_twice()


def does_not_answer(crowd, away):
    for one in away:
        one.is_down()
    crowd.one_arrives()  # who is shown times that were read before
    crowd.go_on(10, 0.65, moved=2, cancelled=1)
    assert crowd.office.left()


def forgets_tokens(crowd, away):
    """New ones can be had only after a while."""
    for one in away:
        one.end_tokens()
        one.gives_no_tokens()
    crowd.go_on(5, 0.7, moved=1)
    for one in away:
        one.is_well()
    crowd.go_on(5, 0.75, moved=1)


def is_withdrawn(crowd, away):
    """Everything waits until the owner connects again, at the console."""
    office = crowd.office
    for one in away:
        one.end_tokens()
        one.withdraw()
    crowd.go_on(10, 0.85, moved=1, cancelled=1)
    assert "paused" in office.states()
    for one in away:
        assert office.connection(one).state == "broken"
        office.connect_again(one)
    assert "paused" not in office.states()


def asks_for_patience(crowd, away):
    for one in away:
        one.is_asked_too_much(240)
    crowd.go_on(15, 1, moved=1, cancelled=1)


def test_a_rep_whose_calendar_is_silent_is_not_offered_and_the_other_one_is(crowd):
    office = crowd.office
    if office.calendar.name == "builtin":
        return  # which is never silent
    office.calendar.hide(GRACE)
    office.step(6 * MINUTE)
    assert {crowd.one_arrives().rep for _ in range(3)} == {"linus"}
    office.calendar.show(GRACE)
    office.step(6 * MINUTE)
    assert "grace" in {crowd.one_arrives().rep for _ in range(3)}
