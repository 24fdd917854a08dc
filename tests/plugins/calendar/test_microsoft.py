"""Microsoft 365, asked who is busy: what cannot be known is an error of that calendar and never free time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from plugins.calendar import Window
from plugins.errors import AuthError, NotFound, Permanent, PermissionDenied, PluginError, RateLimited, Transient
from plugins.testing.calendar import DAY, DEMO
from plugins.testing.fakes import Fault
from plugins.testing.fakes.graph import GraphFake
from tests.plugins.calendar import graph
from tests.plugins.calendar.graph import GRACE

BUSY = {"start": "2026-03-02T12:00:00", "end": "2026-03-02T12:30:00"}
NOON = (DEMO.start, DEMO.end)


@pytest.fixture(scope="module")
def service() -> Iterator[GraphFake]:
    with GraphFake() as fake:
        yield fake


@pytest.fixture
def fake(service: GraphFake) -> GraphFake:
    service.reset()
    return service


def schedules_asked(fake: GraphFake) -> list[dict]:
    return [one.json() for one in fake.asked if one.path.endswith("/getSchedule")]


def spans(found) -> list[tuple[datetime, datetime]]:
    assert found.error is None
    return [(one.start, one.end) for one in found.times]


def test_45_mailboxes_over_100_days_are_asked_20_and_31_days_at_a_time(fake: GraphFake):
    people = [f"rep{n}@acme.example" for n in range(45)]
    for address in people:
        fake.add_mailbox(address)
    late = "2026-06-01T12:00:00", "2026-06-01T12:30:00"
    fake.put(people[44], *late)
    found = graph.opened(fake).busy(people, Window(DAY.start, DAY.start + timedelta(days=100)))
    assert list(found) == people
    assert spans(found[people[44]]) == [tuple(datetime.fromisoformat(at).replace(tzinfo=UTC) for at in late)]
    asked = schedules_asked(fake)
    assert [len(one["schedules"]) for one in asked] == [20] * 4 + [20] * 4 + [5] * 4


def test_a_mailbox_that_nobody_knows_is_an_error_among_others_that_are_read(fake: GraphFake):
    fake.put(GRACE, **BUSY)
    found = graph.opened(fake).busy([GRACE, "nobody@acme.example"], DAY)
    assert spans(found[GRACE]) == [NOON]
    assert isinstance(found["nobody@acme.example"].error, NotFound)
    assert len(schedules_asked(fake)) == 1


@pytest.mark.parametrize("amiss", ["nobody@acme.example", "boss@acme.example"])
def test_the_mailbox_asked_through_may_be_the_one_that_is_amiss(fake: GraphFake, amiss: str):
    """Its refusal is of the whole call, and says nothing of the others."""
    fake.add_mailbox("boss@acme.example")
    fake.out_of_reach.add("boss@acme.example")
    fake.put(GRACE, **BUSY)
    found = graph.opened(fake).busy([amiss, GRACE], DAY)
    assert isinstance(found[amiss].error, NotFound | PermissionDenied)
    assert spans(found[GRACE]) == [NOON]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ErrorMailRecipientNotFound", NotFound),
        ("ErrorNoFreeBusyAccess", PermissionDenied),
        ("ErrorServerBusy", Transient),
        ("ErrorProxyRequestProcessingFailed", Transient),
        ("ErrorSomethingNew", Permanent),
    ],
)
def test_each_mailbox_has_its_own_error(fake: GraphFake, code: str, kind: type[PluginError]):
    told = f'{{"value": [{{"scheduleId": "{GRACE}", "scheduleItems": [], "error": {{"responseCode": "{code}"}}}}]}}'
    fake.faults.add(Fault(200, told.encode()), on="getSchedule")
    assert type(graph.opened(fake).busy([GRACE], DAY)[GRACE].error) is kind


@pytest.mark.parametrize(
    "body",
    [
        '{"value": []}',
        "{}",
        "[]",
        '{"value": null}',
        '{"value": [{"scheduleId": "GRACE"}]}',
        '{"value": [{"scheduleId": "GRACE", "scheduleItems": []}]}',
        '{"value": [{"scheduleId": "GRACE", "scheduleItems": [{"status": "busy"}], "availabilityView": "0"}]}',
    ],
)
def test_an_answer_that_leaves_a_mailbox_out_is_no_free_time(fake: GraphFake, body: str):
    fake.faults.add(Fault(200, body.replace("GRACE", GRACE).encode()), on="getSchedule")
    assert graph.opened(fake).busy([GRACE], DAY)[GRACE].error is not None


def test_where_single_events_are_hidden_the_coarse_view_keeps_the_time(fake: GraphFake):
    fake.add_mailbox("boss@acme.example", hidden=True)
    fake.put("boss@acme.example", "2026-03-02T12:05:00", "2026-03-02T12:40:00")
    fake.put("boss@acme.example", "2026-03-02T15:00:00", "2026-03-02T16:00:00", showAs="workingElsewhere")
    found = graph.opened(fake).busy(["boss@acme.example"], DAY)["boss@acme.example"]
    assert spans(found) == [(DEMO.start, DEMO.start + timedelta(minutes=45))]


@pytest.mark.parametrize("calendar", [GRACE, "primary"])
@pytest.mark.parametrize(
    ("shown", "blocks", "with_setting"),
    [
        ("free", False, False),
        ("tentative", True, True),
        ("busy", True, True),
        ("oof", True, True),
        ("workingElsewhere", False, True),
    ],
)
def test_working_elsewhere_blocks_only_where_the_owner_says_so(
    fake: GraphFake, calendar: str, shown: str, blocks: bool, with_setting: bool
):
    fake.put(GRACE, **BUSY, showAs=shown)
    assert bool(graph.by_person(fake).busy([calendar], DAY)[calendar].times) is blocks
    other = graph.by_person(fake, elsewhere_blocks="yes")
    assert bool(other.busy([calendar], DAY)[calendar].times) is with_setting


def test_what_was_declined_is_free_although_it_is_shown_as_busy(fake: GraphFake):
    fake.put(GRACE, **BUSY, responseStatus={"response": "declined"})
    fake.put(GRACE, "2026-03-02T14:00:00", "2026-03-02T15:00:00", responseStatus={"response": "notResponded"})
    found = graph.by_person(fake).busy(["primary"], DAY)["primary"]
    assert [one.start.hour for one in found.times] == [14]


@pytest.mark.parametrize(
    ("made_in", "setting", "hours"),
    [
        ("W. Europe Standard Time", "UTC", 23),
        ("Tokyo Standard Time", "Europe/Berlin", 15),
        ("UTC", "Europe/Berlin", 23),
        ("tzone://Microsoft/Custom", "America/New_York", 4),
        ("UTC", "UTC", 0),
    ],
)
def test_a_day_lies_in_the_zone_where_it_was_made_else_in_the_one_set(
    fake: GraphFake, made_in: str, setting: str, hours: int
):
    days = {"isAllDay": True, "originalStartTimeZone": made_in}
    fake.put(GRACE, "2026-03-10T00:00:00", "2026-03-11T00:00:00", **days)
    week = Window(DAY.start, DAY.start + timedelta(days=14))
    [only] = graph.by_person(fake, time_zone=setting).busy(["primary"], week)["primary"].times
    assert (only.start.hour, only.end - only.start) == (hours, timedelta(days=1))


@pytest.mark.parametrize("calendar", [GRACE, "primary"])
def test_what_was_called_off_is_free_although_it_is_shown_as_busy(fake: GraphFake, calendar: str):
    fake.put(GRACE, **BUSY, isCancelled=True)
    assert spans(graph.by_person(fake).busy([calendar], DAY)[calendar]) == []


def test_a_calendar_of_many_pages_is_read_whole_or_not_at_all(fake: GraphFake):
    for n in range(260):
        at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=5 * n)
        fake.put(GRACE, f"{at:%Y-%m-%dT%H:%M:%S}", f"{at + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}")
    subject = graph.by_person(fake)
    assert spans(subject.busy(["primary"], DAY)["primary"]) == [(DAY.start, DAY.start + timedelta(minutes=5 * 260))]
    fake.faults.add(Fault(503, b"{}"), on="calendarView", after=1)
    assert isinstance(subject.busy(["primary"], DAY)["primary"].error, Transient)


def test_a_page_that_leads_elsewhere_is_not_followed(fake: GraphFake):
    body = b'{"value": [], "@odata.nextLink": "https://graph.microsoft.com.evil.example/v1.0/me/calendarView"}'
    fake.faults.add(Fault(200, body), on="calendarView")
    assert isinstance(graph.by_person(fake).busy(["primary"], DAY)["primary"].error, Permanent)
    assert sum("calendarView" in one.path for one in fake.asked) == 1


def test_a_service_that_does_not_answer_is_given_up_after_two_calendars(fake: GraphFake):
    ids = [f"{GRACE}/{fake.add_calendar(GRACE, str(n))}" for n in range(5)]
    fake.faults.add(Fault(drop=True), on="calendarView")
    found = graph.opened(fake).busy(ids, DAY)
    assert all(isinstance(one.error, Transient) for one in found.values())
    assert sum(one.path.endswith("calendarView") for one in fake.asked) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(429, b'{"error": {"code": "ApplicationThrottled", "message": "MailboxConcurrency"}}'), RateLimited),
        (Fault(401, b'{"error": {"code": "InvalidAuthenticationToken", "message": ""}}'), AuthError),
    ],
)
def test_what_concerns_all_mailboxes_is_raised(fake: GraphFake, fault: Fault, kind: type[PluginError]):
    fake.faults.add(Fault(fault.status, fault.body, headers={"Retry-After": "7"}), on="getSchedule")
    with pytest.raises(kind) as caught:
        graph.opened(fake).busy([GRACE, "linus@acme.example"], DAY)
    if kind is RateLimited:
        assert caught.value.retry_after == graph.NOW + timedelta(seconds=7)


def test_odd_addresses_and_ids_are_found(fake: GraphFake):
    """An apostrophe, a guest's user name, an id with a slash; letters beyond ASCII."""
    for address in ("o'brien+demo@acme.example", "ada_globex.example#ext#@acme.example", "jürgen@bücher.example"):
        fake.add_mailbox(address)
        chosen = f"{address}/{fake.add_calendar(address, 'Sales / Demos')}"
        subject = graph.opened(fake)
        ref = subject.create(chosen, DEMO, key="k1")
        assert subject.create(chosen, DEMO, key="k1").id == ref.id
        assert spans(subject.busy([address.upper(), chosen], DAY)[chosen]) == [NOON]
        assert spans(subject.busy([address.upper()], DAY)[address.upper()]) == []


def test_every_call_asks_for_lasting_ids_and_utc(fake: GraphFake):
    subject = graph.by_person(fake)
    ref = subject.create("primary", DEMO, key="k1")
    subject.update(ref, DEMO, key="k2")
    subject.busy(["primary", GRACE], DAY)
    subject.calendars()
    subject.changes("primary")
    subject.cancel(ref, key="k3")
    calls = [one for one in fake.asked if one.path.startswith("/v1.0/")]
    assert len(calls) >= 8
    for call in calls:
        assert 'IdType="ImmutableId"' in call.headers["Prefer"]
        assert 'outlook.timezone="UTC"' in call.headers["Prefer"]
